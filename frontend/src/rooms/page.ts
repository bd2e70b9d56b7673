import { DATA, type Catalog } from '../catalog'
import { fields, list, number, reading, text, whole, type Fields } from '../fields'
import { addressOf, fetchJson, folderOf, ResourceError } from '../resource'

const FORMAT = 1

/** The kinds of pages that a study may hold, and the commands that make them. */
export const KINDS = {
  image: { name: 'Image', command: 'image' },
  patch: { name: 'Patches', command: 'patch' },
  histogram: { name: 'Histogram', command: 'histogram' },
  networks: { name: 'Two networks', command: 'networks' },
} as const
export type Kind = keyof typeof KINDS

/** A result that is a page of its own, with the folder that its pictures lie in. */
export interface Page<T> {
  kind: Kind
  name: string
  title: string
  folder: string
  content: T
}

export async function loadPage<T>(catalog: Catalog, kind: Kind, name: string, read: (content: Fields) => T): Promise<Page<T>> {
  const entry = catalog.pages.find((page) => page.kind === kind && page.name === name)
  if (!entry) throw new ResourceError(`The study has no page “${name}” of this kind. “pellucid atlas ${KINDS[kind].command}” makes such pages.`)
  const url = DATA + addressOf(entry.url)
  return reading(url, await fetchJson(url), FORMAT, 'the page that it should be', (record) => ({
    kind,
    name,
    title: text(record['title']) || name,
    folder: folderOf(url),
    content: read(fields(record['content'])),
  }))
}

/** Where a file of a page is. */
export function fileUrl(page: { folder: string }, file: string): string {
  return page.folder + addressOf(file)
}

/** A class as a page says it: by its number in a list, or by its name. */
export function classNamed(classes: readonly string[], value: unknown): string {
  if (typeof value === 'string' && !/^\d+$/.test(value)) return value
  const index = whole(typeof value === 'string' ? Number(value) : value)
  return classes[index] ?? `class ${index}`
}

/** Pairs of a class and a number, such as its attribution. */
export function rated(value: unknown, classes: readonly string[]): { name: string; index: number | null; value: number }[] {
  return list(value).map((row) => {
    const [which, amount] = list(row)
    return { name: classNamed(classes, which), index: typeof which === 'number' ? which : null, value: number(amount) }
  })
}
export type Rated = ReturnType<typeof rated>[number]
