import type { Cell } from './cells'
import { squareOf, type Sheet, type SheetRecord } from './sheet'
import type { Bounds } from './view'

/** A bitmap that fits into one texture, and where the first picture of each of its cells stands on it. */
export interface Tile {
  key: string
  bitmap: ImageBitmap
  cells: Int32Array
  corners: Float32Array // x and y of each, in pixels of the bitmap
  side: number // of a picture, in pixels of the bitmap
}

/** Cut a sheet where it is larger than a texture may be: sides of at most `limit` pixels. */
export async function cutSheet(sheet: Sheet, cells: number, limit: number): Promise<Tile[]> {
  const { bitmap, record } = sheet
  const { size } = record
  const span = Math.max(1, Math.floor(limit / size)) * size // of a tile, in pixels
  const across = Math.ceil(bitmap.width / span)
  const members = new Map<number, number[]>()
  for (let cell = 0; cell < cells; cell++) {
    const { x, y } = sheet.square(cell * record.per_cell)
    const tile = Math.floor(y / span) * across + Math.floor(x / span)
    const list = members.get(tile)
    if (list) list.push(cell)
    else members.set(tile, [cell])
  }
  const parts = [...members].map(async ([tile, list]): Promise<Tile> => {
    const [left, top] = [(tile % across) * span, Math.floor(tile / across) * span]
    const [width, height] = [Math.min(span, bitmap.width - left), Math.min(span, bitmap.height - top)]
    const whole = width === bitmap.width && height === bitmap.height
    return {
      key: `${record.file} ${tile}`,
      bitmap: whole ? bitmap : await createImageBitmap(bitmap, left, top, width, height),
      cells: Int32Array.from(list),
      corners: Float32Array.from(
        list.flatMap((cell) => {
          const { x, y } = sheet.square(cell * record.per_cell)
          return [x - left, y - top]
        }),
      ),
      side: size,
    }
  })
  return Promise.all(parts)
}

/** A square of a tiled sheet: its file, and its cells in the order in which their pictures stand there. */
export interface TileSquare {
  row: number
  column: number
  file: string
  cells: number[]
}

/** The squares of a tiled sheet that have cells. */
export function squaresOf(record: SheetRecord, cells: readonly Cell[]): TileSquare[] {
  const tile = record.tile!
  const squares = new Map<string, TileSquare>()
  for (const [row, column] of record.squares ?? []) {
    const file = record.file.replace('{row}', String(row)).replace('{column}', String(column))
    squares.set(`${row} ${column}`, { row, column, file, cells: [] })
  }
  cells.forEach((cell, index) => {
    squares.get(`${Math.floor(cell.row / tile)} ${Math.floor(cell.column / tile)}`)?.cells.push(index)
  })
  return [...squares.values()].filter((square) => square.cells.length > 0)
}

/** The tile of a square whose pictures were read `reduction` times smaller than they are. */
export function tileOf(record: SheetRecord, square: TileSquare, bitmap: ImageBitmap, reduction: number): Tile {
  const corners = new Float32Array(2 * square.cells.length)
  square.cells.forEach((_, i) => {
    const { x, y } = squareOf(record, i * record.per_cell)
    corners.set([x / reduction, y / reduction], 2 * i)
  })
  return {
    key: `${square.file} ${reduction}`,
    bitmap,
    cells: Int32Array.from(square.cells),
    corners,
    side: record.size / reduction,
  }
}

/** Whether a square lies in the part of the map that is seen. */
export function inSight({ row, column }: TileSquare, share: number, seen: Bounds): boolean {
  const [left, top] = [column * share, row * share]
  return left < seen.right && top < seen.bottom && left + share > seen.left && top + share > seen.top
}

/**
 * By how much pictures of `size` pixels may be reduced where they are drawn at most `drawn` pixels wide: a power of two,
 * at most 8.
 */
export function reductionFor(size: number, drawn: number): number {
  let reduction = 1
  while (reduction < 8 && size % (reduction * 2) === 0 && size / (reduction * 2) >= drawn) reduction *= 2
  return reduction
}
