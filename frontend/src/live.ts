import { fields, list, number, numbers, text, whole, type Fields } from './fields'
import { ResourceError } from './resource'

// What a server with a network at hand draws and answers on demand: paintings, patches tried out, queries.

/** A layer whose activations can be painted: an atlas to dip the brush in, and how many positions its map has. */
export interface Paintable {
  atlas: string
  layer: string
  rows: number
  columns: number
}

/** What the server does on demand. */
export interface Offer {
  network: string
  paint: Paintable[]
  patches: string[]
  images: number
  query: boolean
  most: { steps: number; size: number }
}

/** A cell of an atlas's level and how much of it; below 0, to lead away from it. */
export interface Weighted {
  grid: number
  row: number
  column: number
  weight: number
}

export interface Stroke {
  row: number
  column: number
  cells: Weighted[]
}

export const STATES = ['waiting', 'running', 'done', 'failed', 'cancelled'] as const
export type State = (typeof STATES)[number]

/** How far a painting is; `top` are names of classes with their probability. */
export interface Progress {
  state: State
  done: number
  total: number
  picture: boolean
  top: [name: string, probability: number][]
  detail: string
}

export interface Image {
  index: number
  name: string
}

/** An image that a query found, and the part of it that the activation saw, in shares of its sides. */
export interface Hit extends Image {
  score: number
  box: [left: number, top: number, right: number, bottom: number] | null
}

export type Outcome = [name: string, logit: number, probability: number]

export interface Trial {
  before: Outcome[]
  after: Outcome[]
  picture: string // an address of this page's own, to be given back with `URL.revokeObjectURL`
}

const LIVE = 'live'
const MOST = { steps: 512, size: 320 }
const FORMAT = 1

export async function loadOffer(): Promise<Offer> {
  return read(LIVE, await asked(LIVE), (record) => {
    if (typeof record['format'] === 'number' && record['format'] > FORMAT) {
      throw new ResourceError(`${LIVE} comes from a newer version of Pellucid than this page.`)
    }
    const limits = (record['limits'] ?? {}) as Partial<typeof MOST>
    return {
      network: text(record['network']),
      paint: list(record['paint']).map(fields).map((place) => ({
        atlas: text(place['atlas']),
        layer: text(place['layer']),
        rows: whole(place['rows']),
        columns: whole(place['columns']),
      })),
      patches: list(record['patches']).map(text),
      images: whole(record['images']),
      query: record['query'] === true,
      most: { ...MOST, ...limits },
    }
  })
}

/** Ask for a painting, and get the name of the work on it. */
export async function startPainting(painting: {
  atlas: string
  strokes: Stroke[]
  steps: number
  size: number
  seed: number
}): Promise<string> {
  const url = `${LIVE}/paint`
  return read(url, await asked(url, painting), (record) => String(record['job']))
}

export async function loadProgress(job: string): Promise<Progress> {
  const url = jobUrl(job)
  return read(url, await asked(url), (record) => {
    const state = STATES.find((name) => name === record['state'])
    if (!state) throw new TypeError('no state')
    return {
      state,
      done: number(record['done']),
      total: number(record['total']),
      picture: record['picture'] === true,
      top: list(record['top'] ?? []).map((row) => pair(list(row))),
      detail: typeof record['detail'] === 'string' ? record['detail'] : '',
    }
  })
}

/** Where the picture of a work is; another one for each step, so that no old one is shown. */
export function pictureUrl(job: string, done: number): string {
  return `${jobUrl(job)}/picture.png?step=${done}`
}

export async function cancelJob(job: string): Promise<void> {
  await asked(`${jobUrl(job)}/cancel`, {})
}

export async function tryPatch(trial: { image: number; patch: string; size: number; corner: number }): Promise<Trial> {
  const url = `${LIVE}/patch`
  return read(url, await asked(url, trial), (record) => ({
    before: list(record['before']).map(outcome),
    after: list(record['after']).map(outcome),
    picture: pictureOf(text(record['picture'])),
  }))
}

export async function findImages(find: string, limit: number): Promise<Image[]> {
  const url = `${LIVE}/images?${new URLSearchParams({ find, limit: String(limit) })}`
  return read(url, await asked(url), (record) => list(record['images']).map(fields).map(imageOf))
}

export function thumbnailUrl(index: number): string {
  return `${LIVE}/images/${index}.jpg`
}

export async function queryImages(query: { atlas: string; cells: Weighted[]; limit: number }): Promise<Hit[]> {
  const url = `${LIVE}/query`
  return read(url, await asked(url, query), (record) =>
    list(record['images'])
      .map(fields)
      .map((image) => ({
        ...imageOf(image),
        score: number(image['score']),
        box: Array.isArray(image['box']) ? (numbers(image['box'], 4) as Hit['box']) : null,
      })),
  )
}

function jobUrl(job: string): string {
  return `${LIVE}/jobs/${encodeURIComponent(job)}`
}

function imageOf(record: Fields): Image {
  return { index: whole(record['index']), name: text(record['name']) }
}

function pair(row: unknown[]): [string, number] {
  return [text(row[0]), number(row[1])]
}

function outcome(row: unknown): Outcome {
  const [name, logit, probability] = list(row)
  return [text(name), number(logit), number(probability)]
}

/** The page's content security policy forbids `data:`, so a picture that came as text becomes a file in memory. */
function pictureOf(base64: string): string {
  const bytes = Uint8Array.from(atob(base64.replace(/^data:[^,]*,/, '')), (sign) => sign.charCodeAt(0))
  return URL.createObjectURL(new Blob([bytes], { type: 'image/png' }))
}

async function asked(url: string, body?: unknown): Promise<unknown> {
  let response: Response
  try {
    const posted = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    response = await fetch(url, body === undefined ? { cache: 'no-store' } : posted)
  } catch {
    throw new ResourceError('The server does not answer. Is it still running?')
  }
  const content: unknown = await response.json().catch(() => null)
  if (response.ok) return content
  const detail = (content as { detail?: unknown } | null)?.detail
  throw new ResourceError(typeof detail === 'string' ? sentence(detail) : `The server answered ${response.status} to ${url}.`)
}

/** What the server says of an error, as a sentence of the page. */
function sentence(detail: string): string {
  const said = detail.charAt(0).toUpperCase() + detail.slice(1)
  return /[.!?…]$/.test(said) ? said : `${said}.`
}

function read<T>(url: string, content: unknown, how: (record: Fields) => T): T {
  try {
    return how(fields(content))
  } catch (error) {
    if (error instanceof ResourceError) throw error
    throw new ResourceError(`The server’s answer to ${url} is not what it should be.`)
  }
}
