import { fields, list, number, numbers, orNull, text, whole, type Fields } from '../fields'
import { classNamed, rated, type Rated } from './page'

/** What a patch did at one size and corner, or where these are null, at those that are best for each image. */
export interface Measures {
  images: number
  correct: number
  changed: number
  toTarget: number
  rate: number
  low: number
  high: number
  logit: number | null
  logitLow: number | null
  logitHigh: number | null
}

export interface Row extends Measures {
  patch: string
  size: number | null
  corner: number | null
  controlRate: number | null
  p: number | null
  also: { name: string; mean: number; low: number | null; high: number | null }[]
}

export interface PatchPicture {
  name: string
  file: string
  alone: Rated[]
}

export interface Example {
  image: string
  patched: string
  patch: string
  size: number | null
  corner: number | null
  before: Rated[]
  after: Rated[]
}

export interface Overall {
  patch: Measures | null
  control: Measures | null
  difference: number | null // of the rise of the target's logit
  low: number | null
  high: number | null
  p: number | null
  rateDifference: number | null
  rateLow: number | null
  rateHigh: number | null
  rateP: number | null
}

/** Another picture to compare with: how much more than it the patches lift the target's logit. */
export interface Control {
  name: string
  rate: number
  difference: number | null
  low: number | null
  high: number | null
  p: number | null
}

/** Whether patches pasted on images of one class make another of them. */
export interface PatchContent {
  network: string
  source: string | null
  target: string
  also: string[]
  images: number
  sizes: number[]
  corners: string[]
  patches: PatchPicture[]
  control: PatchPicture | null
  table: Row[]
  best: Row[]
  consistent: Row[]
  controls: Control[]
  overall: Overall
  examples: Example[]
}

export function readPatch(content: Fields): PatchContent {
  const classes = list(content['classes']).map(text)
  const corners = list(content['corners']).map(text)
  const picture = (value: unknown): PatchPicture => {
    const record = fields(value)
    return { name: text(record['name']), file: text(record['file'] ?? ''), alone: rated(record['alone'] ?? [], classes) }
  }
  const row = (value: unknown) => readRow(fields(value), classes, corners)
  const rows = (value: unknown) => list(value ?? []).map(row)
  const overall = fields(content['overall'] ?? {})
  const source = content['source']
  return {
    network: text(content['network']),
    source: source === null || source === undefined ? null : classNamed(classes, source),
    target: classNamed(classes, content['target']),
    also: list(content['also'] ?? []).map((label) => classNamed(classes, label)),
    images: whole(content['images']),
    sizes: numbers(content['sizes']),
    corners,
    patches: list(content['patches']).map(picture),
    control: content['control'] ? picture(content['control']) : null,
    table: rows(content['table']),
    best: rows(content['best']),
    consistent: rows(content['consistent']),
    controls: list(content['controls'] ?? []).map(fields).map((control) => ({
      name: text(control['name']),
      rate: number(control['rate']),
      difference: orNull(control['difference']),
      low: orNull(control['low']),
      high: orNull(control['high']),
      p: orNull(control['p']),
    })),
    overall: readOverall(overall),
    examples: list(content['examples'] ?? []).map(fields).map((example) => ({
      image: text(example['image']),
      patched: text(example['patched']),
      patch: text(example['patch']),
      size: orNull(example['size']),
      corner: cornerOf(example['corner'], corners),
      before: rated(example['before'], classes),
      after: rated(example['after'], classes),
    })),
  }
}

function readOverall(record: Fields): Overall {
  const measures = (value: unknown) => (value ? readMeasures(fields(value)) : null)
  return {
    patch: measures(record['patch']),
    control: measures(record['control']),
    difference: orNull(record['difference']),
    low: orNull(record['low']),
    high: orNull(record['high']),
    p: orNull(record['p']),
    rateDifference: orNull(record['rate_difference']),
    rateLow: orNull(record['rate_low']),
    rateHigh: orNull(record['rate_high']),
    rateP: orNull(record['rate_p']),
  }
}

function readMeasures(record: Fields): Measures {
  return {
    images: whole(record['images']),
    correct: whole(record['correct']),
    changed: whole(record['changed']),
    toTarget: whole(record['to_target']),
    rate: number(record['rate']),
    low: number(record['low']),
    high: number(record['high']),
    logit: orNull(record['logit']),
    logitLow: orNull(record['logit_low']),
    logitHigh: orNull(record['logit_high']),
  }
}

function readRow(record: Fields, classes: readonly string[], corners: readonly string[]): Row {
  return {
    ...readMeasures(record),
    patch: text(record['patch']),
    size: orNull(record['size']),
    corner: cornerOf(record['corner'], corners),
    controlRate: orNull(record['control_rate']),
    p: orNull(record['p']),
    also: list(record['also'] ?? []).map((value) => {
      const [label, mean, low, high] = list(value)
      return { name: classNamed(classes, label), mean: number(mean), low: orNull(low), high: orNull(high) }
    }),
  }
}

/** A corner by its number, from 0 at the top left row by row, or by its name. */
function cornerOf(value: unknown, corners: readonly string[]): number | null {
  if (value === null || value === undefined) return null
  if (typeof value !== 'string') return whole(value)
  const corner = corners.indexOf(value)
  if (corner < 0) throw new TypeError('no corner')
  return corner
}

/** What the table shows of each patch: at one size and corner; as in the article, one for all; or the best for each image. */
export type Setting = { mode: 'fixed'; size: number; corner: number } | { mode: 'consistent' } | { mode: 'dynamic' }

/** The rows of a setting, the patches in order of their rates, the control last. */
export function rowsOf(content: PatchContent, setting: Setting): Row[] {
  const rows =
    setting.mode === 'dynamic'
      ? content.best
      : setting.mode === 'consistent'
        ? consistent(content)
        : content.table.filter((row) => row.size === setting.size && row.corner === setting.corner)
  const control = content.control?.name
  const weight = (row: Row) => (row.patch === control ? 1 : 0)
  return [...rows].sort((a, b) => weight(a) - weight(b) || b.rate - a.rate || a.patch.localeCompare(b.patch))
}

/** Of each patch the size and corner that serve most images: as the page says them, else as the table shows. */
function consistent(content: PatchContent): Row[] {
  if (content.consistent.length > 0) return content.consistent
  const best = new Map<string, Row>()
  for (const row of content.table) {
    const other = best.get(row.patch)
    if (!other || row.rate > other.rate) best.set(row.patch, row)
  }
  return [...best.values()]
}
