import { formatAddress, parseAddress, STRENGTH, type Address, type Weighing } from './address'
import { Atlas, type ClassValues, type Level } from './atlas.svelte'
import type { Catalog } from './catalog'
import { middle, samePlace, type Cell, type Direction, type Place } from './cells'
import { chooseGrid, standIn } from './levels'
import { shortName } from './names'
import { MOST_CORNERS, PATH_DIGITS } from './path'
import { opacityOf } from './opacity'
import { messageOf } from './resource'
import type { Shows } from './shows'
import { between, boundsOf, clamped, fitScale, HOME, project, scaleOf, zoomedAbout, type Frame, type Point, type View } from './view'

export const DENSITY = { least: 0.2, most: 8 }
const MOST_PITCH = 480 // CSS pixels: further in, an icon only gets blurred
const GLIDE = 260 // milliseconds

/** A cell that stands out for a reason of the page's own. */
export interface Mark {
  place: Place
  color?: string
  text?: string
}

/** What a map shows: the atlas, the part of it in view, and the cells pointed at. A page may have several. */
export class Viewer {
  catalog = $state.raw<Catalog | null>(null)
  atlas = $state.raw<Atlas | null>(null)
  failure = $state<string | null>(null)

  frame = $state.raw<Frame>({ width: 0, height: 0 })
  view = $state.raw<View>(HOME)
  gliding = $state(false)

  grid = $state<number | null>(null) // null: chosen by the zoom
  density = $state(1)
  labels = $state(true)
  find = $state('')
  shows = $state<Shows>('icons')
  weighing = $state.raw<Weighing | null>(null)

  path = $state.raw<readonly Point[]>([]) // its corners
  drawing = $state(false) // clicks add corners to the path

  hovered = $state.raw<Place | null>(null)
  selected = $state.raw<Place | null>(null)
  walking = $state(false) // arrow keys move from cell to cell
  echo = $state.raw<Place | null>(null) // what another map, on the same plane, points at
  marks = $state.raw<readonly Mark[]>([])

  /** Told of looks that the reader of this map takes, not of those that `mirror` sets. */
  onlook: ((view: View) => void) | null = null
  /** Asked before a click selects a cell; true: the click was for something else. */
  ontap: ((point: Point, place: Place | null) => boolean) | null = null

  readonly scale = $derived(scaleOf(this.view, this.frame))
  readonly mostZoom = $derived.by(() => {
    const finest = this.atlas?.levels.at(-1)?.grid ?? 1
    return Math.max(4, (finest * MOST_PITCH) / fitScale(this.frame))
  })
  readonly wanted = $derived.by((): Level | null => {
    if (!this.atlas || this.frame.width === 0) return null
    const grids = this.atlas.levels.map((level) => level.grid)
    return this.atlas.level(this.grid ?? chooseGrid(grids, this.scale))
  })
  /** The level that is drawn: the wanted one as soon as it is there. */
  readonly shown = $derived.by((): Level | null => {
    if (!this.atlas || !this.wanted) return null
    return standIn(this.atlas.levels, this.wanted, (level) => level.ready(this.shows))
  })
  readonly bounds = $derived(boundsOf(this.view, this.frame))
  readonly matches = $derived.by((): Set<number> | null => this.classesFound())
  /** The cell whose card is open: the one under the pointer, else the selected one. */
  readonly place = $derived(this.hovered ?? this.selected)

  /** What the cells of the drawn level say of the class that the map weighs them by, once it is there. */
  values = $state.raw<(ClassValues & { grid: number; index: number }) | null>(null)
  valuesFailure = $state<string | null>(null)
  /** Whether the atlas can weigh its cells by a class at all. */
  readonly weighable = $derived(this.atlas?.levels.some(({ record }) => record.classes) ?? false)

  private glide = 0
  private asked = 0

  /** Show an atlas of the study, from the address if it says how, else as it is now. */
  async show(name: string, address: Address = {}): Promise<void> {
    const entry = this.catalog?.atlases.find((candidate) => candidate.name === name)
    if (!entry) return
    const asked = ++this.asked
    try {
      if (this.atlas?.name !== name) {
        const atlas = await Atlas.load(entry)
        if (asked !== this.asked) return // another one was asked for since
        this.close()
        this.selected = this.hovered = this.echo = null
        this.values = null
        this.walking = this.drawing = false
        if (this.weighing && this.weighing.index >= atlas.record.classes.length) this.weighing = null
        if (this.shows === 'points' && !atlas.record.points) this.shows = 'icons'
        if (this.grid !== null && !atlas.level(this.grid)) this.grid = null
        this.atlas = atlas
      }
      this.follow(address)
      this.failure = null
    } catch (error) {
      if (asked === this.asked) this.failure = messageOf(error)
    }
  }

