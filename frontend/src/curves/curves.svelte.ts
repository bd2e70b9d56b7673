import { DATA, type Catalog } from '../catalog'
import { addressOf, fetchJson, messageOf } from '../resource'
import { readFound, type Found } from './record'

/** What a search for curve detectors found in the study, once it is loaded. */
export class Curves {
  catalog: Catalog | null = null
  found = $state.raw<Found | null>(null)
  failure = $state<string | null>(null)

  private loading: Promise<void> | null = null

  /** Load it. A failure is not kept, so that it can be tried again. */
  load(): Promise<void> {
    const entry = this.catalog?.curves
    if (!entry) return Promise.resolve()
    this.failure = null
    this.loading ??= this.fetch(DATA + addressOf(entry.url))
    return this.loading
  }

  private async fetch(url: string): Promise<void> {
    try {
      this.found = readFound(url, await fetchJson(url))
    } catch (error) {
      this.failure = messageOf(error)
      this.loading = null
    }
  }
}
