import { fields, list, number, numbers, optional, orNull, reading, text, whole, type Fields } from '../fields'
import type { Pick, Tap } from '../route'
import type { SheetRecord } from '../sheet'

/** One place of one image, shown by picture `crop` of a sheet and, in a row of examples, `context` of another. */
export interface Example {
  image: string
  label: string // empty where it is unknown
  value: number
  place: [number, number] // row and column in the layer's map
  crop: number
  context: number | null
  outline: [number, number, number, number] | null // left, top, right, bottom of what the unit sees, as shares
}

export interface ExampleRow {
  name: string
  title: string
  note: string
  examples: Example[]
}

export interface Examples {
  crops: SheetRecord
  contexts: SheetRecord | null
  rows: ExampleRow[]
}

/** Random examples of one bin of activation; its ends are null where it is open. */
export interface QuiltColumn {
  low: number | null
  high: number | null
  count: number
  examples: Example[]
}

export interface Quilt {
  tap: Tap
  sheet: SheetRecord
  columns: QuiltColumn[]
}

export interface Estimate {
  value: number
  interval: [number, number] | null
}

/** An exponential fitted to the density between two activations. */
export interface Tail {
  low: number
  high: number
  scale: number
  intercept: number | null // of log density at 0
  r2: number | null
  interval: [number, number] | null
  meanExcess: [number, number][] // threshold, mean of what lies above it less the threshold
}

export interface TapRecord {
  numbers: Map<string, Estimate>
  confidence: number | null // of the intervals
  intervals: string // what they were found from: "positions", "shards" or nothing
  histogram: { edges: number[]; counts: number[]; under: number; over: number; unplaced: number }
  density: { x: number[]; log: (number | null)[] } // natural logarithm, null in empty bins
  tail: Tail | null
  tailNote: string
}

/** What a data set shows of one unit; parts that were not made are null. */
export interface UnitRecord {
  network: string
  layer: string
  unit: number
  images: number
  positions: number
  distribution: Map<Tap, TapRecord> | null
  examples: Examples | null
  quilt: Quilt | null
}

/** What the list of a layer's units says of one. */
export interface UnitEntry {
  unit: number
  max: number | null
  fires: number | null
  pages: string[]
}

export interface LayerRecord {
  network: string
  layer: string
  units: UnitEntry[]
}

const FORMAT = 1
const TAPS: readonly Tap[] = ['pre', 'post']

/** Read `units/LAYER/index.json`. Raises `ResourceError` if it is something else or of a newer format. */
export function readLayer(url: string, content: unknown): LayerRecord {
  return reading(url, content, FORMAT, 'the list of a layer’s units', (record) => ({
    network: text(record['network']),
    layer: text(record['layer']),
    units: list(record['units'])
      .map(fields)
      .map((entry) => ({
        unit: whole(entry['unit']),
        max: orNull(entry['max']),
        fires: orNull(entry['fires']),
        pages: list(entry['pages'] ?? []).map(text),
      }))
      .sort((a, b) => a.unit - b.unit),
  }))
}

/** Read `units/LAYER/INDEX.json`. Raises `ResourceError` if it is something else or of a newer format. */
export function readUnit(url: string, content: unknown): UnitRecord {
  return reading(url, content, FORMAT, 'the page of a unit', (record) => ({
    network: text(record['network']),
    layer: text(record['layer']),
    unit: whole(record['unit']),
    images: number(record['images'] ?? 0),
    positions: number(record['positions'] ?? 0),
    distribution: optional(record['distribution'], distribution),
    examples: optional(record['examples'], examples),
    quilt: optional(record['quilt'], quilt),
  }))
}

/** The example that a pick names, if the unit has it. */
export function exampleAt(record: UnitRecord, pick: Pick): Example | null {
  const column = /^quilt\.(\d+)$/.exec(pick.row)
  const row = column
    ? record.quilt?.columns[Number(column[1])]
    : record.examples?.rows.find(({ name }) => name === pick.row)
  return row?.examples[pick.index] ?? null
}

/** The example that shows a unit best: the first of the highest. */
export function strongest(record: UnitRecord): Example | null {
  const rows = record.examples?.rows ?? []
  return (rows.find(({ name }) => name === 'highest') ?? rows[0])?.examples[0] ?? null
}

