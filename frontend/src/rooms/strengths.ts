import type { Cell } from '../cells'

/** How strongly each cell speaks for a class, or against it, as a share of the strongest of the level, times a strength. */
export function strengths(values: ArrayLike<number>, minus: boolean, strength: number): Float32Array {
  const sign = minus ? -1 : 1
  let largest = 0
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, sign * values[i]!)
  return Float32Array.from(values, (value) => (largest > 0 ? Math.min(1, (Math.max(0, sign * value) / largest) * strength) : 0))
}

/** What tables alone tell of a class: its attribution where it is among the largest of a cell, elsewhere nothing. */
export function known(cells: readonly Cell[], label: number): Float32Array {
  return Float32Array.from(cells, (cell) => cell.labels.find(([index]) => index === label)?.[1] ?? 0)
}

/** The class that words mean: a number, a whole name, or the only one that holds them; else none. */
export function classMeant(classes: readonly string[], words: string): number | null {
  const wanted = words.trim().toLowerCase()
  if (wanted === '') return null
  if (/^\d+$/.test(wanted)) return Number(wanted) < classes.length ? Number(wanted) : null
  const names = classes.map((name) => name.toLowerCase())
  const exact = names.findIndex((name) => name === wanted || name.split(',').some((part) => part.trim() === wanted))
  if (exact >= 0) return exact
  const holding = names.flatMap((name, index) => (name.includes(wanted) ? [index] : []))
  return holding.length === 1 ? holding[0]! : null
}
