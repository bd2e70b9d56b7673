import { DATA, type GalleryEntry } from '../catalog'
import { addressOf, fetchJson, folderOf, messageOf, refuseNewer, ResourceError } from '../resource'
import { parseUnit } from '../route'

const FORMAT = 1

/** A picture that was optimized for one unit. */
export interface UnitPicture {
  layer: string
  unit: number
  down: boolean // it drives the unit down, not up
  url: string
  gallery: string
  seed: number
  value: number | null // of the objective
  silent: boolean // no gradient came to it: it shows nothing of the unit
}

interface PictureRecord {
  objective: string
  seed: number
  file: string
  value: number | null
  silent?: boolean
}

/** The unit that an objective is about, if it is about one whole unit and nothing else. */
export function unitOf(objective: string): { layer: string; unit: number; down: boolean } | null {
  const down = objective.startsWith('-')
  const unit = parseUnit(down ? objective.slice(1) : objective)
  return unit && { ...unit, down }
}

/** The pictures of a gallery that show single units, in its order. */
export function readGallery(url: string, name: string, content: unknown): UnitPicture[] {
  const record = content as { format?: unknown; pictures?: unknown } | null
  refuseNewer(url, record?.format, FORMAT)
  if (!Array.isArray(record?.pictures)) throw new ResourceError(`${url} is damaged: it is not a gallery.`)
  return (record.pictures as (PictureRecord | null)[]).flatMap((picture) => {
    if (typeof picture?.objective !== 'string' || typeof picture.file !== 'string') return []
    const unit = unitOf(picture.objective)
    if (!unit) return []
    const { seed, value, silent } = picture
    return [{ ...unit, url: folderOf(url) + addressOf(picture.file), gallery: name, seed, value, silent: silent ?? false }]
  })
}

/** The rendered pictures of all units of a study. */
export class Galleries {
  private readonly pictures = new Map<string, UnitPicture[]>()

  constructor(
    pictures: readonly UnitPicture[],
    readonly failures: readonly string[],
  ) {
    for (const picture of pictures) {
      const key = `${picture.layer}:${picture.unit}`
      this.pictures.set(key, [...(this.pictures.get(key) ?? []), picture])
    }
  }

  /** Load all galleries; one that cannot be read leaves the others as they are, and a message. */
  static async load(entries: readonly GalleryEntry[]): Promise<Galleries> {
    const failures: string[] = []
    const loaded = await Promise.all(
      entries.map(async ({ name, url }) => {
        try {
          const address = DATA + addressOf(url)
          return readGallery(address, name, await fetchJson(address))
        } catch (error) {
          failures.push(messageOf(error))
          return []
        }
      }),
    )
    return new Galleries(loaded.flat(), failures)
  }

  /** The pictures of a unit: those that show it first, those that drive it down and those that show nothing last. */
  of(layer: string, unit: number): UnitPicture[] {
    const rank = (picture: UnitPicture) => (picture.silent ? 2 : 0) + (picture.down ? 1 : 0)
    return [...(this.pictures.get(`${layer}:${unit}`) ?? [])].sort((a, b) => rank(a) - rank(b))
  }
}
