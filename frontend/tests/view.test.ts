import { describe, expect, it } from 'vitest'
import { between, clamped, project, unproject, zoomedAbout } from '../src/view'

const frame = { width: 900, height: 700 }
const view = { x: 0.3, y: 0.6, zoom: 3 }

describe('a view', () => {
  it('shows the whole map at zoom 1', () => {
    const corners = [0, 1].map((x) => project({ x: 0.5, y: 0.5, zoom: 1 }, frame, { x, y: x }))
    for (const { x, y } of corners) {
      expect(x >= 0 && x <= frame.width && y >= 0 && y <= frame.height).toBe(true)
    }
  })
  it('finds the point below a pixel again', () => {
    const point = { x: 0.21, y: 0.77 }
    const back = unproject(view, frame, project(view, frame, point))
    expect(back.x).toBeCloseTo(point.x, 12)
    expect(back.y).toBeCloseTo(point.y, 12)
  })
  it('keeps the anchor where it is while zooming', () => {
    const anchor = { x: 0.4, y: 0.5 }
    const [before, after] = [view, zoomedAbout(view, anchor, 1.7)].map((v) => project(v, frame, anchor))
    expect(after!.x).toBeCloseTo(before!.x, 9)
    expect(after!.y).toBeCloseTo(before!.y, 9)
  })
  it('keeps the anchor also half-way', () => {
    const anchor = { x: 0.4, y: 0.5 }
    const half = between(view, zoomedAbout(view, anchor, 4), 0.5)
    expect(half.zoom).toBeCloseTo(6, 9)
    expect(project(half, frame, anchor).x).toBeCloseTo(project(view, frame, anchor).x, 6)
  })
  it('stays on the map', () => {
    expect(clamped({ x: -1, y: 2, zoom: 0.1 }, 9)).toEqual({ x: 0, y: 1, zoom: 1 })
    expect(clamped({ x: 0.5, y: 0.5, zoom: 99 }, 9).zoom).toBe(9)
  })
})
