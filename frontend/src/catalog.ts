import { fetchJson, ResourceError } from './resource'

/** What an atlas lays out: a layer, what matters to one class, two classes against each other, another network's layer. */
export const KINDS = ['layer', 'class', 'comparison', 'network'] as const
export type Kind = (typeof KINDS)[number]

export interface AtlasEntry {
  name: string
  layer: string
  url: string
  network: string
  kind: Kind
  title: string // empty: the layer says it
  about: Record<string, unknown>
  aligned: string // atlases that say the same share a plane
}

/** A result with a page of its own. */
export interface PageEntry {
  kind: string
  name: string
  title: string
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
  pages: PageEntry[]
  live: boolean // whether somebody draws pictures on demand
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
  const { units = [], galleries = [], labels = [], curves = null, pages = [], live = false } = catalog
  const atlases = catalog.atlases.map((entry) => atlasEntry(entry, catalog.study!.network))
  return { ...(catalog as Catalog), atlases, units, galleries, labels, curves, pages, live }
}

function atlasEntry(entry: Partial<AtlasEntry>, network: string): AtlasEntry {
  const bare = { name: '', layer: '', url: '', network, title: '', about: {}, aligned: '', ...entry }
  return { ...bare, kind: KINDS.find((kind) => kind === entry.kind) ?? 'layer' }
}

/** What to call an atlas. */
export function atlasTitle({ title, layer }: Pick<AtlasEntry, 'title' | 'layer'>): string {
  return title || layer
}
