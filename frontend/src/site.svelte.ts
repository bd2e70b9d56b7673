import { loadCatalog, type Catalog } from './catalog'
import { Curves } from './curves/curves.svelte'
import { messageOf } from './resource'
import { roomOf } from './rooms'
import { formatRoute, parseRoute, type OwnRoute, type Route } from './route'
import { Units } from './units/units.svelte'
import { Viewer } from './viewer.svelte'

const REST = 150 // milliseconds

/** The study, which of its rooms is shown, and the address that says so. */
export class Site {
  catalog = $state.raw<Catalog | null>(null)
  failure = $state<string | null>(null)
  route = $state.raw<Route>({ room: 'atlas' })
  /** What a room of `rooms.ts` shows, for the title of the window; the room says it once it knows. */
  said = $state('')

  readonly viewer = new Viewer()
  readonly units = new Units()
  readonly curves = new Curves()

  private hash = '' // as this page wrote or followed it last
  private atlasHash = ''

  async open(hash: string): Promise<void> {
    try {
      const catalog = await loadCatalog()
      this.viewer.catalog = this.units.catalog = this.curves.catalog = catalog
      this.catalog = catalog
      this.follow(hash)
    } catch (error) {
      this.failure = messageOf(error)
    }
  }

  /** Go where a changed hash leads, unless this page changed it. */
  visit(hash: string): void {
    if (this.catalog && hash !== this.hash) this.follow(hash)
  }

  /** Change what a room shows; the address follows. */
  turn(route: OwnRoute): void {
    this.route = route
  }

  get address(): string {
    return this.route.room === 'atlas' ? this.viewer.address : formatRoute(this.route)
  }

  /**
   * Write the address when things have come to rest, since browsers limit how often a page may. Returns how to take
   * that back.
   */
  write(address: string): () => void {
    const timer = setTimeout(() => {
      // The reader has gone elsewhere, and the page is about to hear of it.
      if (location.hash !== this.hash) return
      if (this.route.room === 'atlas') this.atlasHash = address
      if (location.hash !== address) history.replaceState(null, '', address)
      this.hash = location.hash
    }, REST)
    return () => clearTimeout(timer)
  }

  /** Where the atlas is: as it was left, or that of a layer. */
  atlasAddress(layer: string | null): string {
    const entry = this.catalog?.atlases.find((atlas) => atlas.layer === layer && atlas.kind === 'layer')
    if (entry && entry.layer !== this.viewer.atlas?.record.layer) return `#atlas=${encodeURIComponent(entry.name)}`
    return this.atlasHash || '#'
  }

  /** Where the units are: those of a layer if it has any, else of the first that has. */
  unitsAddress(layer: string | null): string {
    const entries = this.catalog?.units ?? []
    const entry = entries.find((candidate) => candidate.layer === layer) ?? entries[0]
    return entry ? formatRoute({ room: 'layer', layer: entry.layer }) : '#'
  }

  /** Where labels are given: to images of a unit of the layer if there are any, else of the first unit that has some. */
  labelAddress(layer: string | null): string {
    const entries = this.catalog?.labels ?? []
    const entry = entries.find((candidate) => candidate.layer === layer) ?? entries[0]
    return entry ? formatRoute({ room: 'label', layer: entry.layer, unit: entry.unit }) : '#'
  }

  private follow(hash: string): void {
    const { atlases, units, labels, curves, pages } = this.catalog!
    this.hash = hash
    this.said = ''
    const route = parseRoute(hash)
    if (route.room === 'atlas' && atlases.length === 0 && units[0]) {
      this.route = { room: 'layer', layer: units[0].layer }
      return
    }
    if (route.room === 'atlas' && atlases.length === 0 && labels[0]) {
      this.route = { room: 'label', layer: labels[0].layer, unit: labels[0].unit }
      return
    }
    if (route.room === 'atlas' && atlases.length === 0 && curves) {
      this.route = { room: 'curves' }
      return
    }
    const page = pages.find(({ kind }) => roomOf(kind))
    if (route.room === 'atlas' && atlases.length === 0 && page) {
      this.route = { room: 'page', key: page.kind, value: page.name, rest: {} }
      return
    }
    this.route = route
    if (route.room === 'atlas') void this.viewer.visit(hash)
  }
}
