/** The side of an icon as a share of its cell's side: its area says how many activations the cell stands for. */
export function iconShare(count: number, grid: number, samples: number, density: number): number {
  return Math.min(1, Math.sqrt((density * count * grid * grid) / samples))
}
