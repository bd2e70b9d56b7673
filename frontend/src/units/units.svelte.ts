import { DATA, type Catalog, type LayerEntry } from '../catalog'
import { addressOf, fetchJson, folderOf, ResourceError } from '../resource'
import { Galleries } from './galleries'
import { readLayer, readUnit, type LayerRecord, type UnitRecord } from './record'
import { Thumbnails } from './thumbnails'

/** A page of a unit with the folder that its sheets lie in. */
export interface UnitContent {
  record: UnitRecord
  folder: string
}

/** The pages of units of a study. Lists and galleries are kept; pages are read anew, and the browser keeps them. */
export class Units {
  catalog: Catalog | null = null
  galleries = $state.raw<Galleries | null>(null)
  /** The unit that was looked at last, to find it again in the list. */
  last: { layer: string; unit: number } | null = null

  readonly thumbnails = new Thumbnails(this)

  private readonly layers = new Map<string, Promise<LayerRecord>>()
  private loadingGalleries: Promise<void> | null = null

  entry(layer: string): LayerEntry | null {
    return this.catalog?.units.find((entry) => entry.layer === layer) ?? null
  }

  /** The list of a layer's units. A failure is not kept, so that it can be tried again. */
  list(layer: string): Promise<LayerRecord> {
    let loading = this.layers.get(layer)
    if (!loading) {
      loading = this.fetchList(layer)
      loading.catch(() => this.layers.delete(layer))
      this.layers.set(layer, loading)
    }
    return loading
  }

  async page(layer: string, unit: number): Promise<UnitContent> {
    const folder = folderOf(this.url(layer))
    const url = `${folder}${unit}.json`
    return { record: readUnit(url, await fetchJson(url)), folder }
  }

  loadGalleries(): Promise<void> {
    this.loadingGalleries ??= Galleries.load(this.catalog?.galleries ?? []).then((galleries) => {
      this.galleries = galleries
    })
    return this.loadingGalleries
  }

  private async fetchList(layer: string): Promise<LayerRecord> {
    const url = this.url(layer)
    return readLayer(url, await fetchJson(url))
  }

  private url(layer: string): string {
    const entry = this.entry(layer)
    if (!entry) throw new ResourceError(`The study has no pages of units of layer ${layer}.`)
    return DATA + addressOf(entry.url)
  }
}
