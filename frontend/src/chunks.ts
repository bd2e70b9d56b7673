/** Things in a fixed order, `per_file` of them in each file, whose name has its number in the place of `{chunk}`. */
export interface ChunkRecord {
  file: string
  per_file: number
  count: number
}

/** The file that the thing of a number lies in. */
export function fileOf({ file, per_file }: ChunkRecord, index: number): string {
  return file.replace('{chunk}', String(Math.floor(index / per_file)))
}
