import { describe, expect, it } from 'vitest'
import { Cells, type Cell } from '../src/cells'

const cell = (row: number, column: number): Cell => ({ row, column, count: 1, labels: [], stable: true, patches: [] })
//  0 1 . 2
//  . . . .
//  3 . . 4
const cells = new Cells(4, [cell(0, 0), cell(0, 1), cell(0, 3), cell(2, 0), cell(2, 3)])

describe('cells', () => {
  it('are found by the point above them', () => {
    expect(cells.under(0.26, 0.1)).toBe(1)
    expect(cells.under(0.6, 0.1)).toBeNull()
    expect(cells.under(-0.1, 0.1)).toBeNull()
    expect(cells.under(1, 0)).toBeNull()
  })
  it('are walked over gaps, and nowhere beyond the edge', () => {
    expect(cells.step(cells.place(1), 'right')).toBe(2)
    expect(cells.step(cells.place(0), 'down')).toBe(3)
    expect(cells.step(cells.place(2), 'down')).toBe(4)
    expect(cells.step(cells.place(4), 'up')).toBe(2)
    expect(cells.step(cells.place(4), 'left')).toBe(3)
    expect(cells.step(cells.place(0), 'up')).toBeNull()
  })
  it('are entered from another level where one was', () => {
    expect(cells.step({ grid: 8, row: 5, column: 7 }, 'right')).toBe(4)
  })
})
