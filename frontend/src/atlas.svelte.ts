import { DATA, KINDS, type AtlasEntry, type Kind } from './catalog'
import { cardsOf, type CardRecord } from './cards'
import { Cells, type Cell } from './cells'
import { fileOf, type ChunkRecord } from './chunks'
import { picturesOf, type Pictures } from './pictures.svelte'
import { Pool } from './pool'
import { addressOf, fetchBytes, fetchJson, folderOf, messageOf, refuseNewer, ResourceError } from './resource'
import type { SheetRecord } from './sheet'
import type { Shows } from './shows'

interface LevelRecord {
  grid: number
  cells: number
  table: string
  icons: SheetRecord
  patches: SheetRecord
  classes?: ChunkRecord | null
  cards?: ChunkRecord | null
}

interface PointsRecord {
  file: string
  count: number
}

export interface AtlasRecord {
  format: number
  network: string
  layer: string
  samples: number
  images: number
  classes: string[]
  levels: LevelRecord[]
  kind: Kind
  title: string
  about: Record<string, unknown>
  aligned: string
  points: PointsRecord | null
}

const FORMAT = 2
const PIXELS = 48e6 // of all tiled pictures that are kept: some 200 MB
const CHUNKS = 4 // files of attributions that a level keeps

/** What must be there before a level can be drawn. */
export interface LevelContent {
  cells: Cells
  icons: Pictures
  patches: Pictures
  largest: number // attribution value of the level: one scale for the bars of all its cells
}

/** The mean attributions of one class to all cells of a level. */
export interface ClassValues {
  values: Float32Array
  largest: number // absolute value
}

/** One zoom level; its table and pictures are fetched when it is first wanted. */
export class Level {
  content = $state.raw<LevelContent | null>(null)
  failure = $state<string | null>(null)
  readonly icons: Pictures
  readonly patches: Pictures
  private loading: Promise<void> | null = null
  private readonly attributions = new Map<string, Promise<ArrayBuffer>>()
  private readonly cards = new Map<string, Promise<CardRecord[]>>()

  constructor(
    private readonly folder: string,
    readonly record: LevelRecord,
    pool: Pool,
  ) {
    this.icons = picturesOf(folder, record.icons, pool)
    this.patches = picturesOf(folder, record.patches, pool)
  }

  get grid(): number {
    return this.record.grid
  }

  /** What stands for the cells; points need no pictures. */
  pictures(shows: Shows): Pictures | null {
    return shows === 'points' ? null : this[shows]
  }

  /** Whether it can be drawn. */
  ready(shows: Shows): boolean {
    return this.content !== null && (this.pictures(shows)?.ready ?? true)
  }

  /** Whether it cannot be drawn, as far as is known. */
  failed(shows: Shows): boolean {
    return this.failure !== null || (this.pictures(shows)?.failure ?? null) !== null
  }

  load(): Promise<void> {
    this.loading ??= this.fetchTable().catch((error: unknown) => {
      this.failure = messageOf(error)
    })
    return this.loading
  }

  retry(): Promise<void> {
    this.failure = null
    this.loading = null
    return this.load()
  }

  /** What the cells say of a class; null where the atlas does not hold that. */
  async classValues(index: number): Promise<ClassValues | null> {
    const { classes } = this.record
    if (!classes || index >= classes.count) return null
    await this.load()
    if (!this.content) return null
    const url = this.folder + addressOf(fileOf(classes, index))
    const cells = this.content.cells.list.length
    const bytes = await keeping(this.attributions, url, CHUNKS, fetchBytes)
    const inFile = Math.min(classes.per_file, classes.count - index + (index % classes.per_file))
    if (bytes.byteLength !== 4 * cells * inFile) throw new ResourceError(`${url} is damaged: it is not as long as it should be.`)
    const values = new Float32Array(bytes, 4 * cells * (index % classes.per_file), cells)
    return { values, largest: values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) }
  }

  /** What there is to say of a cell beyond the table; null where the atlas does not hold that. */
  async card(index: number): Promise<CardRecord | null> {
    const { cards } = this.record
    if (!cards || index >= cards.count) return null
    const url = this.folder + addressOf(fileOf(cards, index))
    const list = await keeping(this.cards, url, CHUNKS, cardsOf)
    return list[index % cards.per_file] ?? null
  }

  private async fetchTable(): Promise<void> {
    const url = this.folder + addressOf(this.record.table)
    const table = await fetchJson<{ grid: number; cells: Cell[] }>(url)
    undamaged(url, 'a table of cells', () => {
      let largest = 0
      for (const { labels } of table.cells) for (const [, value] of labels) largest = Math.max(largest, Math.abs(value))
      const cells = new Cells(table.grid, table.cells)
      this.icons.arrange(cells)
      this.patches.arrange(cells)
      this.content = { cells, icons: this.icons, patches: this.patches, largest }
    })
  }
}

