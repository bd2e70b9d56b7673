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

/** Pictures of what a unit sees, to be labelled; only a server that keeps the answers has any. */
export interface LabelEntry {
  layer: string
  unit: number
  count: number
}

/** What a search for curve detectors found: units of each kind. */
export interface CurvesEntry {
  url: string
  layers: number
  mature: number
  proto: number
  line: number
  double: number
  families: number
}

/** What a study holds for people to see. */
export interface Catalog {
  format: number
  study: { name: string; network: string; images: number }
  atlases: AtlasEntry[]
  units: LayerEntry[]
  galleries: GalleryEntry[]
  labels: LabelEntry[]
  curves: CurvesEntry | null
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
  // Exports of earlier versions have less.
  const { units = [], galleries = [], labels = [], curves = null } = catalog
  return { ...(catalog as Catalog), units, galleries, labels, curves }
}
