const CLOSING = 1000 // milliseconds that a picture stays after it was let go: the card may still have to read it

/** The bitmaps of all squares of an atlas: those that nobody has looked at for longest go when there are too many. */
export class Pool {
  private readonly held = new Map<object, { bitmap: ImageBitmap; pixels: number; gone: () => void }>()
  pixels = 0

  constructor(private readonly limit: number) {}

  add(owner: object, bitmap: ImageBitmap, gone: () => void): void {
    const pixels = bitmap.width * bitmap.height
    this.held.set(owner, { bitmap, pixels, gone })
    this.pixels += pixels
  }

  /** Say that these are looked at now. */
  touch(owners: readonly object[]): void {
    for (const owner of owners) {
      const entry = this.held.get(owner)
      if (!entry) continue
      this.held.delete(owner) // to be set again as the latest
      this.held.set(owner, entry)
    }
  }

  drop(owner: object): void {
    const entry = this.held.get(owner)
    if (!entry) return
    this.held.delete(owner)
    this.pixels -= entry.pixels
    setTimeout(() => entry.bitmap.close(), CLOSING)
  }

  /** Let go of the oldest ones but for those in the window, as long as there are too many pixels. */
  trim(seen: readonly object[]): void {
    const kept = new Set(seen)
    for (const [owner, { gone }] of this.held) {
      if (this.pixels <= this.limit) return
      if (kept.has(owner)) continue
      this.drop(owner)
      gone()
    }
  }

  close(): void {
    for (const owner of [...this.held.keys()]) this.drop(owner)
  }
}
