import { describe, expect, it } from 'vitest'
import { bars, cut, densities, logTicks, lonely, tailLine } from '../src/units/plots'

describe('the bars of a histogram', () => {
  const histogram = { edges: [0, 1, 2, 3, 4, 5, 6, 7], counts: [0, 3, 0, 5, 1, 2, 0] }

  it('leave out the empty ends only', () => {
    expect(bars(histogram, 100)).toEqual([
      { low: 1, high: 2, count: 3 },
      { low: 2, high: 3, count: 0 },
      { low: 3, high: 4, count: 5 },
      { low: 4, high: 5, count: 1 },
      { low: 5, high: 6, count: 2 },
    ])
  })
  it('join until few enough are left, and keep every position', () => {
    for (const most of [1, 2, 3, 4]) {
      const joined = bars(histogram, most)
      expect(joined.length).toBeLessThanOrEqual(most)
      expect(joined.reduce((sum, bar) => sum + bar.count, 0)).toBe(11)
      expect(joined[0]!.low).toBe(1)
      joined.slice(1).forEach((bar, i) => expect(bar.low).toBe(joined[i]!.high))
    }
  })
  it('are none of an empty histogram', () => {
    expect(bars({ edges: [0, 1], counts: [0] }, 10)).toEqual([])
  })
})

it('cuts the axis only where one bar would press the others flat', () => {
  expect(cut([1, 2, 3])).toBeNull()
  expect(cut([0.9, 0.05, 0.02])).toBeCloseTo(0.065, 12)
  expect(cut([1])).toBeNull()
  expect(cut([])).toBeNull()
})

it('finds the places that a line does not show', () => {
  const places = [1, null, 2, 3, null, 4].map((density, x) => ({ x, density }))
  expect(lonely(places).map(({ x }) => x)).toEqual([0, 5])
})

it('marks a logarithmic axis at few round numbers', () => {
  expect(logTicks(2e-7, 3e-3)).toEqual([1e-6, 1e-5, 1e-4, 1e-3])
  expect(logTicks(1e-3, 0.1)).toEqual([1e-3, 1e-2, 0.1])
  expect(logTicks(0.03, 0.4)).toEqual([0.05, 0.1, 0.2])
  expect(logTicks(1e-20, 1).length).toBeLessThanOrEqual(6)
  expect(logTicks(Infinity, -Infinity)).toEqual([])
})

describe('a fitted tail', () => {
  const [scale, height] = [96.6, -2]
  const x = Array.from({ length: 40 }, (_, i) => -100 + 25 * i)
  const log = x.map((place) => (place === 50 ? null : height - place / scale))
  const tail = { low: 25, high: 400, scale, intercept: null, r2: 1, interval: null, meanExcess: [] }

  it('lies on an exponential density from end to end', () => {
    const line = tailLine({ x, log }, tail)
    expect(line.map((place) => place.x)).toEqual([25, 400])
    for (const place of line) expect(place.density).toBeCloseTo(Math.exp(height - place.x / scale), 12)
  })
  it('takes its height from its own places', () => {
    const bent = log.map((value, i) => (x[i]! > 400 || x[i]! < 25 ? 0 : value))
    expect(tailLine({ x, log: bent }, tail)).toEqual(tailLine({ x, log }, tail))
  })
  it('has the height of its record', () => {
    expect(tailLine({ x, log: [] }, { ...tail, intercept: -5 })[0]!.density).toBeCloseTo(Math.exp(-5 - 25 / scale), 12)
  })
  it('is nothing without places', () => {
    expect(tailLine({ x: [1], log: [0] }, tail)).toEqual([])
  })
  it('breaks the line of the density where it is empty', () => {
    expect(densities({ x: [1, 2], log: [0, null] })).toEqual([{ x: 1, density: 1 }, { x: 2, density: null }])
  })
})
