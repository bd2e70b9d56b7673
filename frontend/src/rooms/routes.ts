import type { Weighted } from '../live'
import type { PageRoute } from '../route'
import type { View } from '../view'
import { formatCells, parseCells } from './strokes'

// What the addresses of these rooms hold. What makes no sense in one is left out, as if it were absent.

export type Spot = [row: number, column: number]

interface Form<T> {
  read: (page: PageRoute) => T
  write: (route: T) => PageRoute
}

export interface ImageRoute {
  name: string
  at?: Spot // the position that is kept
  label?: number // the class whose attribution is drawn
  group?: number
}

export const imageRoute: Form<ImageRoute> = {
  read: ({ value, rest }) => lean({ name: value, at: spot(rest['at']), label: whole(rest['label']), group: whole(rest['group']) }),
  write: ({ name, at, label, group }) => page('image', name, { at: at?.join('.'), label, group }),
}

/** The table of patches, and the patch that is tried out. */
export interface PatchRoute {
  name: string // empty: only trying patches
  mode?: 'consistent' | 'dynamic'
  size?: number
  corner?: number
  photo?: number
  patch?: string
  scale?: number // the size of what is tried
  place?: number // and its corner
}

export const patchRoute: Form<PatchRoute> = {
  read: ({ value, rest }) =>
    lean({
      name: value,
      mode: (['consistent', 'dynamic'] as const).find((mode) => mode === rest['mode']),
      size: number(rest['size']),
      corner: whole(rest['corner']),
      photo: whole(rest['photo']),
      patch: rest['with'] || undefined,
      scale: number(rest['scale']),
      place: whole(rest['place']),
    }),
  write: ({ name, mode, size, corner, photo, patch, scale, place }) =>
    page('patch', name, { mode, size, corner, photo, with: patch, scale, place }),
}

export interface HistogramRoute {
  name: string
  cell?: Spot
}

export const histogramRoute: Form<HistogramRoute> = {
  read: ({ value, rest }) => lean({ name: value, cell: spot(rest['cell']) }),
  write: ({ name, cell }) => page('histogram', name, { cell: cell?.join('.') }),
}

export interface NetworksRoute {
  name: string
  of?: 'own' | 'other' // whose map the cell is kept on
  cell?: Spot
}

export const networksRoute: Form<NetworksRoute> = {
  read: ({ value, rest }) => {
    const cell = spot(rest['cell'])
    const of = rest['of'] === 'other' ? 'other' : 'own'
    return lean({ name: value, of: cell && of, cell })
  },
  write: ({ name, of, cell }) => page('networks', name, { of: cell && of, cell: cell?.join('.') }),
}

/** Several atlases beside each other, at the same place and for the same class. */
export interface SideRoute {
  atlases: string[]
  view?: View
  label?: number
  minus?: boolean
}

export const MOST_SIDES = 6

export const sideRoute: Form<SideRoute> = {
  read: ({ value, rest }) => {
    const atlases = value.split(',').filter(Boolean).slice(0, MOST_SIDES)
    return lean({ atlases, view: viewOf(rest), label: whole(rest['class']), minus: minusOf(rest) })
  },
  write: ({ atlases, view, label, minus }) => page('side', atlases.join(','), { ...viewParts(view), class: label, sign: minus ? 'minus' : undefined }),
}

/** All layers of one class. */
export interface ClassRoute {
  label?: number
  minus?: boolean
  strength?: number
}

export const classRoute: Form<ClassRoute> = {
  read: ({ value, rest }) => lean({ label: whole(value), minus: minusOf(rest), strength: number(rest['strength']) }),
  write: ({ label, minus, strength }) => page('class', String(label ?? ''), { sign: minus ? 'minus' : undefined, strength }),
}

export interface PaintRoute {
  atlas: string
  brush?: Weighted[]
  strokes?: string // a ground as `formatGround` writes it
  steps?: number
  size?: number
  seed?: number
}

export const paintRoute: Form<PaintRoute> = {
  read: ({ value, rest }) =>
    lean({
      atlas: value,
      brush: mixture(rest['brush']),
      strokes: rest['strokes'] || undefined,
      steps: whole(rest['steps']),
      size: whole(rest['size']),
      seed: whole(rest['seed']),
    }),
  write: ({ atlas, brush, strokes, steps, size, seed }) =>
    page('paint', atlas, { brush: brush && formatCells(brush), strokes: strokes || undefined, steps, size, seed }),
}

export interface QueryRoute {
  atlas: string
  cells?: Weighted[]
  limit?: number
}

export const queryRoute: Form<QueryRoute> = {
  read: ({ value, rest }) => lean({ atlas: value, cells: mixture(rest['cells']), limit: whole(rest['limit']) }),
  write: ({ atlas, cells, limit }) => page('query', atlas, { cells: cells?.length ? formatCells(cells) : undefined, limit }),
}

function page(key: string, value: string, parts: Record<string, string | number | undefined>): PageRoute {
  const said = Object.entries(parts).filter(([, part]) => part !== undefined)
  return { room: 'page', key, value, rest: Object.fromEntries(said.map(([name, part]) => [name, String(part)])) }
}

function viewParts(view: View | undefined): Record<string, number> {
  if (!view) return {}
  const digits = 4 + Math.max(0, Math.ceil(Math.log10(view.zoom)))
  const [x, y] = [view.x, view.y].map((value) => Number(value.toFixed(digits))) as [number, number]
  return { x, y, zoom: Number(view.zoom.toFixed(3)) }
}

function viewOf(rest: Record<string, string>): View | undefined {
  const [x, y, zoom] = ['x', 'y', 'zoom'].map((key) => number(rest[key]))
  return x !== undefined && y !== undefined && zoom !== undefined && zoom > 0 ? { x, y, zoom } : undefined
}

function minusOf(rest: Record<string, string>): true | undefined {
  return rest['sign'] === 'minus' || undefined
}

function number(text: string | undefined): number | undefined {
  const value = text === undefined || text.trim() === '' ? NaN : Number(text)
  return Number.isFinite(value) ? value : undefined
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}

function spot(text: string | undefined): Spot | undefined {
  const match = /^(\d{1,5})\.(\d{1,5})$/.exec(text ?? '')
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

function mixture(text: string | undefined): Weighted[] | undefined {
  const cells = parseCells(text ?? '')
  return cells.length > 0 ? cells : undefined
}

function lean<T extends object>(route: T): T {
  return Object.fromEntries(Object.entries(route).filter(([, value]) => value !== undefined)) as T
}
