/** One cell of a grid over the layout: column 0 is at the left, row 0 at the top. */
export interface Cell {
  row: number
  column: number
  count: number
  labels: [number, number][]
  stable: boolean
  patches: string[]
}

/** Names a cell of a level without its table, so that it can be kept in an address. */
export interface Place {
  grid: number
  row: number
  column: number
}

export type Direction = 'left' | 'right' | 'up' | 'down'

const STEP: Record<Direction, [number, number]> = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] }

export function samePlace(a: Place | null, b: Place | null): boolean {
  return a === b || (!!a && !!b && a.grid === b.grid && a.row === b.row && a.column === b.column)
}

/** The middle of a place in the unit square. */
export function middle(place: Place): { x: number; y: number } {
  return { x: (place.column + 0.5) / place.grid, y: (place.row + 0.5) / place.grid }
}

/** The table of a level, with the cells also findable by where they lie. */
export class Cells {
  private readonly indices = new Map<number, number>()

  constructor(
    readonly grid: number,
    readonly list: readonly Cell[],
  ) {
    list.forEach((cell, index) => this.indices.set(cell.row * grid + cell.column, index))
  }

  at(row: number, column: number): number | null {
    if (row < 0 || column < 0 || row >= this.grid || column >= this.grid) return null
    return this.indices.get(row * this.grid + column) ?? null
  }

  /** The cell under a point of the unit square. */
  under(x: number, y: number): number | null {
    return this.at(Math.floor(y * this.grid), Math.floor(x * this.grid))
  }

  place(index: number): Place {
    const { row, column } = this.list[index]!
    return { grid: this.grid, row, column }
  }

  nearest(x: number, y: number): number | null {
    return this.least((cell) => Math.hypot((cell.column + 0.5) / this.grid - x, (cell.row + 0.5) / this.grid - y))
  }

  /**
   * The next cell in a direction. Empty places are jumped over, and a step aside costs double, so that the way back is
   * mostly the way there. From a place of another level the first step goes to the cell there.
   */
  step(from: Place, direction: Direction): number | null {
    const { x, y } = middle(from)
    if (from.grid !== this.grid) return this.nearest(x, y)
    const [dx, dy] = STEP[direction]
    return this.least((cell) => {
      const ahead = (cell.column - from.column) * dx + (cell.row - from.row) * dy
      const aside = Math.abs((cell.column - from.column) * dy) + Math.abs((cell.row - from.row) * dx)
      return ahead > 0 ? ahead + 2 * aside : Infinity
    })
  }

  private least(cost: (cell: Cell) => number): number | null {
    let best: number | null = null
    let lowest = Infinity
    this.list.forEach((cell, index) => {
      const value = cost(cell)
      if (value < lowest) [lowest, best] = [value, index]
    })
    return best
  }
}
