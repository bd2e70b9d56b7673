import { DATA, type AtlasEntry } from './catalog'
import { Cells, type Cell } from './cells'
import { fetchJson, folderOf, messageOf, refuseNewer, ResourceError } from './resource'
import { Sheet, type SheetRecord, type Tile } from './sheet'

interface LevelRecord {
  grid: number
  cells: number
  table: string
  icons: SheetRecord
  patches: SheetRecord
}

interface AtlasRecord {
  format: number
  network: string
  layer: string
  samples: number
  images: number
  classes: string[]
  levels: LevelRecord[]
}

const FORMAT = 1
// WebGL 2 promises only 2048, but every device that runs this page well takes 4096.
const TEXTURE_SIDE = 4096

/** What must be there before a level can be drawn. */
export interface LevelContent {
  cells: Cells
  icons: Sheet
  tiles: Tile[]
  largest: number // attribution value of the level: one scale for the bars of all its cells
}

/** One zoom level; its table and pictures are fetched when it is first wanted. */
export class Level {
  content = $state.raw<LevelContent | null>(null)
  patches = $state.raw<Sheet | null>(null)
  failure = $state<string | null>(null)
  private loading: Promise<void> | null = null
  private loadingPatches: Promise<void> | null = null

  constructor(
    private readonly folder: string,
    readonly record: LevelRecord,
  ) {}

  get grid(): number {
    return this.record.grid
  }

  load(): Promise<void> {
    this.loading ??= this.fetchContent().catch((error: unknown) => {
      this.failure = messageOf(error)
    })
    return this.loading
  }

  retry(): Promise<void> {
    this.failure = null
    this.loading = null
    return this.load()
  }

  /** Patches wait until a card asks for them. A card can do without them, so a failure stays silent. */
  loadPatches(): Promise<void> {
    this.loadingPatches ??= Sheet.load(this.folder, this.record.patches).then(
      (sheet) => void (this.patches = sheet),
      () => void (this.loadingPatches = null),
    )
    return this.loadingPatches
  }

  private async fetchContent(): Promise<void> {
    const [table, icons] = await Promise.all([
      fetchJson<{ grid: number; cells: Cell[] }>(this.folder + this.record.table),
      Sheet.load(this.folder, this.record.icons),
    ])
    const values = table.cells.flatMap((cell) => cell.labels.map(([, value]) => Math.abs(value)))
    const largest = values.reduce((most, value) => Math.max(most, value), 0)
    const tiles = await icons.tiles(table.cells.length, TEXTURE_SIDE)
    this.content = { cells: new Cells(table.grid, table.cells), icons, tiles, largest }
  }
}

/** An atlas: what it shows, and its levels from coarse to fine. */
export class Atlas {
  private constructor(
    readonly name: string,
    readonly record: AtlasRecord,
    readonly levels: readonly Level[],
  ) {}

  static async load(entry: AtlasEntry): Promise<Atlas> {
    const url = DATA + entry.url
    const record = await fetchJson<AtlasRecord>(url)
    refuseNewer(url, record.format, FORMAT)
    if (!Array.isArray(record.levels) || record.levels.length === 0) {
      throw new ResourceError(`${url} has no levels to show; build the atlas again.`)
    }
    const folder = folderOf(url)
    const levels = record.levels.map((level) => new Level(folder, level)).sort((a, b) => a.grid - b.grid)
    return new Atlas(entry.name, record, levels)
  }

  level(grid: number): Level | null {
    return this.levels.find((level) => level.grid === grid) ?? null
  }

  className(index: number): string {
    return this.record.classes[index] ?? `class ${index}`
  }
}
