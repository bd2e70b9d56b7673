/** A label that wants a place on the map: its box in pixels, and how much it matters. */
export interface Box {
  left: number
  top: number
  width: number
  height: number
  weight: number
}

/**
 * Choose labels that do not overlap, the weightiest first. The boxes lie on the whole map, not in the window, so that
 * panning never makes a label come or go.
 */
export function declutter(boxes: readonly Box[]): number[] {
  const order = boxes.map((_, i) => i).sort((a, b) => boxes[b]!.weight - boxes[a]!.weight || a - b)
  const bin = Math.max(1, ...boxes.map((box) => Math.max(box.width, box.height)))
  const bins = new Map<string, Box[]>() // a box reaches no further than the bins next to its own
  const kept: number[] = []
  for (const index of order) {
    const box = boxes[index]!
    const [column, row] = [Math.floor(box.left / bin), Math.floor(box.top / bin)]
    let free = true
    for (let i = row - 1; i <= row + 1 && free; i++) {
      for (let j = column - 1; j <= column + 1 && free; j++) {
        free = !bins.get(`${i},${j}`)?.some((other) => overlap(box, other))
      }
    }
    if (!free) continue
    kept.push(index)
    const key = `${row},${column}`
    bins.set(key, [...(bins.get(key) ?? []), box])
  }
  return kept.sort((a, b) => a - b)
}

function overlap(a: Box, b: Box): boolean {
  return (
    a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height
  )
}

/** Break a name into at most two lines of at most `width` pixels; what does not fit ends in an ellipsis. */
export function wrapped(name: string, width: number, measure: (text: string) => number): string[] {
  if (measure(name) <= width) return [name]
  const words = name.split(' ')
  let first = words.length
  while (first > 1 && measure(words.slice(0, first).join(' ')) > width) first--
  const lines = [words.slice(0, first).join(' '), words.slice(first).join(' ')].filter(Boolean)
  return lines.map((line) => shortened(line, width, measure))
}

function shortened(line: string, width: number, measure: (text: string) => number): string {
  if (measure(line) <= width) return line
  let end = line.length - 1
  while (end > 1 && measure(`${line.slice(0, end)}…`) > width) end--
  return `${line.slice(0, end).trimEnd()}…`
}
