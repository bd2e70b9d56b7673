import { describe, expect, it } from 'vitest'
import { commandLine } from '../src/units/command'
import { Galleries, readGallery, unitOf } from '../src/units/galleries'
import { arranged, beside } from '../src/units/list'
import { neighbour } from '../src/units/walk'

const entry = (unit: number, max: number | null, fires: number | null) => ({ unit, max, fires, pages: [] })
const units = [entry(3, 5, 0.1), entry(12, null, null), entry(30, 7, 0), entry(31, 5, 0.4)]
const numbers = (...given: Parameters<typeof arranged>) => arranged(...given).map(({ unit }) => unit)

describe('a list of units', () => {
  it('is sorted, the largest first, and what is unknown always last', () => {
    expect(numbers(units, 'number', false, '')).toEqual([3, 12, 30, 31])
    expect(numbers(units, 'number', true, '')).toEqual([31, 30, 12, 3])
    expect(numbers(units, 'max', false, '')).toEqual([30, 3, 31, 12])
    expect(numbers(units, 'max', true, '')).toEqual([3, 31, 30, 12])
    expect(numbers(units, 'fires', false, '')).toEqual([31, 3, 30, 12])
  })

  it('keeps those whose number begins with what is looked for', () => {
    expect(numbers(units, 'max', false, ' 3 ')).toEqual([30, 3, 31])
    expect(numbers(units, 'number', false, 'x')).toEqual([])
  })

  it('is stepped through by number, also from a number that it lacks', () => {
    expect([beside(units, 12, -1), beside(units, 12, 1)]).toEqual([3, 30])
    expect([beside(units, 3, -1), beside(units, 31, 1)]).toEqual([null, null])
    expect([beside(units, 20, -1), beside(units, 20, 1)]).toEqual([12, 30])
  })
})

describe('tiles', () => {
  // 0 1 2
  // 3 4
  const tiles = [0, 1, 2, 3, 4].map((i) => ({ x: (i % 3) * 50.3, y: Math.floor(i / 3) * 70 + (i === 1 ? 0.4 : 0) }))

  it('are walked along lines, and to the nearest of the next line', () => {
    expect(neighbour(tiles, 0, 'right')).toBe(1)
    expect(neighbour(tiles, 2, 'left')).toBe(1)
    expect(neighbour(tiles, 1, 'down')).toBe(4)
    expect(neighbour(tiles, 2, 'down')).toBe(4)
    expect(neighbour(tiles, 3, 'up')).toBe(0)
  })
  it('end at the edges', () => {
    expect(neighbour(tiles, 2, 'right')).toBeNull()
    expect(neighbour(tiles, 3, 'left')).toBeNull()
    expect(neighbour(tiles, 1, 'up')).toBeNull()
    expect(neighbour(tiles, 9, 'up')).toBeNull()
  })
})

describe('rendered pictures', () => {
  const picture = (objective: string, file: string, silent = false) => ({ objective, file, seed: 0, value: 1, silent })
  const gallery = (...pictures: unknown[]) => readGallery('data/visualizations/p/gallery.json', 'p', { format: 1, pictures })

  it('are those of one whole unit, also if they drive it down', () => {
    expect(unitOf('a.b:3')).toEqual({ layer: 'a.b', unit: 3, down: false })
    expect(unitOf('-a.b:3')).toEqual({ layer: 'a.b', unit: 3, down: true })
    for (const other of ['a:3@1,2', '2*a:3', 'a:3 - a:4', 'class(3)', '']) expect(unitOf(other)).toBeNull()
  })

  it('stand in the order in which they tell most', () => {
    const pictures = gallery(
      picture('-a:3', 'down.png'),
      picture('a:3', 'silent.png', true),
      picture('a:4', 'other.png'),
      picture('a:3 - a:4', 'sum.png'),
      null,
      picture('a:3', 'up #1.png'),
    )
    const urls = new Galleries(pictures, []).of('a', 3).map(({ url }) => url)
    const folder = 'data/visualizations/p/'
    expect(urls).toEqual([`${folder}up%20%231.png`, `${folder}down.png`, `${folder}silent.png`])
    expect(new Galleries(pictures, []).of('a', 5)).toEqual([])
  })

  it('of a damaged or newer gallery are refused', () => {
    expect(() => readGallery('g', 'p', null)).toThrow('g is damaged: it is not a gallery.')
    expect(() => readGallery('g', 'p', { format: 2, pictures: [] })).toThrow('g was written by a newer version')
  })
})

it('quotes what a shell would take apart', () => {
  expect(commandLine('pellucid', 'examples', 'my study', 'mixed3b:3')).toBe("pellucid examples 'my study' mixed3b:3")
  expect(commandLine("it's", '$HOME', '')).toBe(`'it'\\''s' '$HOME' ''`)
})
