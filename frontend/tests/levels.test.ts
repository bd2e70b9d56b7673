import { describe, expect, it } from 'vitest'
import { chooseGrid, standIn } from '../src/levels'

describe('chooseGrid', () => {
  const grids = [10, 20, 40, 80]

  it('keeps icons between 48 and 96 pixels wide while there is a level for it', () => {
    for (let scale = 600; scale <= 7680; scale *= 1.01) {
      const pitch = scale / chooseGrid(grids, scale)
      expect(pitch).toBeGreaterThanOrEqual(48 - 1e-9)
      expect(pitch).toBeLessThanOrEqual(96 + 1e-9)
    }
  })

  it('ends at the coarsest and the finest level', () => {
    expect(chooseGrid(grids, 100)).toBe(10)
    expect(chooseGrid(grids, 1e6)).toBe(80)
    expect(chooseGrid([7], 500)).toBe(7)
  })
})

describe('standIn', () => {
  const levels = [{ grid: 4 }, { grid: 8 }, { grid: 16 }]
  const ready = (...grids: number[]) => (level: { grid: number }) => grids.includes(level.grid)

  it('is the wanted level if it is there', () => {
    expect(standIn(levels, levels[1]!, ready(4, 8))?.grid).toBe(8)
  })
  it('is else the nearest coarser one, else the nearest finer one', () => {
    expect(standIn(levels, levels[2]!, ready(4, 8))?.grid).toBe(8)
    expect(standIn(levels, levels[0]!, ready(8, 16))?.grid).toBe(8)
    expect(standIn(levels, levels[0]!, ready())).toBeNull()
  })
})
