import { addressOf, fetchPicture } from '../resource'
import { squareOf } from '../sheet'
import { strongest } from './record'
import type { Units } from './units.svelte'

const AT_ONCE = 4
const SIDE = 128 // pixels
const KEPT = 600 // pictures: more than any screen shows

interface Job {
  layer: string
  unit: number
  done: (picture: ImageBitmap | null) => void
}

/** The strongest examples of units, fetched a few at a time, those asked for last first. */
export class Thumbnails {
  private readonly waiting: Job[] = []
  private readonly ready = new Map<string, ImageBitmap | null>()
  private running = 0

  constructor(private readonly units: Units) {}

  /** Hand a unit's picture on, null if it has none. Returns how to give up waiting. */
  ask(layer: string, unit: number, done: Job['done']): () => void {
    const there = this.ready.get(`${layer}:${unit}`)
    if (there !== undefined) {
      done(there)
      return () => {}
    }
    const job = { layer, unit, done }
    this.waiting.push(job)
    this.next()
    return () => {
      job.done = () => {}
      const at = this.waiting.indexOf(job)
      if (at >= 0) this.waiting.splice(at, 1)
    }
  }

  private next(): void {
    while (this.running < AT_ONCE && this.waiting.length > 0) {
      const job = this.waiting.pop()!
      this.running += 1
      void this.picture(job)
        .catch(() => null) // the unit's own page says what is wrong with it
        .then((picture) => {
          this.running -= 1
          this.keep(`${job.layer}:${job.unit}`, picture)
          job.done(picture)
          this.next()
        })
    }
  }

  private keep(key: string, picture: ImageBitmap | null): void {
    this.ready.set(key, picture)
    const [oldest] = this.ready.keys()
    if (this.ready.size > KEPT && oldest !== undefined) this.ready.delete(oldest)
  }

  private async picture({ layer, unit }: Job): Promise<ImageBitmap | null> {
    const { record, folder } = await this.units.page(layer, unit)
    const example = strongest(record)
    if (!example || !record.examples) return null
    const { crops } = record.examples
    const sheet = await fetchPicture(folder + addressOf(crops.file))
    const { x, y, size } = squareOf(crops, example.crop)
    const side = Math.min(size, SIDE)
    const picture = await createImageBitmap(sheet, x, y, size, size, { resizeWidth: side, resizeHeight: side, resizeQuality: 'high' })
    sheet.close()
    return picture
  }
}
