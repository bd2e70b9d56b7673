import { Deck, OrthographicView, type Layer } from '@deck.gl/core'
import { IconLayer } from '@deck.gl/layers'
import type { LevelContent } from './atlas.svelte'
import type { Tile } from './sheet'
import { scaleOf, type Frame, type View } from './view'

/** A level as it is to be drawn now. */
export interface Shown {
  grid: number
  content: LevelContent
  sides: Float32Array // of the icons, in units of the map
  strong: Uint8Array // 1: found, 0: dimmed
  opacity: number
  look: string // changes when sides or strong change
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

  constructor(
    parent: HTMLDivElement,
    private frame: Frame,
    private readonly onView: (view: View) => void,
    onFailure: (message: string) => void,
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
    })
  }

  show(view: View, frame: Frame, mostZoom: number, levels: Shown[]): void {
    this.frame = frame
    this.mostZoom = mostZoom
    this.deck.setProps({
      viewState: this.stateOf(view) as never,
      layers: levels.flatMap((level) => level.content.tiles.map((tile, i) => layer(level, tile, i))),
    })
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

const DIMMED = 26 // of 255: what was not found stays visible as the shape of the land

function layer({ grid, content, sides, strong, opacity, look }: Shown, tile: Tile, part: number): Layer {
  const { cells, icons } = content
  const picture = (index: number) => tile.pictures[index]!
  const { data, mapping } = constants(content, tile)
  return new IconLayer({
    id: `level-${grid}-${part}-${icons.record.file}`,
    data,
    opacity,
    iconAtlas: tile.bitmap as never,
    iconMapping: mapping,
    sizeUnits: 'common',
    alphaCutoff: 0.005,
    getIcon: (_: unknown, { index }: { index: number }) => String(index),
    getPosition: (_: unknown, { index }: { index: number }) => {
      const cell = cells.list[picture(index)]!
      return [(cell.column + 0.5) / grid, (cell.row + 0.5) / grid]
    },
    getSize: (_: unknown, { index }: { index: number }) => sides[picture(index)]!,
    getColor: (_: unknown, { index }: { index: number }) => [0, 0, 0, strong[picture(index)] ? 255 : DIMMED],
    updateTriggers: { getSize: look, getColor: look },
  })
}

interface Constants {
  data: { length: number }
  mapping: Record<string, { x: number; y: number; width: number; height: number; mask: boolean }>
}

// deck.gl compares these by identity: the same object in each frame means that nothing has to go to the card again.
const known = new WeakMap<Tile, Constants>()

function constants(content: LevelContent, tile: Tile): Constants {
  let found = known.get(tile)
  if (!found) {
    found = { data: { length: tile.pictures.length }, mapping: {} }
    for (const [index, picture] of tile.pictures.entries()) {
      const { x, y, size } = content.icons.square(picture)
      // Half a texel inside, lest the neighbours on the sheet shine in.
      found.mapping[index] = { x: x - tile.left + 0.5, y: y - tile.top + 0.5, width: size - 1, height: size - 1, mask: false }
    }
    known.set(tile, found)
  }
  return found
}
