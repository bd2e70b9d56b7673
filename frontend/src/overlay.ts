import { middle, type Cells, type Place } from './cells'
import { drawDots, type Dots } from './dots'
import { declutter, wrapped, type Box } from './labels'
import { project, scaleOf, type Frame, type Point, type View } from './view'
import type { Mark } from './viewer.svelte'

export interface Ink {
  paper: string
  ink: string
  accent: string
  font: string
}

/** What lies over the icons: names and the frames of the cells pointed at. */
export interface Drawing {
  view: View
  frame: Frame
  ink: Ink
  level: { name: string; grid: number; cells: Cells; sides: Float32Array; strong: Uint8Array; look: string } | null
  names: ((index: number) => string) | null
  hovered: Place | null
  selected: Place | null
  walking: boolean
  echo: Place | null
  marks: readonly Mark[]
  path: readonly Point[] // corners
  stops: readonly Point[]
  dots: Dots | null
}

interface Label {
  index: number
  lines: string[]
  top: number // pixels below the middle of the cell
}

const SIZE = 11
const LINE = 12.5
const LEAST_PITCH = 30 // below that, names would be all ellipses

/** A sharp 2-D canvas over the map: text drawn by the browser is crisper than letters on a texture. */
export class Overlay {
  private readonly context: CanvasRenderingContext2D
  private labels: Label[] = []
  private labelsFor = ''
  private readonly widths = new Map<string, number>()

  constructor(private readonly canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d')
    if (!context) throw new Error('This browser gives no 2-D canvas.')
    this.context = context
  }

  draw(drawing: Drawing): void {
    const { frame } = drawing
    const ratio = window.devicePixelRatio || 1
    const [width, height] = [Math.round(frame.width * ratio), Math.round(frame.height * ratio)]
    if (this.canvas.width !== width) this.canvas.width = width
    if (this.canvas.height !== height) this.canvas.height = height
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.context.clearRect(0, 0, frame.width, frame.height)
    if (drawing.dots) this.drawDots(drawing.dots, drawing, ratio)
    this.drawLabels(drawing)
    this.drawPath(drawing)
    for (const { place, color, text } of drawing.marks) this.drawFrame(drawing, place, 2.5, color ?? drawing.ink.accent, text)
    this.context.setLineDash([5, 4])
    this.drawFrame(drawing, drawing.echo, 2, drawing.ink.accent)
    this.context.setLineDash([])
    this.drawFrame(drawing, drawing.hovered, 1.5, drawing.ink.ink)
    this.drawFrame(drawing, drawing.selected, drawing.walking ? 3.5 : 2.5, drawing.ink.accent)
  }

  private drawFrame({ view, frame, ink }: Drawing, place: Place | null, width: number, color: string, text = ''): void {
    if (!place) return
    const side = scaleOf(view, frame) / place.grid
    const at = project(view, frame, middle(place))
    const { context } = this
    const rectangle = () => context.strokeRect(at.x - side / 2, at.y - side / 2, side, side)
    context.lineJoin = 'miter'
    // A rim of paper keeps the frame visible on icons of any colour.
    context.strokeStyle = ink.paper
    context.lineWidth = width + 2.5
    rectangle()
    context.strokeStyle = color
    context.lineWidth = width
    rectangle()
    if (text) this.write(text, at.x - side / 2 + 3, at.y - side / 2 + 2, ink)
  }

  private write(text: string, left: number, top: number, ink: Ink): void {
    const { context } = this
    context.font = `600 ${SIZE}px ${ink.font}`
    context.textAlign = 'left'
    context.textBaseline = 'top'
    context.lineJoin = 'round'
    context.strokeStyle = ink.paper
    context.fillStyle = ink.ink
    context.lineWidth = 3
    context.strokeText(text, left, top)
    context.fillText(text, left, top)
  }

