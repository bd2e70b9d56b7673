import { ResourceError, addressOf, fetchJson, refuseNewer } from '../resource'

const FORMAT = 1

export interface Label {
  name: string
  rubric: string
}

/** A labelling task as raters see it: nothing in it tells how much the unit answers to an image. */
export interface Task {
  url: string
  layer: string
  unit: number
  labels: Label[]
  count: number
  size: number // of a picture, in pixels
  reference: boolean
  raters: { name: string; answered: number }[]
}

/** What one rater has said, in the order in which they said it, and the order in which they see the images. */
export interface Said {
  rater: string
  order: string[]
  answers: [image: string, label: string][]
}

/** Where the server has a task, seen from the page. */
export function taskUrl(layer: string, unit: number): string {
  return `labels/${encodeURIComponent(`${layer}:${unit}`)}`
}

export async function loadTask(layer: string, unit: number): Promise<Task> {
  const url = taskUrl(layer, unit)
  const content = await fetchJson<(Partial<Task> & { format?: unknown }) | null>(url)
  refuseNewer(url, content?.format, FORMAT)
  if (!content || !Array.isArray(content.labels) || !Array.isArray(content.raters) || typeof content.count !== 'number') {
    throw new ResourceError(`${url} is not a labelling task.`)
  }
  return { ...(content as Task), url }
}

export async function loadSaid(task: Task, rater: string): Promise<Said> {
  const url = `${task.url}/raters/${encodeURIComponent(rater)}`
  const content = await fetchJson<Partial<Said> | null>(url)
  if (!content || typeof content.rater !== 'string' || !Array.isArray(content.order) || !Array.isArray(content.answers)) {
    throw new ResourceError(`${url} does not say what ${rater} has labelled.`)
  }
  return content as Said
}

export function pictureUrl(task: Task, image: string): string {
  return `${task.url}/pictures/${addressOf(image)}`
}

/** A rater's name as the server keeps it, or null if it is none. */
export function raterName(text: string): string | null {
  const name = text.normalize('NFKC').toLowerCase().split(/\s+/).filter(Boolean).join(' ')
  return [...name].length <= 40 && /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._-]*[\p{L}\p{M}\p{N}])?$/u.test(name) ? name : null
}
