import { project, scaleOf, type Frame, type View } from './view'

/** Single activations. */
export interface Dots {
  positions: Float32Array // x and y of each, in units of the map
  alphas: Uint8Array // of each
  color: readonly [number, number, number]
}

/**
 * Draw dots, `side` pixels wide, into an empty picture of `frame` times `ratio` pixels. A hundred thousand take a few
 * milliseconds so on any machine, and far longer on a graphics card that is imitated by software.
 */
export function drawDots(picture: ImageData, { positions, alphas, color }: Dots, view: View, frame: Frame, ratio: number, side: number): void {
  const { data, width, height } = picture
  const scale = scaleOf(view, frame) * ratio
  const origin = project(view, frame, { x: 0, y: 0 })
  const [left, top] = [origin.x * ratio - side / 2, origin.y * ratio - side / 2]
  for (let i = 0; i < alphas.length; i++) {
    const alpha = alphas[i]!
    if (alpha === 0) continue
    const x = Math.round(left + positions[2 * i]! * scale)
    const y = Math.round(top + positions[2 * i + 1]! * scale)
    if (x + side <= 0 || y + side <= 0 || x >= width || y >= height) continue
    for (let row = Math.max(0, y); row < Math.min(height, y + side); row++) {
      for (let column = Math.max(0, x); column < Math.min(width, x + side); column++) {
        const at = 4 * (row * width + column)
        data[at] = color[0]
        data[at + 1] = color[1]
        data[at + 2] = color[2]
        data[at + 3] = data[at + 3]! + (alpha * (255 - data[at + 3]!)) / 255
      }
    }
  }
}
