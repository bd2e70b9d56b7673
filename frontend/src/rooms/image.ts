import { fields, list, number, numbers, text, whole, type Fields } from '../fields'
import { rated, type Rated } from './page'

/** A photograph as a layer sees it: the icons of all its positions, and what they are made of. */
export interface ImageContent {
  photo: string
  network: string
  layer: string
  rows: number
  columns: number
  icons: { file: string; size: number; columns: number }
  norms: number[]
  classes: string[]
  logits: Rated[]
  positions: Rated[][]
  attribution: Map<number, number[]> // by class, of each position
  neurons: { unit: number; value: number; position: [row: number, column: number]; file: string }[]
  pair: { units: [number, number]; file: string } | null
  groups: { icon: string; map: number[]; share: number; attribution: Rated[] }[]
  atlas: string
  cells: ([grid: number, row: number, column: number] | null)[]
}

export function readImage(content: Fields): ImageContent {
  const [rows, columns] = numbers(content['grid'], 2) as [number, number]
  const size = rows * columns
  const classes = list(content['classes']).map(text)
  const icons = fields(content['icons'])
  const triple = (value: unknown) => (value === null ? null : (numbers(value, 3) as [number, number, number]))
  const pair = content['pair'] ? fields(content['pair']) : null
  const positions = list(content['positions']).map((row) => rated(row, classes))
  if (positions.length !== size) throw new TypeError('not every position')
  return {
    photo: text(content['photo']),
    network: text(content['network']),
    layer: text(content['layer']),
    rows,
    columns,
    icons: { file: text(icons['file']), size: whole(icons['size']), columns: whole(icons['columns']) },
    norms: numbers(content['norms'], size),
    classes,
    logits: rated(content['logits'], classes),
    positions,
    attribution: new Map(Object.entries(fields(content['attribution'])).map(([label, map]) => [Number(label), numbers(map, size)])),
    neurons: list(content['neurons']).map(fields).map((neuron) => ({
      unit: whole(neuron['unit']),
      value: number(neuron['value']),
      position: numbers(neuron['position'], 2) as [number, number],
      file: text(neuron['file']),
    })),
    pair: pair && { units: numbers(pair['units'], 2) as [number, number], file: text(pair['file']) },
    groups: list(content['groups']).map(fields).map((group) => ({
      icon: text(group['icon']),
      map: numbers(group['map'], size),
      share: number(group['share']),
      attribution: rated(group['attribution'], classes),
    })),
    atlas: typeof content['atlas'] === 'string' ? content['atlas'] : '',
    cells: list(content['cells'] ?? []).map(triple),
  }
}

/** The sides of icons whose areas are as the norms, in shares of the largest. */
export function sidesOf(norms: readonly number[]): number[] {
  const largest = norms.reduce((most, norm) => Math.max(most, norm), 0)
  return norms.map((norm) => (largest > 0 ? Math.sqrt(Math.max(0, norm) / largest) : 0))
}
