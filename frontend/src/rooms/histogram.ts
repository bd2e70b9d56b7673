import { fields, list, number, numbers, orNull, text, whole, type Fields } from '../fields'
import { classNamed } from './page'

interface Set {
  name: string
  activations: number
  images: number
}

export interface Bin {
  row: number
  column: number
  first: number // share of the activations of the first set
  second: number
  ratio: number // of the shares, as a power of two: above 0, the second has more
  p: number
  q: number
  labels: string[]
}

/** Two sets of images, counted in the cells of one atlas. */
export interface HistogramContent {
  atlas: string
  grid: number
  first: Set
  second: Set
  cells: Bin[]
  different: number[] // indices of the cells, the most different first
  p: number
  statistic: number | null
  permutations: number | null
  rate: number | null // false discovery rate
  elsewhere: [first: number, second: number] | null
  outside: { limit: number; first: number; second: number } | null
}

export function readHistogram(content: Fields): HistogramContent {
  const names = list(content['names'] ?? []).map(text)
  const labels = list(content['labels'] ?? [])
  const cells = list(content['cells']).map((row, index) => {
    const [at, column, first, second, ratio, p, q] = list(row)
    const said = list(labels[index] ?? []).map((label) => classNamed(names, label))
    return {
      row: whole(at),
      column: whole(column),
      first: number(first),
      second: number(second),
      ratio: orNull(ratio) ?? 0,
      p: number(p),
      q: number(q),
      labels: said,
    }
  })
  const outside = content['outside'] ? fields(content['outside']) : null
  return {
    atlas: text(content['atlas']),
    grid: whole(content['grid']),
    first: set(fields(content['first'])),
    second: set(fields(content['second'])),
    cells,
    different: list(content['different']).map(whole).filter((index) => index < cells.length),
    p: number(content['p']),
    statistic: orNull(content['statistic']),
    permutations: orNull(content['permutations']),
    rate: orNull(content['rate']),
    elsewhere: content['elsewhere'] ? (numbers(content['elsewhere'], 2) as [number, number]) : null,
    outside: outside && { limit: number(outside['limit']), first: number(outside['first']), second: number(outside['second']) },
  }
}

function set(record: Fields): Set {
  return { name: text(record['name']), activations: whole(record['activations']), images: whole(record['images']) }
}

/** How strongly a cell is tinted: from 0 where both sets have as much, to 1 or -1 where one has `most` times a doubling more. */
export function tintOf(ratio: number, most = 3): number {
  return Math.max(-1, Math.min(1, ratio / most))
}
