import type { LevelContent } from './atlas.svelte'
import { middle, type Place } from './cells'
import { declutter, wrapped, type Box } from './labels'
import { project, scaleOf, type Frame, type View } from './view'

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
  level: { grid: number; content: LevelContent; sides: Float32Array; strong: Uint8Array; look: string } | null
  names: ((index: number) => string) | null
  hovered: Place | null
  selected: Place | null
  walking: boolean
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
    this.drawLabels(drawing)
    this.drawFrame(drawing, drawing.hovered, 1.5, drawing.ink.ink)
    this.drawFrame(drawing, drawing.selected, drawing.walking ? 3.5 : 2.5, drawing.ink.accent)
  }

  private drawFrame({ view, frame, ink }: Drawing, place: Place | null, width: number, color: string): void {
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
      const cell = level.content.cells.list[label.index]!
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
    const key = `${level.grid} ${step} ${level.look} ${level.content.icons.record.file}`
    if (key === this.labelsFor) return
    this.labelsFor = key
    this.context.font = `${SIZE}px ${ink.font}`
    const candidates: Label[] = []
    const boxes: Box[] = []
    level.content.cells.list.forEach((cell, index) => {
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
