import type { Cells } from './cells'
import type { Pool } from './pool'
import { addressOf, fetchPicture, messageOf } from './resource'
import { Sheet, squareOf, type SheetRecord, type Square } from './sheet'
import { cutSheet, inSight, reductionFor, squaresOf, tileOf, type Tile, type TileSquare } from './tiles'
import type { Bounds } from './view'

// WebGL 2 promises only 2048, but every device that runs this page well takes 4096.
const TEXTURE_SIDE = 4096
const AT_ONCE = 6 // requests: as many as browsers allow to one server
const CUTS = 4 // squares that are kept whole for pictures outside the map

/** A picture on a bitmap. */
export interface Cutting extends Square {
  bitmap: ImageBitmap
}

/** The pictures of a level's cells, however they lie on disk. */
export interface Pictures {
  readonly record: SheetRecord
  /** What is there to be drawn. */
  readonly tiles: readonly Tile[]
  /** Whether enough is there to take over from another level. */
  readonly ready: boolean
  /** Whether all that is in the window is there, or cannot be had. */
  readonly complete: boolean
  /** The parts of the window whose pictures are still to come. */
  readonly missing: readonly Bounds[]
  readonly failure: string | null
  /** Say which cells there are. */
  arrange(cells: Cells): void
  /** Fetch what is in the window, where a cell is `pitch` pixels of the screen wide. */
  look(seen: Bounds, pitch: number): void
  /** Nothing of it is looked at now. */
  rest(): void
  retry(): void
  /** One picture of a cell. */
  cut(cell: number, which?: number): Promise<Cutting>
}

export function picturesOf(folder: string, record: SheetRecord, pool: Pool): Pictures {
  return record.tile ? new TiledPictures(folder, record, pool) : new WholePictures(folder, record)
}

/** All pictures in one file, fetched when they are first looked at. */
class WholePictures implements Pictures {
  tiles = $state.raw<readonly Tile[]>([])
  failure = $state<string | null>(null)
  readonly missing: readonly Bounds[] = []
  private arranged = $state(false)
  private loading: Promise<Sheet> | null = null
  private cells: Promise<Cells>
  private setCells: (cells: Cells) => void = () => {}

  constructor(
    private readonly folder: string,
    readonly record: SheetRecord,
  ) {
    this.cells = new Promise((resolve) => (this.setCells = resolve))
  }

  get ready(): boolean {
    return this.arranged
  }

  get complete(): boolean {
    return this.arranged || this.failure !== null
  }

  arrange(cells: Cells): void {
    this.setCells(cells)
  }

  look(): void {
    this.open().catch(() => {}) // `failure` tells
  }

  rest(): void {}

  retry(): void {
    this.failure = null
    this.look()
  }

  async cut(cell: number, which = 0): Promise<Cutting> {
    const sheet = await this.open()
    return { bitmap: sheet.bitmap, ...sheet.square(cell * this.record.per_cell + which) }
  }

  private open(): Promise<Sheet> {
    this.loading ??= this.load().catch((error: unknown) => {
      this.loading = null
      this.failure = messageOf(error)
      throw error
    })
    return this.loading
  }

  private async load(): Promise<Sheet> {
    const sheet = await Sheet.load(this.folder, this.record)
    void this.cells.then(async (cells) => {
      this.tiles = await cutSheet(sheet, cells.list.length, TEXTURE_SIDE)
      this.arranged = true
    })
    return sheet
  }
}

interface Held extends TileSquare {
  tile: Tile | null
  reduction: number // of the tile, or of the file that is on its way
  state: 'absent' | 'coming' | 'there' | 'failed'
}

/** Pictures in many files: those in the window are fetched, the nearest to its middle first, and let go later. */
class TiledPictures implements Pictures {
  tiles = $state.raw<readonly Tile[]>([])
  failure = $state<string | null>(null)
  missing = $state.raw<readonly Bounds[]>([])
  private squares: Held[] = []
  private wanted: Held[] = []
  private waiting = $state(0) // of the wanted ones
  private share = 1 // side of a square in units of the map
  private reduction = 1
  private middle = { x: 0.5, y: 0.5 }
  private active = 0
  private readonly cuts = new Map<Held, Promise<ImageBitmap>>()

