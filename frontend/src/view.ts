/** The window on the screen that the map is drawn in, in CSS pixels. */
export interface Frame {
  width: number
  height: number
}

/**
 * What part of the unit square is seen: its middle, and how many times larger than when the whole map fits. The
 * magnification, not a number of pixels, goes into addresses, so that a link shows the same region on every screen.
 */
export interface View {
  x: number
  y: number
  zoom: number
}

export interface Point {
  x: number
  y: number
}

/** A part of the map, in units of the map. */
export interface Bounds {
  left: number
  top: number
  right: number
  bottom: number
}

export const HOME: View = { x: 0.5, y: 0.5, zoom: 1 }
const MARGIN = 20

/** CSS pixels along the side of the unit square. */
export function scaleOf(view: View, frame: Frame): number {
  return view.zoom * fitScale(frame)
}

export function fitScale(frame: Frame): number {
  return Math.max(1, Math.min(frame.width, frame.height) - 2 * MARGIN)
}

export function project(view: View, frame: Frame, point: Point): Point {
  const scale = scaleOf(view, frame)
  return { x: frame.width / 2 + (point.x - view.x) * scale, y: frame.height / 2 + (point.y - view.y) * scale }
}

export function unproject(view: View, frame: Frame, pixel: Point): Point {
  const scale = scaleOf(view, frame)
  return { x: view.x + (pixel.x - frame.width / 2) / scale, y: view.y + (pixel.y - frame.height / 2) / scale }
}

/** What of the map is in the window. */
export function boundsOf(view: View, frame: Frame): Bounds {
  const scale = scaleOf(view, frame)
  const [x, y] = [frame.width / 2 / scale, frame.height / 2 / scale]
  return { left: view.x - x, top: view.y - y, right: view.x + x, bottom: view.y + y }
}

/** Keep the middle on the map and the magnification between the whole map and `most`. */
export function clamped(view: View, most: number): View {
  const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value))
  return { x: within(view.x, 0, 1), y: within(view.y, 0, 1), zoom: within(view.zoom, 1, most) }
}

/** Zoom so that a point of the map stays where it is on the screen. */
export function zoomedAbout(view: View, anchor: Point, factor: number): View {
  return {
    x: anchor.x + (view.x - anchor.x) / factor,
    y: anchor.y + (view.y - anchor.y) / factor,
    zoom: view.zoom * factor,
  }
}

/** A view on the way between two: the pace of zooming looks even, and the target does not drift. */
export function between(a: View, b: View, t: number): View {
  const zoom = a.zoom * (b.zoom / a.zoom) ** t
  const share = Math.abs(b.zoom - a.zoom) < 1e-6 ? t : (1 / a.zoom - 1 / zoom) / (1 / a.zoom - 1 / b.zoom)
  return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share, zoom }
}
