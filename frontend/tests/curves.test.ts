import { describe, expect, it } from 'vitest'
import { apart, arc, colour, envelope, INNER, nearest, outline, place, shares, spread, wideGaps, wrapped } from '../src/curves/radial'
import { best, familyAt, readFound, type FoundUnit } from '../src/curves/record'
import { confirmation, counted, degrees, discovery, gapWords, median, unitList, width } from '../src/curves/words'

const URL = 'data/curves/found.json'

function unit(number: number, direction: number | null, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    unit: `a.b:${number}`,
    kind: 'mature',
    score: 1,
    direction,
    argmax: direction,
    R: 0.9,
    echo: 0,
    fwhm: 38.4,
    z: 20,
    line_over_curve: 0.5,
    angle_over_curve: 0.6,
    fill_correlation: 0.99,
    fires: 0.1,
    natural_difference: null,
    natural_chance: null,
    confirmed: null,
    note: '',
    missed: '',
    tuning: [1, 0.5, 0, 0.5],
    ...more,
  }
}

function content(more: Record<string, unknown> = {}): Record<string, unknown> {
  const none = { real: 0, nulls: { 'permuted 0': 1 }, rate: null, most: null }
  return {
    format: 1,
    network: { name: 'net' },
    images: { source: '/photographs' },
    config: { natural: true },
    thresholds: { mature_natural: 15 },
    layers: [{ layer: 'a.b', units: 8, mature: 2, mature_null: 0.5, confirmed: 1, proto: 0, proto_null: null, line: 0, double: 0 }],
    discoveries: { mature: { real: 2, nulls: { 'permuted 0': 1 }, rate: 0.5, most: 1 }, proto: none, line: none, double: none },
    families: [
      {
        layer: 'a.b',
        kind: 'mature',
        units: [3, 5],
        directions: [90, 359.9999999],
        gaps: [
          { before: 3, after: 5, degrees: 270 },
          { before: 5, after: 3, degrees: 90 },
        ],
        coverage: 0.25,
        least_correlation: 0.9,
        median_correlation: 0.9,
        z: [20, 20],
      },
    ],
    units: [unit(3, 90), unit(5, 359.9999999), unit(6, null, { kind: 'none', score: 0.4, argmax: null, z: null })],
    ...more,
  }
}

describe('what a search found', () => {
  it('is read with its families, in the order of directions', () => {
    const found = readFound(URL, content())
    expect(found.network).toBe('net')
    expect(found.layers[0]!.counts).toMatchObject({ mature: { found: 2, chance: 0.5 }, proto: { found: 0, chance: null } })
    const family = familyAt(found, 'a.b', 1)!
    expect(family.units.map((one) => one.unit)).toEqual([5, 3]) // 359.9999999 is 0
    expect(family).toMatchObject({ kind: 'mature', number: 1, coverage: 0.25, z: [20, 20] })
    expect([familyAt(found, 'a.b', 2), familyAt(found, 'a', 1)]).toEqual([null, null])
    expect(best(found.units, 2).map((one) => one.unit)).toEqual([3, 5])
  })

  it.each<[string, unknown]>([
    ['no record', null],
    ['no units', content({ units: undefined })],
    ['a family of unknown units', content({ units: [unit(3, 90)] })],
    ['a unit without a tuning curve', content({ units: [unit(3, 90, { tuning: null })], families: [] })],
    ['a strange kind', content({ units: [unit(3, 90, { kind: 'round' })], families: [] })],
  ])('is refused as damaged: %s', (_, damaged) => expect(() => readFound(URL, damaged)).toThrow(/found.json is damaged/))

  it('is refused where a newer version wrote it', () =>
    expect(() => readFound(URL, content({ format: 2 }))).toThrow(/newer version/))
})

describe('the circle', () => {
  it('runs clockwise from 3 o’clock', () => {
    const [x, y] = place(90, 2)
    expect(x).toBeCloseTo(0)
    expect(y).toBeCloseTo(2) // down, as in an image
    expect([wrapped(-10), wrapped(720), apart(350, 10), apart(90, 270)]).toEqual([350, 0, 20, 180])
  })

  it('gives every direction a colour of its own', () => {
    expect(colour(0)).toBe('hsl(0 60% 55%)')
    expect(colour(360)).toBe(colour(0))
    expect(new Set([0, 15, 90, 180, 270].map(colour)).size).toBe(5)
  })

  it('has curves above the inner circle, each of height 1', () => {
    expect(shares([0, 2, 4, 1])).toEqual([0, 0.5, 1, 0.25])
    expect(shares([0, 0, 0])).toBeNull()
    expect(shares([NaN, 2, 1])).toEqual([NaN, 1, 0.5])
    const corners = outline([1, 0, 0.5, 0])
      .slice(1, -1)
      .split('L')
      .map((point) => point.split(' ').map(Number))
    expect(corners).toEqual([[INNER + 1, 0], [0, INNER], [-INNER - 0.5, 0], [0, -INNER]])
  })

  it('is covered by the best unit at each angle', () => {
    expect(envelope([{ tuning: [2, 0, 1, 0] }, { tuning: [0, 5, 1, 0] }])).toEqual([1, 1, 0.5, 0])
    expect(envelope([{ tuning: [0, 0, 0] }])).toBeNull()
    expect(envelope([{ tuning: [1, 0, 0] }, { tuning: [1, 0, 0, 0] }])).toBeNull()
  })

  it('draws an arc the long way where it is more than half', () => {
    expect(arc(0, 90, 1)).toBe('M1 0A1 1 0 0 1 0 1')
    expect(arc(0, 270, 1)).toBe('M1 0A1 1 0 1 1 0 -1')
  })

  it('finds the unit that a place means, over 3 o’clock as well', () => {
    const units = [{ argmax: 350 }, { argmax: 30 }]
    expect(nearest(units, 5)).toBe(units[0])
    expect(nearest(units, 20)).toBe(units[1])
    expect(nearest([], 20)).toBeNull()
  })
})

