import { formatGround, type Ground } from './strokes'

const MOST_UNDO = 200

/** A canvas of positions, each painted with a mixture of cells or bare. */
export class Painting {
  ground = $state.raw<Ground>([])
  private before = $state.raw<Ground[]>([])
  private fresh = true // nothing has been put since `begin`

  constructor(
    readonly rows: number,
    readonly columns: number,
    ground: Ground,
  ) {
    this.ground = Array.from({ length: rows * columns }, (_, position) => ground[position] ?? null)
  }

  readonly painted = $derived(this.ground.filter(Boolean).length)
  readonly text = $derived(formatGround(this.ground))
  readonly undoable = $derived(this.before.length > 0)

  /** What comes until the next one can be taken back at once. */
  begin(): void {
    this.fresh = true
  }

  /** Paint around a position, or wipe with `null`; a reach of 1 is the position alone. */
  put(row: number, column: number, mixture: string | null, reach: number): void {
    const ground = [...this.ground]
    const back = Math.floor((reach - 1) / 2)
    for (let i = row - back; i < row - back + reach; i++) {
      for (let j = column - back; j < column - back + reach; j++) {
        if (i >= 0 && j >= 0 && i < this.rows && j < this.columns) ground[i * this.columns + j] = mixture
      }
    }
    this.take(ground)
  }

  fill(mixture: string | null): void {
    this.begin()
    this.take(this.ground.map(() => mixture))
  }

  undo(): void {
    const last = this.before.at(-1)
    if (!last) return
    this.before = this.before.slice(0, -1)
    this.ground = last
  }

  private take(ground: Ground): void {
    if (ground.every((value, position) => value === this.ground[position])) return
    if (this.fresh) this.before = [...this.before, this.ground].slice(-MOST_UNDO)
    this.fresh = false
    this.ground = ground
  }

  at(row: number, column: number): string | null {
    return this.ground[row * this.columns + column] ?? null
  }
}