  /** Let go of the atlas's pictures. */
  close(): void {
    this.atlas?.close()
  }

  /** Take over what an address says; the rest stays as it is. */
  follow(address: Address): void {
    const { atlas } = this
    if (!atlas) return
    if (address.view) this.look(address.view)
    if (address.density !== undefined) this.density = Math.min(DENSITY.most, Math.max(DENSITY.least, address.density))
    if (address.labels !== undefined) this.labels = address.labels
    if (address.find !== undefined) this.find = address.find
    if (address.weighing) this.weigh(address.weighing)
    if (address.shows) this.showAs(address.shows)
    if (address.path) this.path = address.path
    if (address.grid !== undefined && atlas.level(address.grid)) this.grid = address.grid
    if (address.cell && atlas.level(address.cell.grid)) this.selected = address.cell
  }

  /**
   * Go where a hash leads. It is a whole address: what it leaves out goes back to its default, and without an atlas that
   * the study has, the present one stays, at first the first.
   */
  async visit(hash: string): Promise<void> {
    const address = parseAddress(hash)
    const atlases = this.catalog?.atlases ?? []
    const named = atlases.find(({ name }) => name === address.atlas)
    this.grid = null
    this.density = 1
    this.labels = true
    this.find = ''
    this.weighing = null
    this.shows = 'icons'
    this.path = []
    this.drawing = false
    this.selected = null
    const name = named?.name ?? this.atlas?.name ?? atlases[0]?.name
    if (name) await this.show(name, { view: HOME, ...address })
  }

  get address(): string {
    return formatAddress({
      atlas: this.atlas?.name,
      view: this.view,
      grid: this.grid ?? undefined,
      cell: this.selected ?? undefined,
      density: this.density,
      labels: this.labels,
      find: this.find,
      weighing: this.weighing ?? undefined,
      shows: this.shows,
      path: [...this.path],
    })
  }

  look(view: View): void {
    this.mirror(view)
    this.onlook?.(this.view)
  }

  /** Take over the view of another map. */
  mirror(view: View): void {
    cancelAnimationFrame(this.glide)
    this.gliding = false
    // Before the page is laid out nothing is known of how far one may zoom.
    this.view = this.frame.width === 0 ? view : clamped(view, this.mostZoom)
  }

  /** Show icons, patches of photographs or points, where the atlas has them. */
  showAs(shows: Shows): void {
    if (shows !== 'points' || this.atlas?.record.points) this.shows = shows
  }

  /** Let the cells' opacity tell how much they speak for or against a class; null: show all alike. */
  weigh(weighing: Weighing | null): void {
    if (weighing && this.atlas && weighing.index >= this.atlas.record.classes.length) return
    const within = (strength: number) => Math.min(STRENGTH.most, Math.max(STRENGTH.least, strength))
    this.weighing = weighing && { ...weighing, strength: within(weighing.strength) }
  }

  /** Fetch what the drawn level's cells say of the class. */
  async fetchValues(level: Level, index: number): Promise<void> {
    if (this.values?.grid === level.grid && this.values.index === index) return
    const { atlas } = this
    try {
      const values = await level.classValues(index)
      if (this.atlas !== atlas || this.shown !== level || this.weighing?.index !== index) return
      this.values = values && { ...values, grid: level.grid, index }
      this.valuesFailure = values ? null : `Grid ${level.grid} does not say what its cells mean to each class.`
    } catch (error) {
      if (this.atlas !== atlas) return
      this.values = null
      this.valuesFailure = messageOf(error)
    }
  }

  /** How opaque the class makes a cell of the drawn level, from 0 to 1; null: nothing is known of it. */
  weight(cell: number): number | null {
    const { values, weighing } = this
    if (!weighing || !values || values.grid !== this.shown?.grid || values.index !== weighing.index) return null
    return opacityOf(values.values[cell] ?? 0, values.largest, weighing)
  }

