import type { Direction } from '../cells'

export interface Point {
  x: number
  y: number
}

export const ARROWS: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
}

/**
 * The next of some tiles in a direction: to the side only along the line, up and down to the nearest of the next line.
 * Null where there is none.
 */
export function neighbour(tiles: readonly Point[], from: number, direction: Direction): number | null {
  const here = tiles[from]
  if (!here) return null
  const along = direction === 'left' || direction === 'right'
  const sign = direction === 'right' || direction === 'down' ? 1 : -1
  let best: number | null = null
  let least = [Infinity, Infinity]
  tiles.forEach((tile, index) => {
    const ahead = sign * (along ? tile.x - here.x : tile.y - here.y)
    const aside = Math.abs(along ? tile.y - here.y : tile.x - here.x)
    // Places of a layout are rounded: what is less than a pixel off stands on the same line.
    if (ahead < 1 || (along && aside >= 1)) return
    const near = ahead < least[0]! - 1 || (ahead < least[0]! + 1 && aside < least[1]!)
    if (near) [least, best] = [[ahead, aside], index]
  })
  return best
}

/** Let the arrow keys walk over the elements of a container that a selector finds; Home and End go to its ends. */
export function walk(event: KeyboardEvent, container: HTMLElement, selector: string): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const tiles = [...container.querySelectorAll<HTMLElement>(selector)]
  const from = tiles.indexOf(document.activeElement as HTMLElement)
  const direction = ARROWS[event.key]
  let to: number | null = null
  if (from >= 0 && direction) {
    const points = tiles.map((tile) => tile.getBoundingClientRect()).map(({ x, y }) => ({ x, y }))
    to = neighbour(points, from, direction)
  } else if (from >= 0 && event.key === 'Home') to = 0
  else if (from >= 0 && event.key === 'End') to = tiles.length - 1
  else return
  event.preventDefault()
  event.stopPropagation()
  if (to !== null) tiles[to]?.focus()
}
