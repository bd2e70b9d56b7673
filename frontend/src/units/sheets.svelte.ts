import { messageOf } from '../resource'
import { Sheet, type SheetRecord } from '../sheet'
import type { UnitContent } from './units.svelte'

/** The page of a unit with the sheets of its pictures, which come one after the other. */
export class UnitSheets {
  crops = $state.raw<Sheet | null>(null)
  contexts = $state.raw<Sheet | null>(null)
  quilt = $state.raw<Sheet | null>(null)
  failures = $state.raw<string[]>([])

  constructor(readonly content: UnitContent) {}

  /** The crops first: they are at the top of the page. */
  async load(): Promise<void> {
    const { examples, quilt } = this.content.record
    this.crops = await this.sheet(examples?.crops)
    await Promise.all([
      this.sheet(examples?.contexts).then((sheet) => (this.contexts = sheet)),
      this.sheet(quilt?.sheet).then((sheet) => (this.quilt = sheet)),
    ])
  }

  private async sheet(record: SheetRecord | null | undefined): Promise<Sheet | null> {
    if (!record) return null
    try {
      return await Sheet.load(this.content.folder, record)
    } catch (error) {
      this.failures = [...this.failures, messageOf(error)]
      return null
    }
  }
}
