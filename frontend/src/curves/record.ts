import { fields, list, number, orNull, reading, text, whole, type Fields } from '../fields'
import { parseUnit } from '../route'
import { wrapped } from './radial'

/** Kinds of units that a search counts, and the one that is none of them. */
export const KINDS = ['mature', 'proto', 'line', 'double'] as const
export type Kind = (typeof KINDS)[number]

/** One unit: what was measured, null where it could not be, and what the rule says. */
export interface FoundUnit {
  layer: string
  unit: number
  kind: Kind | 'none'
  score: number
  direction: number | null
  argmax: number
  resultant: number | null
  echo: number | null
  fwhm: number | null
  z: number | null
  line: number | null // L, line over curve
  angle: number | null // Q, angle over curve
  fill: number | null // C, of the heatmaps of lines and of fills
  fires: number | null
  natural: number | null // degrees between photographs and curves
  chance: number | null
  confirmed: boolean | null // null: it was not asked
  note: string
  missed: string
  tuning: number[] // by direction, 0, 360 / T, ...; NaN where it is not known
}

export interface Gap {
  before: number
  after: number
  degrees: number
}

/** Units of a kind with one shape of tuning, in the order of their directions. */
export interface Family {
  layer: string
  number: number // among those of the layer, from 1
  kind: Kind
  units: FoundUnit[]
  gaps: Gap[]
  coverage: number | null
  least: number | null // correlation of two units
  median: number | null
  z: [number, number] | null
}

/** Units of a kind in a layer, and how many there are in a null network on the average. */
export interface Count {
  found: number
  chance: number | null
}

export interface LayerRow {
  layer: string
  units: number
  counts: Record<Kind, Count>
  confirmed: number
}

/** Units of a kind here and in each null network, by name. */
export interface Discoveries {
  real: number
  nulls: [name: string, count: number][]
  rate: number | null
  most: number | null // of the rate, with 95 % confidence
}

export interface Found {
  network: string
  images: string // where they are
  natural: boolean // curve detectors were confirmed by rotated photographs
  naturalLimit: number | null // degrees
  layers: LayerRow[]
  discoveries: Record<Kind, Discoveries>
  families: Family[]
  units: FoundUnit[]
}

const FORMAT = 1

/** Read `curves/found.json`. Raises `ResourceError` if it is something else or of a newer format. */
export function readFound(url: string, content: unknown): Found {
  return reading(url, content, FORMAT, 'what a search for curve detectors found', (record) => {
    const units = list(record['units']).map(fields).map(unitOf)
    const byAddress = new Map(units.map((unit) => [`${unit.layer}:${unit.unit}`, unit]))
    const counted = new Map<string, number>()
    const { mature_natural: limit } = fields(record['thresholds'] ?? {})
    return {
      network: text(fields(record['network'])['name']),
      images: text(fields(record['images'] ?? {})['source'] ?? ''),
      natural: fields(record['config'] ?? {})['natural'] !== false,
      naturalLimit: orNull(limit),
      layers: list(record['layers']).map(fields).map(layerRow),
      discoveries: byKind((kind) => discoveries(fields(fields(record['discoveries'])[kind]))),
      families: list(record['families'])
        .map(fields)
        .map((family) => {
          const layer = text(family['layer'])
          counted.set(layer, (counted.get(layer) ?? 0) + 1)
          return familyOf(family, layer, counted.get(layer)!, byAddress)
        }),
      units,
    }
  })
}

/** The units that come nearest to a curve detector, the nearest first. */
export function best(units: readonly FoundUnit[], count: number): FoundUnit[] {
  return [...units].sort((a, b) => b.score - a.score || (b.z ?? 0) - (a.z ?? 0)).slice(0, count)
}

export function familyAt(found: Found, layer: string, number: number): Family | null {
  return found.families.find((family) => family.layer === layer && family.number === number) ?? null
}

function byKind<T>(make: (kind: Kind) => T): Record<Kind, T> {
  return Object.fromEntries(KINDS.map((kind) => [kind, make(kind)])) as Record<Kind, T>
}

function layerRow(row: Fields): LayerRow {
  return {
    layer: text(row['layer']),
    units: whole(row['units']),
    counts: byKind((kind) => ({ found: whole(row[kind]), chance: orNull(row[`${kind}_null`]) })),
    confirmed: whole(row['confirmed'] ?? 0),
  }
}

function discoveries(record: Fields): Discoveries {
  return {
    real: whole(record['real']),
    nulls: Object.entries(fields(record['nulls'])).map(([name, count]) => [name, whole(count)]),
    rate: orNull(record['rate']),
    most: orNull(record['most']),
  }
}

function unitOf(row: Fields): FoundUnit {
  const address = parseUnit(text(row['unit']))
  const kind = text(row['kind'])
  if (!address || !(kind === 'none' || KINDS.includes(kind as Kind))) throw new TypeError('no unit')
  const tuning = list(row['tuning']).map((value) => orNull(value) ?? NaN)
  if (tuning.length < 3) throw new TypeError('no tuning curve')
  return {
    ...address,
    kind: kind as FoundUnit['kind'],
    score: number(row['score'] ?? 0),
    direction: orNull(row['direction']),
    argmax: orNull(row['argmax']) ?? 0,
    resultant: orNull(row['R']),
    echo: orNull(row['echo']),
    fwhm: orNull(row['fwhm']),
    z: orNull(row['z']),
    line: orNull(row['line_over_curve']),
    angle: orNull(row['angle_over_curve']),
    fill: orNull(row['fill_correlation']),
    fires: orNull(row['fires']),
    natural: orNull(row['natural_difference']),
    chance: orNull(row['natural_chance']),
    confirmed: row['confirmed'] === null || row['confirmed'] === undefined ? null : row['confirmed'] === true,
    note: text(row['note'] ?? ''),
    missed: text(row['missed'] ?? ''),
    tuning,
  }
}

/** Where a unit stands in the order of directions; what differs from 360 degrees by rounding alone comes first. */
function around({ direction }: FoundUnit): number {
  return direction === null ? 360 : wrapped(Number(direction.toFixed(3)))
}

function familyOf(record: Fields, layer: string, place: number, units: ReadonlyMap<string, FoundUnit>): Family {
  const kind = KINDS.find((name) => name === record['kind'])
  const members = list(record['units']).map((unit) => units.get(`${layer}:${whole(unit)}`))
  if (!kind || members.length === 0 || members.includes(undefined)) throw new TypeError('no family')
  const z = record['z'] === null || record['z'] === undefined ? null : list(record['z']).map(number)
  return {
    layer,
    number: place,
    kind,
    units: (members as FoundUnit[]).sort((a, b) => around(a) - around(b) || a.unit - b.unit),
    gaps: list(record['gaps'])
      .map(fields)
      .map((gap) => ({ before: whole(gap['before']), after: whole(gap['after']), degrees: number(gap['degrees']) })),
    coverage: orNull(record['coverage']),
    least: orNull(record['least_correlation']),
    median: orNull(record['median_correlation']),
    z: z?.length === 2 ? (z as [number, number]) : null,
  }
}
