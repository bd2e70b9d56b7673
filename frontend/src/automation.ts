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
  /** Where a point of the map, from 0 to 1 across and down, is in the browser's window. */
  place(x: number, y: number): { x: number; y: number }
  /** How opaque a cell is drawn, from 0 to 1. */
  opacity(cell: number): number | null
  /** The pixels of all tiled pictures that are kept. */
  pixels(): number
}

declare global {
  interface Window {
    pellucid?: Automation
  }
}

export function automation(viewer: Viewer, map: HTMLElement, alphas: () => Uint8Array | null): Automation {
  const inWindow = (point: { x: number; y: number }) => {
    const { left, top } = map.getBoundingClientRect()
    const { x, y } = project(viewer.view, viewer.frame, point)
    return { x: left + x, y: top + y }
  }
  const cells = () => viewer.shown?.content?.cells
  return {
    version: 1,
    cells: () => cells()?.list.length ?? 0,
    project(cell) {
      const table = cells()
      if (!table || !Number.isInteger(cell) || cell < 0 || cell >= table.list.length) return null
      return inWindow(middle(table.place(cell)))
    },
    place: (x, y) => inWindow({ x, y }),
    opacity: (cell) => {
      const alpha = alphas()?.[cell]
      return alpha === undefined ? null : alpha / 255
    },
    pixels: () => viewer.atlas?.pool.pixels ?? 0,
  }
}
