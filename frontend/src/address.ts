import type { Place } from './cells'
import type { View } from './view'

/** Everything that makes two readers see the same thing; what is absent has its default. */
export interface Address {
  atlas?: string
  view?: View
  grid?: number // absent: chosen by the zoom
  cell?: Place
  density?: number
  labels?: boolean
  find?: string
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
  return address
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
  return `#${parameters}`
}
