import { DATA, atlasTitle, type AtlasEntry } from '../catalog'
import { Cells, type Cell, type Place } from '../cells'
import { shortName } from '../names'
import { addressOf, fetchJson, fetchPicture, folderOf, refuseNewer, ResourceError } from '../resource'

interface SheetRecord {
  file: string
  size: number
  columns: number
  tile?: number
}

interface ChunkRecord {
  file: string
  per_file: number
  count: number
}

interface LevelRecord {
  grid: number
  cells: number
  table: string
  icons: SheetRecord
  classes?: ChunkRecord | null
}

interface AtlasRecord {
  format: number
  layer: string
  network: string
  title?: string
  classes: string[]
  levels: LevelRecord[]
}

const FORMAT = 2
const MOST_CELLS = 1600
const PITCH = 26 // CSS pixels

/** Where the picture of a cell stands. */
export interface Cut {
  sheet: ImageBitmap
  x: number
  y: number
  size: number
}

/** One level of an atlas, to be drawn small and whole on a canvas. */
export class Plate {
  private readonly values = new Map<number, Promise<Float32Array | null>>()

  constructor(
    readonly entry: AtlasEntry,
    readonly classes: readonly string[],
    readonly cells: Cells,
    private readonly level: LevelRecord,
    private readonly folder: string,
    private readonly cuts: readonly Cut[],
  ) {}

  get grid(): number {
    return this.level.grid
  }

  get title(): string {
    return atlasTitle(this.entry)
  }

  draw(context: CanvasRenderingContext2D, index: number, x: number, y: number, side: number): void {
    const cut = this.cuts[index]
    if (!cut || side <= 0) return
    context.drawImage(cut.sheet, cut.x, cut.y, cut.size, cut.size, x, y, side, side)
  }

  /**
   * The mean attribution of a class to each cell, in the order of the table. Studies of earlier versions have only the
   * largest ones of each cell; null then.
   */
  attribution(label: number): Promise<Float32Array | null> {
    let loading = this.values.get(label)
    if (!loading) {
      loading = this.fetchAttribution(label)
      loading.catch(() => this.values.delete(label))
      this.values.set(label, loading)
    }
    return loading
  }

  private async fetchAttribution(label: number): Promise<Float32Array | null> {
    const { classes } = this.level
    if (!classes || label >= classes.count) return null
    const url = this.folder + addressOf(classes.file.replace('{chunk}', String(Math.floor(label / classes.per_file))))
    const response = await fetch(url)
    if (!response.ok) throw new ResourceError(`${url} could not be read: the server answered ${response.status}.`)
    const bytes = new DataView(await response.arrayBuffer())
    const count = this.cells.list.length
    const start = (label % classes.per_file) * count
    if (bytes.byteLength < 4 * (start + count)) throw new ResourceError(`${url} is damaged: it is too short.`)
    return Float32Array.from({ length: count }, (_, cell) => bytes.getFloat32(4 * (start + cell), true))
  }
}

/** Load the level of a grid, or without one that which is best for so many pixels. */
export async function loadPlate(entry: AtlasEntry, wanted: { grid?: number; width?: number } = {}): Promise<Plate> {
  const { record, folder } = await loadRecord(entry)
  const level = wanted.grid === undefined ? fitting(record.levels, wanted.width ?? 360) : levelOf(entry, record, wanted.grid)
  const cells = await loadCells(folder, level)
  const sheets: Sheets = new Map()
  const cuts = await Promise.all(cells.list.map((_, index) => cutOf(folder, level, cells, index, sheets)))
  return new Plate(entry, record.classes, cells, level, folder, cuts)
}

/** Single cells of an atlas: of each sheet only what they need is fetched. */
export class Icons {
  private readonly levels = new Map<number, Promise<Cells>>()
  private readonly sheets: Sheets = new Map()

  private constructor(
    private readonly entry: AtlasEntry,
    private readonly record: AtlasRecord,
    private readonly folder: string,
  ) {}

  static async load(entry: AtlasEntry): Promise<Icons> {
    const { record, folder } = await loadRecord(entry)
    return new Icons(entry, record, folder)
  }