// What follows takes values apart and raises a TypeError at the first that is not what it should be.

function pair(value: unknown): [number, number] {
  return numbers(value, 2) as [number, number]
}

function sheet(value: unknown): SheetRecord {
  const record = fields(value)
  const [size, columns] = [whole(record['size']), whole(record['columns'])]
  if (size === 0 || columns === 0) throw new TypeError('no sheet')
  return { file: text(record['file']), size, columns, per_cell: 1 }
}

function example(value: unknown): Example {
  const record = fields(value)
  return {
    image: text(record['image']),
    label: text(record['label'] ?? ''),
    value: number(record['value']),
    place: pair(record['place']),
    crop: whole(record['crop']),
    context: record['context'] === undefined || record['context'] === null ? null : whole(record['context']),
    outline: record['outline'] ? (numbers(record['outline'], 4) as Example['outline']) : null,
  }
}

function examples(record: Fields): Examples {
  const sheets = fields(record['sheets'])
  return {
    crops: sheet(sheets['crops']),
    contexts: optional(sheets['contexts'], sheet),
    rows: list(record['rows'])
      .map(fields)
      .map((row) => ({
        name: text(row['name']),
        title: text(row['title']),
        note: text(row['note'] ?? ''),
        examples: list(row['examples']).map(example),
      })),
  }
}

function quilt(record: Fields): Quilt {
  return {
    tap: record['tap'] === 'pre' ? 'pre' : 'post',
    sheet: sheet(record['sheet']),
    columns: list(record['columns'])
      .map(fields)
      .map((column) => ({
        low: orNull(column['low']),
        high: orNull(column['high']),
        count: number(column['count']),
        examples: list(column['examples']).map(example),
      })),
  }
}

function distribution(record: Fields): Map<Tap, TapRecord> {
  const taps = fields(record['taps'])
  return new Map(TAPS.filter((tap) => taps[tap]).map((tap) => [tap, tapRecord(fields(taps[tap]))]))
}

function tapRecord(record: Fields): TapRecord {
  const { histogram, density, tail, tail_note: tailNote, confidence, intervals, ...rest } = record
  const bins = fields(histogram)
  const edges = numbers(bins['edges'])
  const x = numbers(fields(density)['x'])
  const log = list(fields(density)['log']).map(orNull)
  if (log.length !== x.length) throw new TypeError('a density without its places')
  return {
    numbers: new Map(estimates(rest)),
    confidence: orNull(confidence),
    intervals: text(intervals ?? ''),
    histogram: {
      edges,
      counts: numbers(bins['counts'], edges.length - 1),
      under: number(bins['under'] ?? 0),
      over: number(bins['over'] ?? 0),
      unplaced: number(bins['unplaced'] ?? 0),
    },
    density: { x, log },
    tail: optional(tail, tailRecord),
    tailNote: text(tailNote ?? ''),
  }
}

/** All that is a number or an estimate; other entries, which later versions may add, are passed over. */
function estimates(record: Fields): [string, Estimate][] {
  return Object.entries(record).flatMap(([name, value]): [string, Estimate][] => {
    if (typeof value === 'number') return [[name, { value, interval: null }]]
    if (typeof value !== 'object' || value === null) return []
    const { value: given, interval } = value as Fields
    return typeof given === 'number' ? [[name, { value: given, interval: ends(interval) }]] : []
  })
}

/** An interval whose ends are known. */
function ends(value: unknown): [number, number] | null {
  if (value === null || value === undefined) return null
  const [low, high] = list(value)
  return low === null || high === null ? null : pair(value)
}

/** The fit, unless it has no scale. */
function tailRecord(record: Fields): Tail | null {
  const scale = orNull(record['scale'])
  if (scale === null) return null
  return {
    low: number(record['low']),
    high: number(record['high']),
    scale,
    intercept: orNull(record['intercept']),
    r2: orNull(record['r2']),
    interval: ends(record['interval']),
    meanExcess: list(record['mean_excess'] ?? []).flatMap((entry) => {
      const known = ends(entry)
      return known ? [known] : []
    }),
  }
}
