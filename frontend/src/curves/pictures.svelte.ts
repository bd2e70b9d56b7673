import type { UnitPicture } from '../units/galleries'
import type { Units } from '../units/units.svelte'

type Pages = ReadonlyMap<number, boolean> // unit -> whether its page has examples

/** What the study shows of units: which have pages, which of these have examples, and rendered pictures. */
export class StudyPictures {
  private pages = $state.raw<ReadonlyMap<string, Pages>>(new Map())
  private readonly layers = new Map<string, LayerPictures>()

  constructor(readonly units: Units) {}

  /** The pictures of a layer, which are loaded when they are first asked for. */
  of(layer: string): LayerPictures {
    let pictures = this.layers.get(layer)
    if (!pictures) {
      pictures = new LayerPictures(this, layer)
      this.layers.set(layer, pictures)
      void this.load(layer)
    }
    return pictures
  }

  pagesOf(layer: string): Pages | null {
    return this.pages.get(layer) ?? null
  }

  /** Never fails: what cannot be read is missing here, and the unit's own page says why. */
  private async load(layer: string): Promise<void> {
    const list = this.units.entry(layer) ? this.units.list(layer).catch(() => null) : null
    const [record] = await Promise.all([list, this.units.loadGalleries()])
    const pages = new Map((record?.units ?? []).map(({ unit, pages }) => [unit, pages.includes('examples')]))
    this.pages = new Map([...this.pages, [layer, pages]])
  }
}

export class LayerPictures {
  constructor(
    private readonly study: StudyPictures,
    readonly layer: string,
  ) {}

  get ready(): boolean {
    return this.study.pagesOf(this.layer) !== null
  }

  rendered(unit: number): UnitPicture | null {
    return this.all(unit).find(({ silent, down }) => !silent && !down) ?? null
  }

  examples(unit: number): boolean {
    return this.study.pagesOf(this.layer)?.get(unit) ?? false
  }

  /** Whether the viewer has a page to lead to. */
  paged(unit: number): boolean {
    return this.all(unit).length > 0 || (this.study.pagesOf(this.layer)?.has(unit) ?? false)
  }

  private all(unit: number): UnitPicture[] {
    return this.study.units.galleries?.of(this.layer, unit) ?? []
  }
}
