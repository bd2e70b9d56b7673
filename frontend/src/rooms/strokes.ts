import type { Stroke, Weighted } from '../live'

// Cells and paintings as text, so that they fit into an address: `10.3.4` is a cell of a grid, row, column; with how much
// of it, `10.3.4*0.5`; a mixture `10.3.4*0.5,10.3.5`; a painting `MIXTURE:0-5,14;MIXTURE:6`, where positions are counted
// row by row.

const MOST_CELLS = 64
const MOST_POSITIONS = 4096

export function formatCells(cells: readonly Weighted[]): string {
  return cells
    .map(({ grid, row, column, weight }) => {
      const share = Number(weight.toPrecision(3))
      return `${grid}.${row}.${column}${share === 1 ? '' : `*${share}`}`
    })
    .join(',')
}

/** Read cells; those that make no sense, or come a second time, are left out. */
export function parseCells(text: string): Weighted[] {
  const cells = new Map<string, Weighted>()
  for (const part of text.split(',').slice(0, MOST_CELLS)) {
    const match = /^(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?:\*(-?\d{1,3}(?:\.\d{1,6})?))?$/.exec(part)
    if (!match) continue
    const [grid, row, column] = match.slice(1, 4).map(Number) as [number, number, number]
    const weight = match[4] === undefined ? 1 : Number(match[4])
    const key = `${grid}.${row}.${column}`
    if (row < grid && column < grid && weight !== 0 && !cells.has(key)) cells.set(key, { grid, row, column, weight })
  }
  return [...cells.values()]
}

/** What is painted at each position, row by row: a mixture as text, or nothing. */
export type Ground = readonly (string | null)[]

export function formatGround(ground: Ground): string {
  const positions = new Map<string, number[]>()
  ground.forEach((mixture, position) => {
    if (mixture) positions.set(mixture, [...(positions.get(mixture) ?? []), position])
  })
  return [...positions].map(([mixture, some]) => `${mixture}:${runs(some)}`).join(';')
}

export function parseGround(text: string, size: number): (string | null)[] {
  const ground: (string | null)[] = Array.from({ length: Math.min(size, MOST_POSITIONS) }, () => null)
  for (const group of text.split(';')) {
    const [mixture, where] = group.split(':')
    const cells = formatCells(parseCells(mixture ?? ''))
    if (!cells || !where) continue
    for (const run of where.split(',')) {
      const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(run)
      if (!match) continue
      const last = Math.min(Number(match[2] ?? match[1]), ground.length - 1)
      for (let position = Number(match[1]); position <= last; position++) ground[position] = cells
    }
  }
  return ground
}

export function strokesOf(ground: Ground, columns: number): Stroke[] {
  return ground.flatMap((mixture, position) =>
    mixture ? [{ row: Math.floor(position / columns), column: position % columns, cells: parseCells(mixture) }] : [],
  )
}

function runs(positions: readonly number[]): string {
  const found: [number, number][] = []
  for (const position of positions) {
    const last = found.at(-1)
    if (last && last[1] === position - 1) last[1] = position
    else found.push([position, position])
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',')
}
