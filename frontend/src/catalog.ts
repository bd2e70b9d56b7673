import { fetchJson, ResourceError } from './resource'

export interface AtlasEntry {
  name: string
  layer: string
  url: string
}

/** The pages of a layer's units. */
export interface LayerEntry {
  layer: string
  url: string
  count: number
}

export interface GalleryEntry {
  name: string
  url: string
}

/** What a study holds for people to see. */
export interface Catalog {
  format: number
  study: { name: string; network: string; images: number }
  atlases: AtlasEntry[]
  units: LayerEntry[]
  galleries: GalleryEntry[]
}

export const DATA = 'data/'
const FORMAT = 1

export async function loadCatalog(): Promise<Catalog> {
  const catalog = await fetchJson<Partial<Catalog> | null>(`${DATA}catalog.json`)
  if (!catalog || !catalog.study || !Array.isArray(catalog.atlases)) {
    throw new ResourceError(`${DATA}catalog.json is not the catalog of a study.`)
  }
  if (Number(catalog.format) > FORMAT) {
    throw new ResourceError(`The study was written by a newer version of Pellucid than this page; export it again.`)
  }
  // Exports of earlier versions have neither units nor galleries.
  return { ...(catalog as Catalog), units: catalog.units ?? [], galleries: catalog.galleries ?? [] }
}
