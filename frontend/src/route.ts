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

/** Which of the viewer's rooms an address leads to. That of the atlas reads the rest of its address itself. */
export type Route = AtlasRoute | LayerRoute | UnitRoute

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

export function formatRoute(route: LayerRoute | UnitRoute): string {
  const parameters = new URLSearchParams()
  if (route.room === 'unit') {
    parameters.set('unit', `${route.layer}:${route.unit}`)
    if (route.tap) parameters.set('tap', route.tap)
    if (route.pick) parameters.set('example', `${route.pick.row}.${route.pick.index}`)
  } else {
    parameters.set('layer', route.layer)
    if (route.sort && route.sort !== 'number') parameters.set('sort', route.sort)
    if (route.reversed) parameters.set('order', 'reversed')
    if (route.find) parameters.set('find', route.find)
  }
  // A colon may stand as it is in a fragment, and so the address of a unit looks the same everywhere.
  return `#${String(parameters).replaceAll('%3A', ':')}`
}

export function parseUnit(address: string): { layer: string; unit: number } | null {
  const match = /^([^/:@\s*+[\]]+):(\d{1,9})$/.exec(address)
  return match ? { layer: match[1]!, unit: Number(match[2]) } : null
}

function parsePick(text: string): Pick | null {
  const match = /^(.+)\.(\d{1,6})$/.exec(text)
  return match ? { row: match[1]!, index: Number(match[2]) } : null
}

export function samePick(a: Pick | null | undefined, b: Pick | null | undefined): boolean {
  return a === b || (!!a && !!b && a.row === b.row && a.index === b.index)
}
