import { written } from './address'
import { ROOMS } from './rooms'

/** How a list of units is sorted: by number, by highest value, or by the share of positions that fire. */
export const SORTS = ['number', 'max', 'fires'] as const
export type Sort = (typeof SORTS)[number]

/** Where a unit's activation is taken: before the rectifier that made its layer's output, or that output itself. */
export type Tap = 'pre' | 'post'

/** Names an example on the page of a unit: a row, or a column of the quilt as `quilt.COLUMN`, and a number in it. */
export interface Pick {
  row: string
  index: number
}

export interface AtlasRoute {
  room: 'atlas'
}

export interface LayerRoute {
  room: 'layer'
  layer: string
  sort?: Sort
  reversed?: boolean
  find?: string
}

export interface UnitRoute {
  room: 'unit'
  layer: string
  unit: number
  tap?: Tap
  pick?: Pick
}

/** The pictures of a unit, to be labelled by a rater, or by one who has not said their name yet. */
export interface LabelRoute {
  room: 'label'
  layer: string
  unit: number
  rater?: string
}

/** What a search for curve detectors found: all of it, or a family of a layer, counted from 1, and one unit of it. */
export interface CurvesRoute {
  room: 'curves'
  family?: { layer: string; number: number }
  unit?: number
}

/** A room of `rooms.ts`: its key, what the address says of it, and the address's other parameters. */
export interface PageRoute {
  room: 'page'
  key: string
  value: string
  rest: Record<string, string>
}

/** Which of the viewer's rooms an address leads to. That of the atlas reads the rest of its address itself. */
export type Route = AtlasRoute | LayerRoute | UnitRoute | LabelRoute | CurvesRoute | PageRoute

/** All rooms that write an address of their own. */
export type OwnRoute = Exclude<Route, AtlasRoute>

/** Read where an address leads; parts that make no sense are left out, as if they were absent. */
export function parseRoute(hash: string): Route {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''))
  const unit = parseUnit(parameters.get('unit') ?? '')
  if (unit) {
    const route: UnitRoute = { room: 'unit', ...unit }
    const tap = parameters.get('tap')
    if (tap === 'pre' || tap === 'post') route.tap = tap
    const pick = parsePick(parameters.get('example') ?? '')
    if (pick) route.pick = pick
    return route
  }
  const labelled = parseUnit(parameters.get('label') ?? '')
  if (labelled) {
    const rater = parameters.get('rater')
    return rater ? { room: 'label', ...labelled, rater } : { room: 'label', ...labelled }
  }
  const curves = parameters.get('curves')
  if (curves !== null) return parseCurves(curves, parameters.get('pick') ?? '')
  if (parameters.has('atlas')) return { room: 'atlas' }
  const room = ROOMS.find(({ key }) => parameters.has(key))
  if (room) {
    const { [room.key]: value = '', ...rest } = Object.fromEntries(parameters)
    return { room: 'page', key: room.key, value, rest }
  }
  const layer = parameters.get('layer')
  if (!layer) return { room: 'atlas' }
  const route: LayerRoute = { room: 'layer', layer }
  const sort = SORTS.find((name) => name === parameters.get('sort'))
  if (sort && sort !== 'number') route.sort = sort
  if (parameters.get('order') === 'reversed') route.reversed = true
  const find = parameters.get('find')
  if (find) route.find = find
  return route
}

export function formatRoute(route: OwnRoute): string {
  if (route.room === 'curves' && !route.family) return '#curves'
  if (route.room === 'page' && !route.value && Object.keys(route.rest).length === 0) return `#${route.key}`
  const parameters = new URLSearchParams()
  if (route.room === 'unit') {
    parameters.set('unit', `${route.layer}:${route.unit}`)
    if (route.tap) parameters.set('tap', route.tap)
    if (route.pick) parameters.set('example', `${route.pick.row}.${route.pick.index}`)
  } else if (route.room === 'label') {
    parameters.set('label', `${route.layer}:${route.unit}`)
    if (route.rater) parameters.set('rater', route.rater)
  } else if (route.room === 'page') {
    parameters.set(route.key, route.value)
    for (const [key, value] of Object.entries(route.rest)) parameters.set(key, value)
  } else if (route.room === 'curves') {
    parameters.set('curves', `${route.family!.layer}:${route.family!.number}`)
    if (route.unit !== undefined) parameters.set('pick', String(route.unit))
  } else {
    parameters.set('layer', route.layer)
    if (route.sort && route.sort !== 'number') parameters.set('sort', route.sort)
    if (route.reversed) parameters.set('order', 'reversed')
    if (route.find) parameters.set('find', route.find)
  }
  return written(parameters)
}

export function parseUnit(address: string): { layer: string; unit: number } | null {
  const match = /^([^/:@\s*+[\]]+):(\d{1,9})$/.exec(address)
  return match ? { layer: match[1]!, unit: Number(match[2]) } : null
}

function parseCurves(address: string, pick: string): CurvesRoute {
  const family = parseUnit(address)
  if (!family || family.unit === 0) return { room: 'curves' }
  const route: CurvesRoute = { room: 'curves', family: { layer: family.layer, number: family.unit } }
  if (/^\d{1,9}$/.test(pick)) route.unit = Number(pick)
  return route
}

function parsePick(text: string): Pick | null {
  const match = /^(.+)\.(\d{1,6})$/.exec(text)
  return match ? { row: match[1]!, index: Number(match[2]) } : null
}

export function samePick(a: Pick | null | undefined, b: Pick | null | undefined): boolean {
  return a === b || (!!a && !!b && a.row === b.row && a.index === b.index)
}