  /** The first label of a cell, and its picture; null where the atlas draws no such cell. */
  async of({ grid, row, column }: Place): Promise<{ name: string; cut: Cut } | null> {
    const level = this.record.levels.find((candidate) => candidate.grid === grid)
    if (!level) return null
    let loading = this.levels.get(grid)
    if (!loading) {
      loading = loadCells(this.folder, level)
      loading.catch(() => this.levels.delete(grid))
      this.levels.set(grid, loading)
    }
    const cells = await loading
    const index = cells.at(row, column)
    if (index === null) return null
    const first = cells.list[index]!.labels[0]
    const name = first ? shortName(this.record.classes[first[0]] ?? `class ${first[0]}`) : 'no label'
    return { name, cut: await cutOf(this.folder, level, cells, index, this.sheets) }
  }

  get title(): string {
    return atlasTitle(this.entry)
  }
}

async function loadRecord(entry: AtlasEntry): Promise<{ record: AtlasRecord; folder: string }> {
  const url = DATA + addressOf(entry.url)
  const record = await fetchJson<AtlasRecord>(url)
  refuseNewer(url, record.format, FORMAT)
  if (!Array.isArray(record.levels) || record.levels.length === 0) throw new ResourceError(`${url} has no levels to show.`)
  return { record, folder: folderOf(url) }
}

function levelOf(entry: AtlasEntry, record: AtlasRecord, wanted: number): LevelRecord {
  const level = record.levels.find(({ grid }) => grid === wanted)
  if (!level) throw new ResourceError(`The atlas of ${atlasTitle(entry)} has no grid ${wanted}; make the page again.`)
  return level
}

async function loadCells(folder: string, level: LevelRecord): Promise<Cells> {
  const table = await fetchJson<{ cells: Cell[] }>(folder + addressOf(level.table))
  return new Cells(level.grid, table.cells)
}

/** The level whose cells are nearest to a size that can just be told apart, among those that are not too large to load. */
function fitting(levels: readonly LevelRecord[], width: number): LevelRecord {
  const miss = ({ grid }: LevelRecord) => Math.abs(Math.log(width / grid / PITCH))
  const sorted = [...levels].sort((a, b) => a.grid - b.grid)
  const small = sorted.filter(({ cells }) => cells <= MOST_CELLS)
  return (small.length > 0 ? small : sorted.slice(0, 1)).reduce((best, level) => (miss(level) < miss(best) ? level : best))
}

type Sheets = Map<string, Promise<ImageBitmap>>

const PLACES = new WeakMap<Cells, Map<number, number>>()

/** The picture of a cell. In a tiled sheet every square of the grid has a file of its own. */
async function cutOf(folder: string, level: LevelRecord, cells: Cells, index: number, sheets: Sheets): Promise<Cut> {
  const { file, tile, size, columns } = level.icons
  const { row, column } = cells.list[index]!
  const name = tile ? file.replace('{row}', String(Math.floor(row / tile))).replace('{column}', String(Math.floor(column / tile))) : file
  let loading = sheets.get(folder + name)
  if (!loading) {
    loading = fetchPicture(folder + addressOf(name))
    sheets.set(folder + name, loading)
    loading.catch(() => sheets.delete(folder + name))
  }
  const picture = tile ? placesIn(cells, tile).get(index)! : index
  return { sheet: await loading, x: (picture % columns) * size, y: Math.floor(picture / columns) * size, size }
}

/** The number of each cell among those of its square. */
function placesIn(cells: Cells, tile: number): Map<number, number> {
  let places = PLACES.get(cells)
  if (!places) {
    places = new Map()
    const counts = new Map<string, number>()
    for (const [index, { row, column }] of cells.list.entries()) {
      const square = `${Math.floor(row / tile)} ${Math.floor(column / tile)}`
      const place = counts.get(square) ?? 0
      counts.set(square, place + 1)
      places.set(index, place)
    }
    PLACES.set(cells, places)
  }
  return places
}

/** The address of a cell in its atlas, with the map zoomed to it. */
export function cellAddress(atlas: string, place: Place, label?: number): string {
  const middle = (value: number) => String(Number(((value + 0.5) / place.grid).toFixed(4)))
  const parameters = new URLSearchParams({ atlas, x: middle(place.column), y: middle(place.row) })
  parameters.set('zoom', String(Math.max(1, place.grid / 6)))
  parameters.set('level', String(place.grid))
  parameters.set('cell', `${place.grid}.${place.row}.${place.column}`)
  if (label !== undefined) parameters.set('class', String(label))
  return `#${parameters}`
}
