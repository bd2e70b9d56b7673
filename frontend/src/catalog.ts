import { fetchJson, ResourceError } from './resource'

export interface AtlasEntry {
  name: string
  layer: string
  url: string
}

/** What a study holds for people to see. */
export interface Catalog {
  format: number
  study: { name: string; network: string; images: number }
  atlases: AtlasEntry[]
}

export const DATA = 'data/'
const FORMAT = 1

export async function loadCatalog(): Promise<Catalog> {
  const catalog = await fetchJson<Catalog>(`${DATA}catalog.json`)
  if (!Array.isArray(catalog.atlases)) throw new ResourceError(`${DATA}catalog.json is not the catalog of a study.`)
  if (catalog.format > FORMAT) {
    throw new ResourceError(`The study was written by a newer version of Pellucid than this page; export it again.`)
  }
  return catalog
}