/** Do something with what was read; what is not as it should be makes an error that names the file. */
function undamaged<T>(url: string, what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof TypeError) throw new ResourceError(`${url} is damaged: it is not ${what}.`)
    throw error
  }
}

/** Fetch something once, and keep the latest few. */
function keeping<T>(kept: Map<string, Promise<T>>, url: string, most: number, fetch: (url: string) => Promise<T>): Promise<T> {
  const known = kept.get(url)
  if (known) return known
  const fetching = fetch(url)
  kept.set(url, fetching)
  fetching.catch(() => kept.delete(url))
  const [oldest] = kept.keys()
  if (kept.size > most && oldest !== undefined) kept.delete(oldest)
  return fetching
}

/** An atlas: what it shows, and its levels from coarse to fine. */
export class Atlas {
  /** The places of single activations, once somebody asked for them: x and y of each, from 0 to 1. */
  points = $state.raw<Float32Array | null>(null)
  pointsFailure = $state<string | null>(null)
  private loadingPoints: Promise<void> | null = null

  private constructor(
    readonly name: string,
    readonly record: AtlasRecord,
    readonly levels: readonly Level[],
    private readonly folder: string,
    readonly pool: Pool,
  ) {}

  static async load(entry: AtlasEntry): Promise<Atlas> {
    const url = DATA + addressOf(entry.url)
    const content = await fetchJson<Partial<AtlasRecord> | null>(url)
    refuseNewer(url, content?.format, FORMAT)
    if (!content || !Array.isArray(content.levels) || content.levels.length === 0) {
      throw new ResourceError(`${url} has no levels to show; build the atlas again.`)
    }
    if (!Array.isArray(content.classes)) throw new ResourceError(`${url} is damaged: it is not the record of an atlas.`)
    const kind = KINDS.find((candidate) => candidate === content.kind) ?? 'layer'
    // Atlases of earlier versions say less.
    const record = { title: '', about: {}, aligned: '', points: null, ...content, kind } as AtlasRecord
    const folder = folderOf(url)
    const pool = new Pool(PIXELS)
    const levels = undamaged(url, 'the record of an atlas', () =>
      record.levels.map((level) => new Level(folder, level, pool)).sort((a, b) => a.grid - b.grid),
    )
    return new Atlas(entry.name, record, levels, folder, pool)
  }

  level(grid: number): Level | null {
    return this.levels.find((level) => level.grid === grid) ?? null
  }

  className(index: number): string {
    return this.record.classes[index] ?? `class ${index}`
  }

  loadPoints(): Promise<void> {
    this.loadingPoints ??= this.fetchPoints().catch((error: unknown) => {
      this.loadingPoints = null
      this.pointsFailure = messageOf(error)
    })
    return this.loadingPoints
  }

  private async fetchPoints(): Promise<void> {
    const { points } = this.record
    if (!points) return
    this.pointsFailure = null
    const url = this.folder + addressOf(points.file)
    const bytes = await fetchBytes(url)
    if (bytes.byteLength !== 4 * points.count) throw new ResourceError(`${url} is damaged: it is not as long as it should be.`)
    this.points = Float32Array.from(new Uint16Array(bytes), (value) => value / 65535)
  }

  /** Let go of its pictures. */
  close(): void {
    this.pool.close()
  }
}
