import { fields, list, number, numbers, orNull, text, whole, type Fields } from '../fields'

export interface SharedCell {
  row: number
  column: number
  own: number // activations
  other: number
  overlap: number | null // of the neighbours of its activations in both networks
}

/** What share of the neighbours of a region's activations lie in it, too, beyond chance. */
export interface Region {
  own: number // in its own network
  halves: number // by either half of its channels: what a network as good would keep
  other: number // in the other network
  q: number | null // that the other network lacks it
}

export interface Match {
  own: [row: number, column: number]
  other: [row: number, column: number]
  score: number
}

/** One layer of two networks on one map: what both have, and what only one has. */
export interface NetworksContent {
  atlas: string
  other: string
  grid: number
  cells: SharedCell[]
  onlyOwn: [row: number, column: number][]
  onlyOther: [row: number, column: number][]
  measures: [name: string, value: string | number][]
  matches: Match[]
  regions: { own: ReadonlyMap<string, Region>; other: ReadonlyMap<string, Region> } // by `row.column`
}

export function readNetworks(content: Fields): NetworksContent {
  const pairs = (value: unknown) => list(value ?? []).map((row) => numbers(row, 2) as [number, number])
  return {
    atlas: text(content['atlas']),
    other: text(content['other']),
    grid: whole(content['grid']),
    cells: list(content['cells']).map((row) => {
      const [at, column, own, other, overlap] = list(row)
      return { row: whole(at), column: whole(column), own: number(own), other: number(other), overlap: orNull(overlap) }
    }),
    onlyOwn: pairs(content['only_own']),
    onlyOther: pairs(content['only_other']),
    measures: measuresOf(fields(content['measures'] ?? {})),
    matches: list(content['matches'] ?? []).map((row) => {
      const [a, b, c, d, score] = numbers(row, 5) as [number, number, number, number, number]
      return { own: [a, b], other: [c, d], score }
    }),
    regions: { own: regions(fields(content['regions'] ?? {})['own']), other: regions(fields(content['regions'] ?? {})['other']) },
  }
}

function regions(value: unknown): Map<string, Region> {
  return new Map(
    list(value ?? []).map((row) => {
      const [at, column, , , own, halves, other, , q] = list(row)
      return [`${whole(at)}.${whole(column)}`, { own: share(own), halves: share(halves), other: share(other), q: orNull(q) }]
    }),
  )
}

function share(value: unknown): number {
  return orNull(value) ?? NaN
}

/** What was measured, as far as it can be told in a line each; parts of parts are told with both names. */
function measuresOf(record: Fields, before = ''): [string, string | number][] {
  return Object.entries(record).flatMap(([key, value]): [string, string | number][] => {
    const name = `${before}${key.replaceAll('_', ' ')}`
    if (typeof value === 'number' || typeof value === 'string') return [[name, value]]
    if (typeof value === 'boolean') return [[name, value ? 'yes' : 'no']]
    if (Array.isArray(value) && value.every((part) => typeof part === 'number')) return [[name, value.join(' … ')]]
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return measuresOf(value as Fields, `${name}: `)
    return []
  })
}