  constructor(
    private readonly folder: string,
    readonly record: SheetRecord,
    private readonly pool: Pool,
  ) {}

  get ready(): boolean {
    return this.tiles.length > 0 || this.complete
  }

  get complete(): boolean {
    return this.waiting === 0
  }

  arrange(cells: Cells): void {
    this.share = this.record.tile! / cells.grid
    const squares = squaresOf(this.record, cells.list)
    this.squares = squares.map((square) => ({ ...square, tile: null, reduction: 1, state: 'absent' }))
    this.waiting = 1 // until somebody has looked
  }

  look(seen: Bounds, pitch: number): void {
    this.reduction = reductionFor(this.record.size, pitch)
    this.middle = { x: (seen.left + seen.right) / 2, y: (seen.top + seen.bottom) / 2 }
    this.wanted = this.squares.filter((square) => inSight(square, this.share, seen))
    this.pool.touch(this.wanted)
    this.fetch()
  }

  rest(): void {
    this.wanted = []
  }

  retry(): void {
    this.failure = null
    for (const square of this.squares) if (square.state === 'failed') square.state = 'absent'
    this.fetch()
  }

  async cut(cell: number, which = 0): Promise<Cutting> {
    const square = this.squares.find(({ cells }) => cells.includes(cell))
    if (!square) throw new Error(`no picture of cell ${cell}`)
    const place = squareOf(this.record, square.cells.indexOf(cell) * this.record.per_cell + which)
    if (square.tile && square.reduction === 1) return { bitmap: square.tile.bitmap, ...place }
    return { bitmap: await this.whole(square), ...place }
  }

  /** A square's file at its full size, a few of which are kept. */
  private whole(square: Held): Promise<ImageBitmap> {
    let bitmap = this.cuts.get(square)
    if (!bitmap) {
      bitmap = fetchPicture(this.folder + addressOf(square.file))
      bitmap.catch(() => this.cuts.delete(square))
      this.cuts.set(square, bitmap)
      const [oldest] = this.cuts.keys()
      if (this.cuts.size > CUTS && oldest) this.cuts.delete(oldest)
    }
    return bitmap
  }

  /** Begin with as many files as may come at once. Sharper ones are fetched where what is there is too coarse. */
  private fetch(): void {
    const missing = this.wanted.filter((square) => square.state === 'absent' || (square.state === 'there' && square.reduction > this.reduction))
    this.waiting = missing.length + this.wanted.filter(({ state }) => state === 'coming').length
    const away = ({ row, column }: Held) => Math.hypot((column + 0.5) * this.share - this.middle.x, (row + 0.5) * this.share - this.middle.y)
    this.say(this.wanted.filter(({ tile }) => !tile))
    missing.sort((a, b) => away(a) - away(b))
    for (const square of missing.slice(0, Math.max(0, AT_ONCE - this.active))) void this.bring(square)
  }

  /** Say which squares have no picture yet, unless that is known. */
  private say(squares: readonly Held[]): void {
    const bounds = squares.map(({ row, column }) => {
      const [left, top] = [column * this.share, row * this.share]
      return { left, top, right: left + this.share, bottom: top + this.share }
    })
    const same = bounds.every(({ left, top }, i) => left === this.missing[i]?.left && top === this.missing[i]?.top)
    if (!same || bounds.length !== this.missing.length) this.missing = bounds
  }

  private async bring(square: Held): Promise<void> {
    const reduction = this.reduction
    square.state = 'coming'
    this.active++
    try {
      const bitmap = await fetchPicture(this.folder + addressOf(square.file), reduction)
      this.hold(square, tileOf(this.record, square, bitmap, reduction), reduction)
    } catch (error) {
      square.state = 'failed'
      this.failure = messageOf(error)
    } finally {
      this.active--
      this.fetch()
    }
  }

  private hold(square: Held, tile: Tile, reduction: number): void {
    const before = square.tile
    Object.assign(square, { tile, reduction, state: 'there' })
    if (before) this.pool.drop(square)
    this.pool.add(square, tile.bitmap, () => {
      Object.assign(square, { tile: null, state: 'absent' })
      this.publish()
    })
    this.pool.trim(this.wanted)
    this.publish()
  }

  private publish(): void {
    this.tiles = this.squares.flatMap(({ tile }) => tile ?? [])
  }
}
