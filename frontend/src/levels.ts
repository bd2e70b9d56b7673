// Between 48 and 96 pixels an icon is both legible and small enough to be seen among its neighbours.
const BEST_PITCH = Math.sqrt(48 * 96)

/** The grid whose cells come nearest to the best width, `scale` pixels being the side of the map. */
export function chooseGrid(grids: readonly number[], scale: number): number {
  const miss = (grid: number) => Math.abs(Math.log(scale / grid / BEST_PITCH))
  return grids.reduce((best, grid) => (miss(grid) < miss(best) ? grid : best))
}

/** The level to draw while the wanted one loads: the nearest coarser one that is there, else the nearest finer one. */
export function standIn<T extends { grid: number }>(levels: readonly T[], wanted: T, ready: (level: T) => boolean): T | null {
  if (ready(wanted)) return wanted
  const there = levels.filter(ready)
  const coarser = there.filter((level) => level.grid < wanted.grid)
  return coarser.at(-1) ?? there[0] ?? null
}