  /** Add a corner to the path. */
  draw(point: Point): void {
    const on = (value: number) => Number(Math.min(1, Math.max(0, value)).toFixed(PATH_DIGITS)) // as an address says it
    if (this.path.length < MOST_CORNERS) this.path = [...this.path, { x: on(point.x), y: on(point.y) }]
  }

  resize(frame: Frame): void {
    const shrunk = this.frame.height > frame.height || this.frame.width > frame.width
    this.frame = frame
    if (frame.width === 0) return
    this.view = clamped(this.view, this.mostZoom)
    // A card that docks below the map must not push its own cell out of sight.
    if (shrunk && this.selected) this.reveal(this.selected)
  }

  glideTo(target: View): void {
    const from = this.view
    const to = clamped(target, this.mostZoom)
    cancelAnimationFrame(this.glide)
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return this.look(to)
    const start = performance.now()
    const step = (now: number) => {
      const t = Math.min(1, Math.max(0, (now - start) / GLIDE))
      this.view = t === 1 ? to : between(from, to, 1 - (1 - t) ** 3)
      this.onlook?.(this.view)
      this.gliding = t < 1
      if (t < 1) this.glide = requestAnimationFrame(step)
    }
    this.gliding = true
    this.glide = requestAnimationFrame(step)
  }

  zoomBy(factor: number): void {
    const anchor = this.walking && this.selected ? middle(this.selected) : this.view
    const within = Math.min(this.mostZoom, Math.max(1, this.view.zoom * factor)) / this.view.zoom
    this.glideTo(zoomedAbout(this.view, anchor, within))
  }

  panBy(dx: number, dy: number): void {
    this.glideTo({ ...this.view, x: this.view.x + dx / this.scale, y: this.view.y + dy / this.scale })
  }

  home(): void {
    this.glideTo(HOME)
  }

  /** The place of the drawn level's cell under a point of the map, if there is one. */
  placeUnder(point: Point): Place | null {
    const cells = this.shown?.content?.cells
    const index = cells?.under(point.x, point.y) ?? null
    return cells && index !== null ? cells.place(index) : null
  }

  hover(place: Place | null): void {
    if (!samePlace(place, this.hovered)) this.hovered = place
  }

  select(place: Place | null): void {
    this.selected = place
    if (!place) this.walking = false
  }

  /** Give the arrow keys to the cells, beginning at the selected one or at the middle of the window. */
  walk(): void {
    const cells = this.shown?.content?.cells
    const start = this.selected ? middle(this.selected) : this.view
    const index = cells?.nearest(start.x, start.y) ?? null
    if (!cells || index === null) return
    this.walking = true
    this.selected = cells.place(index)
    this.reveal(this.selected)
  }

  step(direction: Direction): void {
    const cells = this.shown?.content?.cells
    if (!cells || !this.walking || !this.selected) return this.walk()
    const index = cells.step(this.selected, direction)
    if (index === null) return
    this.selected = cells.place(index)
    this.reveal(this.selected)
  }

  /** Move the map just so far that a cell lies in the window. */
  reveal(place: Place): void {
    const half = this.scale / place.grid / 2
    const at = project(this.view, this.frame, middle(place))
    const inset = half + 24
    const dx = Math.min(0, at.x - inset) + Math.max(0, at.x + inset - this.frame.width)
    const dy = Math.min(0, at.y - inset) + Math.max(0, at.y + inset - this.frame.height)
    if (dx !== 0 || dy !== 0) this.panBy(dx, dy)
  }

  /** The cell of a place, once its level is there. */
  cellAt(place: Place): Cell | null {
    const cells = this.atlas?.level(place.grid)?.content?.cells
    const index = cells?.at(place.row, place.column) ?? null
    return index === null ? null : (cells?.list[index] ?? null)
  }

  labelOf(cell: Cell): string {
    const first = cell.labels[0]
    return first && this.atlas ? shortName(this.atlas.className(first[0])) : ''
  }

  found(cell: Cell): boolean {
    return !this.matches || cell.labels.some(([label]) => this.matches!.has(label))
  }

  private classesFound(): Set<number> | null {
    const words = this.find.trim().toLowerCase()
    if (!words || !this.atlas) return null
    const found = new Set<number>()
    this.atlas.record.classes.forEach((name, index) => {
      if (name.toLowerCase().includes(words)) found.add(index)
    })
    return found
  }
}
