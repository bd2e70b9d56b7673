import { addressOf, fetchPicture } from './resource'

/**
 * Where a sheet's pictures stand: picture i in row `i / columns`, column `i % columns`. With a `tile`, each square of
 * `tile` x `tile` places of the grid that has cells, one of `squares`, has a file of its own.
 */
export interface SheetRecord {
  file: string
  size: number
  columns: number
  per_cell: number
  tile?: number
  squares?: [number, number][] // row, column
}

export interface Square {
  x: number
  y: number
  size: number
}

/** Where a picture of a sheet stands, in pixels. */
export function squareOf({ size, columns }: Pick<SheetRecord, 'size' | 'columns'>, picture: number): Square {
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
}
