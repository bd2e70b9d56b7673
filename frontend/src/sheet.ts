import { addressOf, fetchPicture } from './resource'

/** Where a sheet's pictures stand: picture i in row `i / columns`, column `i % columns`. */
export interface SheetRecord {
  file: string
  size: number
  columns: number
  per_cell: number
}

export interface Square {
  x: number
  y: number
  size: number
}

/** A part of a sheet that fits into one texture, and the pictures that lie in it. */
export interface Tile {
  bitmap: ImageBitmap
  pictures: Int32Array
  left: number
  top: number
}

/** Where a picture of a sheet stands, in pixels. */
export function squareOf({ size, columns }: SheetRecord, picture: number): Square {
  return { x: (picture % columns) * size, y: Math.floor(picture / columns) * size, size }
}

/** A loaded sheet of pictures of one size. */
export class Sheet {
  constructor(
    readonly record: SheetRecord,
    readonly bitmap: ImageBitmap,
  ) {}

  static async load(folder: string, record: SheetRecord): Promise<Sheet> {
    return new Sheet(record, await fetchPicture(folder + addressOf(record.file)))
  }

  square(picture: number): Square {
    return squareOf(this.record, picture)
  }

  /** Cut the sheet where it is larger than a texture may be; `count` pictures, sides of at most `limit` pixels. */
  async tiles(count: number, limit: number): Promise<Tile[]> {
    const { size, columns } = this.record
    const span = Math.max(1, Math.floor(limit / size)) // pictures along a side of a tile
    const rows = Math.ceil(count / columns)
    const across = Math.ceil(Math.min(columns, count) / span)
    const down = Math.ceil(rows / span)
    if (across <= 1 && down <= 1) {
      return [{ bitmap: this.bitmap, pictures: Int32Array.from({ length: count }, (_, i) => i), left: 0, top: 0 }]
    }
    const pictures = Array.from({ length: across * down }, (): number[] => [])
    for (let i = 0; i < count; i++) {
      const column = Math.floor((i % columns) / span)
      const row = Math.floor(Math.floor(i / columns) / span)
      pictures[row * across + column]?.push(i)
    }
    return Promise.all(
      pictures.map(async (members, tile) => {
        const left = (tile % across) * span * size
        const top = Math.floor(tile / across) * span * size
        const width = Math.min(span * size, this.bitmap.width - left)
        const height = Math.min(span * size, this.bitmap.height - top)
        const bitmap = await createImageBitmap(this.bitmap, left, top, width, height)
        return { bitmap, pictures: Int32Array.from(members), left, top }
      }),
    )
  }
}