  private drawDots(dots: Dots, { view, frame }: Drawing, ratio: number): void {
    const picture = this.context.createImageData(this.canvas.width, this.canvas.height)
    drawDots(picture, dots, view, frame, ratio, Math.max(1, Math.round(ratio * Math.min(4, Math.sqrt(view.zoom)))))
    this.context.putImageData(picture, 0, 0)
  }

  private drawPath({ view, frame, ink, path, stops }: Drawing): void {
    const { context } = this
    const corners = path.map((point) => project(view, frame, point))
    if (corners.length === 0) return
    context.lineJoin = 'round'
    for (const [color, width] of [[ink.paper, 5], [ink.accent, 2]] as const) {
      context.strokeStyle = color
      context.lineWidth = width
      context.beginPath()
      corners.forEach(({ x, y }, i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)))
      context.stroke()
    }
    context.lineWidth = 1.5
    context.strokeStyle = ink.paper
    context.fillStyle = ink.accent
    for (const { x, y } of stops.map((point) => project(view, frame, point))) this.dot(x, y, 3)
    for (const { x, y } of corners) this.dot(x, y, 5)
  }

  private dot(x: number, y: number, radius: number): void {
    this.context.beginPath()
    this.context.arc(x, y, radius, 0, 2 * Math.PI)
    this.context.fill()
    this.context.stroke()
  }

  private drawLabels(drawing: Drawing): void {
    const { level, names, view, frame, ink } = drawing
    if (!level || !names) return
    const pitch = scaleOf(view, frame) / level.grid
    if (pitch < LEAST_PITCH) return
    this.arrange(drawing, pitch)
    const { context } = this
    context.textAlign = 'center'
    context.textBaseline = 'top'
    context.lineJoin = 'round'
    context.strokeStyle = ink.paper
    context.fillStyle = ink.ink
    context.lineWidth = 3
    for (const label of this.labels) {
      const cell = level.cells.list[label.index]!
      const at = project(view, frame, middle({ grid: level.grid, row: cell.row, column: cell.column }))
      if (at.x < -pitch || at.y < -pitch || at.x > frame.width + pitch || at.y > frame.height + pitch) continue
      context.font = `${cell.stable ? '' : 'italic '}${SIZE}px ${ink.font}`
      label.lines.forEach((line, i) => {
        context.strokeText(line, at.x, at.y + label.top + i * LINE)
        context.fillText(line, at.x, at.y + label.top + i * LINE)
      })
    }
  }

  /** Choose the labels for a pitch. Pitches go in steps, so that names do not flicker while one zooms. */
  private arrange({ level, names, ink }: Drawing, pitch: number): void {
    if (!level || !names) return
    const step = 2 ** (Math.floor(Math.log2(pitch) * 6) / 6)
    const key = `${level.name} ${step} ${level.look}`
    if (key === this.labelsFor) return
    this.labelsFor = key
    this.context.font = `${SIZE}px ${ink.font}`
    const candidates: Label[] = []
    const boxes: Box[] = []
    level.cells.list.forEach((cell, index) => {
      const name = names(index)
      if (!name || !level.strong[index]) return
      const lines = wrapped(name, Math.max(step * 1.2, 72), (text) => this.measure(text))
      const width = Math.max(...lines.map((line) => this.measure(line)))
      const height = lines.length * LINE
      const side = level.sides[index]! * level.grid * step
      // Below a small icon where there is room inside the cell, else as low in the cell as it goes.
      const top = Math.min(side / 2 + 2, step / 2 - height - 1)
      candidates.push({ index, lines, top })
      boxes.push({
        left: (cell.column + 0.5) * step - width / 2 - 3,
        top: (cell.row + 0.5) * step + top,
        width: width + 6,
        height,
        weight: (cell.stable ? 1e9 : 0) + cell.count,
      })
    })
    this.labels = declutter(boxes).map((i) => candidates[i]!)
  }

  private measure(text: string): number {
    let width = this.widths.get(text)
    if (width === undefined) {
      width = this.context.measureText(text).width
      this.widths.set(text, width)
    }
    return width
  }
}
