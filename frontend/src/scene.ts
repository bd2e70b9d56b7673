import { Deck, OrthographicView, type Layer } from '@deck.gl/core'
import { IconLayer } from '@deck.gl/layers'
import type { Cells } from './cells'
import type { Tile } from './tiles'
import { scaleOf, type Frame, type View } from './view'

/** A level as it is to be drawn now. */
export interface Shown {
  name: string // unlike that of any other drawn at the same time
  grid: number
  cells: Cells
  tiles: readonly Tile[]
  sides: Float32Array // of the icons, in units of the map
  alphas: Uint8Array // of the icons, from 0 to 255
  opacity: number
  look: string // changes when sides or alphas change
}

const FIRST = 'pellucid-first-picture'

/** Note in the browser's record when the page showed its first picture. */
export function noteFirst(): void {
  if (performance.getEntriesByName(FIRST).length === 0) performance.mark(FIRST)
}

/** Whether this browser can draw the map at all. */
export function canDraw(): boolean {
  try {
    return document.createElement('canvas').getContext('webgl2') !== null
  } catch {
    return false
  }
}

/** The icons, drawn by the graphics card; it also reads the pointer's drags, wheels and pinches. */
export class Scene {
  private readonly deck: Deck<OrthographicView>
  private mostZoom = 1
  private layers: Layer[] = []
  private drawn = false

  constructor(
    parent: HTMLDivElement,
    private frame: Frame,
    private readonly onView: (view: View) => void,
    onFailure: (message: string) => void,
    private readonly onDrawn: () => void = () => {},
  ) {
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    this.deck = new Deck({
      parent,
      views: new OrthographicView({
        flipY: true,
        controller: {
          scrollZoom: { speed: 0.006, smooth: !still },
          doubleClickZoom: true,
          touchZoom: true,
          touchRotate: false,
          dragRotate: false,
          keyboard: false,
          inertia: still ? 0 : 220,
        },
      }),
      layers: [],
      getCursor: ({ isDragging }) => (isDragging ? 'grabbing' : 'grab'),
      onViewStateChange: ({ viewState }) => this.moved(viewState as unknown as MovedState),
      onError: (error) => onFailure(error.message),
      onAfterRender: () => this.rendered(),
    })
  }

  /** Say when the first picture was seen. */
  private rendered(): void {
    if (this.drawn || !this.layers.some((layer) => layer.isLoaded)) return
    this.drawn = true
    this.onDrawn()
  }

  show(view: View, frame: Frame, mostZoom: number, levels: Shown[]): void {
    this.frame = frame
    this.mostZoom = mostZoom
    this.layers = levels.flatMap((level) => level.tiles.map((tile) => layer(level, tile)))
    this.deck.setProps({ viewState: this.stateOf(view) as never, layers: this.layers })
  }

  remove(): void {
    this.deck.finalize()
  }

  private stateOf(view: View) {
    const fit = scaleOf({ ...view, zoom: 1 }, this.frame)
    return {
      target: [view.x, view.y, 0],
      zoom: Math.log2(fit * view.zoom),
      minZoom: Math.log2(fit),
      maxZoom: Math.log2(fit * this.mostZoom),
    }
  }

  private moved(state: MovedState): void {
    const zoom = Array.isArray(state.zoom) ? state.zoom[0] : state.zoom
    const fit = scaleOf({ x: 0, y: 0, zoom: 1 }, this.frame)
    this.onView({ x: state.target[0], y: state.target[1], zoom: 2 ** zoom / fit })
  }
}

interface MovedState {
  target: [number, number, ...number[]]
  zoom: number | [number, number]
}

function layer({ name, grid, cells, sides, alphas, opacity, look }: Shown, tile: Tile): Layer {
  const { data, mapping } = constants(tile)
  const cell = (index: number) => tile.cells[index]!
  return new IconLayer({
    id: `${name} ${tile.key}`,
    data,
    opacity,
    iconAtlas: tile.bitmap as never,
    iconMapping: mapping,
    sizeUnits: 'common',
    alphaCutoff: 0.005,
    getIcon: (_: unknown, { index }: { index: number }) => String(index),
    getPosition: (_: unknown, { index }: { index: number }) => {
      const { row, column } = cells.list[cell(index)]!
      return [(column + 0.5) / grid, (row + 0.5) / grid]
    },
    getSize: (_: unknown, { index }: { index: number }) => sides[cell(index)]!,
    getColor: (_: unknown, { index }: { index: number }) => [0, 0, 0, alphas[cell(index)]!],
    updateTriggers: { getSize: look, getColor: look },
  })
}

interface Constants {
  data: { length: number }
  mapping: Record<string, { x: number; y: number; width: number; height: number; mask: boolean }>
}

// deck.gl compares these by identity: the same object in each frame means that nothing has to go to the card again.
const known = new WeakMap<Tile, Constants>()

function constants(tile: Tile): Constants {
  let found = known.get(tile)
  if (!found) {
    found = { data: { length: tile.cells.length }, mapping: {} }
    for (let i = 0; i < tile.cells.length; i++) {
      const [x, y] = [tile.corners[2 * i]!, tile.corners[2 * i + 1]!]
      // Half a texel inside, lest the neighbours on the sheet shine in.
      found.mapping[i] = { x: x + 0.5, y: y + 0.5, width: tile.side - 1, height: tile.side - 1, mask: false }
    }
    known.set(tile, found)
  }
  return found
}
