import { middle } from './cells'
import { project } from './view'
import type { Viewer } from './viewer.svelte'

/**
 * A small interface for tests and for scripts that drive the page, at `window.pellucid`.
 *
 * It only looks: whatever it tells can be done by pointer and keyboard.
 */
export interface Automation {
  version: 1
  /** The cells of the level that is drawn. */
  cells(): number
  /** Where the middle of a cell is in the browser's window, in CSS pixels; null if there is no such cell. */
  project(cell: number): { x: number; y: number } | null
}

declare global {
  interface Window {
    pellucid?: Automation
  }
}

export function automation(viewer: Viewer, map: HTMLElement): Automation {
  const cells = () => viewer.shown?.content?.cells
  return {
    version: 1,
    cells: () => cells()?.list.length ?? 0,
    project(cell) {
      const table = cells()
      if (!table || !Number.isInteger(cell) || cell < 0 || cell >= table.list.length) return null
      const { left, top } = map.getBoundingClientRect()
      const { x, y } = project(viewer.view, viewer.frame, middle(table.place(cell)))
      return { x: left + x, y: top + y }
    },
  }
}