describe('names about the circle', () => {
  it('stay where there is room', () => expect(spread([10, 90, 200], 9)).toEqual([10, 90, 200]))

  it.each([
    [[0, 0, 0, 0], 10],
    [[358, 359, 0, 1, 2], 9],
    [Array.from({ length: 60 }, () => 45), 9],
    [[0, 120, 240, ...Array.from({ length: 37 }, () => 45)], 9],
  ])('make room for each other: %o', (angles, least) => {
    const placed = spread(angles, least)
    const sorted = [...placed].sort((a, b) => a - b)
    const gaps = sorted.map((at, i) => wrapped((sorted[i + 1] ?? sorted[0]! + 360) - at) || 360)
    expect(Math.min(...gaps)).toBeGreaterThan(Math.min(least, 360 / angles.length) - 1e-6)
  })

  it('keep their order', () => expect(spread([20, 10, 11], 9).map(Math.round)).toEqual([23, 5, 14]))
})

it('names gaps that are wide for so many units, the widest first', () => {
  const gaps = [20, 100, 60, 20, 80, 80].map((degrees, at) => ({ before: at, after: (at + 1) % 6, degrees }))
  expect(wideGaps(gaps).map(({ degrees }) => degrees)).toEqual([100])
  expect(wideGaps([{ before: 1, after: 1, degrees: 360 }])).toEqual([])
  expect(gapWords(gaps.slice(1, 3))).toBe('100° between 1 and 2, 60° between 2 and 3')
})

describe('words', () => {
  it('say what chance would give', () => {
    const none = { real: 0, nulls: [['shuffled 1', 3]] as [string, number][], rate: null, most: null }
    expect(discovery('double', none)).toBe('No double curve detectors; 3 in the network with shuffled weights (seed 1).')
    const one = { real: 1, nulls: [['permuted 0', 0]] as [string, number][], rate: 0, most: 0.5 }
    expect(discovery('mature', one).replaceAll('\u00a0', ' ')).toBe(
      '1 curve detector; 0 in the network with permuted channels. False discovery rate 0 %, at most 50 % with 95 % confidence.',
    )
    expect(discovery('line', { ...one, rate: 1, most: 1 })).toMatch(/Chance alone would give as many/)
    expect(discovery('proto', { ...one, nulls: [] })).toMatch(/nothing is known of chance/)
    expect(counted(1234, 'line')).toBe('1,234 line detectors')
  })

  it('write directions from 0 up to 360', () => {
    expect([degrees(359.9999), degrees(359.94, 1), degrees(-15), degrees(null)]).toEqual(['0°', '359.9°', '345°', '–'])
    expect([width(38.4), width(-3.21), width(-0.01), width(null)]).toEqual(['38°', '−3.2°', '0°', '–'])
  })

  it('say whether photographs confirm a unit, or why not', () => {
    const found = readFound(URL, content())
    const told = (more: Partial<FoundUnit>, natural = true) => confirmation({ ...found.units[0]!, ...more }, { ...found, natural })
    expect(told({ confirmed: true, natural: 3 })).toBe('Yes')
    expect(told({ confirmed: false, natural: -22.7, chance: 0.01 })).toBe('No: −23° is over 15°')
    expect(told({ confirmed: false, natural: 3, chance: 0.25 })).toBe('No: by chance 25 % agree as well')
    expect(told({ confirmed: false, note: 'it fires at no photograph' })).toBe('No: it fires at no photograph')
    expect(told({ confirmed: null }, false)).toBe('Not tested')
    expect(told({ confirmed: null, kind: 'proto' })).toBe('–')
  })

  it('name units as commands take them', () => {
    expect(unitList('a.b', [12, 3, 4, 5, 9])).toBe('a.b:3-5,9,12')
    expect(unitList('a.b', [7])).toBe('a.b:7')
  })

  it('know the middle of what is known', () => {
    expect([median([3, null, 1]), median([1, 2, 9]), median([null])]).toEqual([2, 2, null])
  })
})
