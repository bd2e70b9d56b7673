import { SHOWS, type Shows } from './shows'
import type { Place } from './cells'
import { formatPath, parsePath } from './path'
import type { Point, View } from './view'

export const STRENGTH = { least: 0.5, most: 2 }

/** A class whose attribution the map shows, for it or against it (-1), and how strongly. */
export interface Weighing {
  index: number
  sign: 1 | -1
  strength: number
}

/** Everything that makes two readers see the same thing; what is absent has its default. */
export interface Address {
  atlas?: string
  view?: View
  grid?: number // absent: chosen by the zoom
  cell?: Place
  density?: number
  labels?: boolean
  find?: string
  weighing?: Weighing
  shows?: Shows
  path?: Point[]
}

function number(text: string | null): number | undefined {
  if (text === null || text.trim() === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

function parsePlace(text: string | null): Place | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)$/.exec(text ?? '')
  if (!match) return undefined
  const [grid, row, column] = match.slice(1).map(Number) as [number, number, number]
  return row < grid && column < grid ? { grid, row, column } : undefined
}

/** Read an address; parts that make no sense are left out, as if they were absent. */
export function parseAddress(hash: string): Address {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''))
  const address: Address = {}
  const atlas = parameters.get('atlas')
  if (atlas) address.atlas = atlas
  const [x, y, zoom] = ['x', 'y', 'zoom'].map((key) => number(parameters.get(key)))
  if (x !== undefined && y !== undefined && zoom !== undefined && zoom > 0) address.view = { x, y, zoom }
  const grid = number(parameters.get('level'))
  if (grid !== undefined) address.grid = grid
  const cell = parsePlace(parameters.get('cell'))
  if (cell) address.cell = cell
  const density = number(parameters.get('density'))
  if (density !== undefined && density > 0) address.density = density
  if (parameters.get('labels') === 'off') address.labels = false
  const find = parameters.get('find')
  if (find) address.find = find
  const weighing = parseWeighing(parameters)
  if (weighing) address.weighing = weighing
  const shows = SHOWS.find((name) => name === parameters.get('icons'))
  if (shows && shows !== 'icons') address.shows = shows
  const path = parsePath(parameters.get('path') ?? '')
  if (path.length > 0) address.path = path
  return address
}

export function parseWeighing(parameters: URLSearchParams): Weighing | undefined {
  const text = parameters.get('class') ?? ''
  if (!/^\d{1,9}$/.test(text)) return undefined
  const strength = number(parameters.get('strength')) ?? 1
  return {
    index: Number(text),
    sign: parameters.get('sign') === 'minus' ? -1 : 1,
    strength: Math.min(STRENGTH.most, Math.max(STRENGTH.least, strength)),
  }
}

export function formatAddress(address: Address): string {
  const parameters = new URLSearchParams()
  if (address.atlas) parameters.set('atlas', address.atlas)
  if (address.view) {
    // Four decimals are a tenth of a pixel on a map of a thousand; deeper zooms need as many more as they magnify.
    const digits = 4 + Math.max(0, Math.ceil(Math.log10(address.view.zoom)))
    parameters.set('x', String(Number(address.view.x.toFixed(digits))))
    parameters.set('y', String(Number(address.view.y.toFixed(digits))))
    parameters.set('zoom', String(Number(address.view.zoom.toFixed(3))))
  }
  parameters.set('level', address.grid === undefined ? 'auto' : String(address.grid))
  if (address.cell) parameters.set('cell', `${address.cell.grid}.${address.cell.row}.${address.cell.column}`)
  if (address.density !== undefined && address.density !== 1) {
    parameters.set('density', String(Number(address.density.toPrecision(3))))
  }
  if (address.labels === false) parameters.set('labels', 'off')
  if (address.find) parameters.set('find', address.find)
  const { weighing } = address
  if (weighing) {
    parameters.set('class', String(weighing.index))
    if (weighing.sign < 0) parameters.set('sign', 'minus')
    if (weighing.strength !== 1) parameters.set('strength', String(Number(weighing.strength.toPrecision(3))))
  }
  if (address.shows && address.shows !== 'icons') parameters.set('icons', address.shows)
  if (address.path?.length) parameters.set('path', formatPath(address.path))
  return written(parameters)
}

/** A hash of parameters. Signs that may stand in a fragment do, so that a name looks the same everywhere. */
export function written(parameters: URLSearchParams): string {
  return `#${String(parameters).replace(/%(3A|2C|3B|40)/g, decodeURIComponent)}`
}
