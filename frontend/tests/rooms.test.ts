import { describe, expect, it } from 'vitest'
import type { Cell } from '../src/cells'
import { parseRoute, formatRoute, type PageRoute } from '../src/route'
import { readHistogram, tintOf } from '../src/rooms/histogram'
import { readImage, sidesOf } from '../src/rooms/image'
import { readNetworks } from '../src/rooms/networks'
import { classNamed, rated } from '../src/rooms/page'
import { Painting } from '../src/rooms/painting.svelte'
import { readPatch, rowsOf } from '../src/rooms/patch'
import {
  classRoute,
  histogramRoute,
  imageRoute,
  MOST_SIDES,
  networksRoute,
  paintRoute,
  patchRoute,
  queryRoute,
  sideRoute,
} from '../src/rooms/routes'
import { classMeant, known, strengths } from '../src/rooms/strengths'
import { formatCells, formatGround, parseCells, parseGround, strokesOf } from '../src/rooms/strokes'

const cell = (grid: number, row: number, column: number, weight = 1) => ({ grid, row, column, weight })

describe('cells as text', () => {
  it.each([
    ['10.3.4', [cell(10, 3, 4)]],
    ['10.3.4*0.5,20.0.19', [cell(10, 3, 4, 0.5), cell(20, 0, 19)]],
    ['8.1.1*-1', [cell(8, 1, 1, -1)]],
  ])('come back as they were: %s', (text, cells) => {
    expect(parseCells(text)).toEqual(cells)
    expect(formatCells(cells)).toBe(text)
  })

  it.each(['', '10.10.0', '10.0.10', '0.0.0', '10.3', '10.3.4*0', '10.3.4*', '-1.0.0', '1e1.0.0', '10.3.4*NaN', '<b>'])(
    'that make no sense are left out: %s',
    (text) => expect(parseCells(`${text},8.1.2`)).toEqual([cell(8, 1, 2)]),
  )

  it('are named once each', () => {
    expect(parseCells('8.1.2,8.1.2*0.5,8.1.3')).toEqual([cell(8, 1, 2), cell(8, 1, 3)])
  })
})

describe('a painting as text', () => {
  const ground = ['8.1.2', '8.1.2', null, '8.1.2', '8.0.0*0.5,8.1.1', null]

  it('comes back as it was, in runs', () => {
    const text = formatGround(ground)
    expect(text).toBe('8.1.2:0-1,3;8.0.0*0.5,8.1.1:4')
    expect(parseGround(text, ground.length)).toEqual(ground)
  })

  it('never reaches beyond its canvas', () => {
    expect(parseGround('8.1.2:0-99999,7', 3)).toEqual(['8.1.2', '8.1.2', '8.1.2'])
    expect(parseGround('8.1.2:5;8.9.9:0;:1;8.1.2', 3)).toEqual([null, null, null])
    expect(parseGround('8.1.2:0', 1e9).length).toBeLessThan(1e4)
  })

  it('tells the server row, column and cells', () => {
    expect(strokesOf(ground, 3)).toEqual([
      { row: 0, column: 0, cells: [cell(8, 1, 2)] },
      { row: 0, column: 1, cells: [cell(8, 1, 2)] },
      { row: 1, column: 0, cells: [cell(8, 1, 2)] },
      { row: 1, column: 1, cells: [cell(8, 0, 0, 0.5), cell(8, 1, 1)] },
    ])
  })
})

describe('a canvas', () => {
  it('is painted around a position, not beyond its edge', () => {
    const painting = new Painting(3, 4, [])
    painting.put(0, 0, '8.1.2', 3)
    expect(painting.text).toBe('8.1.2:0-1,4-5')
    painting.put(2, 3, '8.1.2', 2)
    expect(painting.text).toBe('8.1.2:0-1,4-5,11')
    expect(painting.painted).toBe(5)
  })

  it('takes back a whole stroke at once', () => {
    const painting = new Painting(2, 3, [])
    painting.begin()
    painting.put(0, 0, 'a', 1)
    painting.put(0, 1, 'a', 1)
    painting.begin()
    painting.put(0, 1, null, 1)
    painting.begin() // nothing comes of it
    expect(painting.ground).toEqual(['a', null, null, null, null, null])
    painting.undo()
    expect(painting.ground).toEqual(['a', 'a', null, null, null, null])
    painting.undo()
    expect(painting.painted).toBe(0)
    expect(painting.undoable).toBe(false)
    painting.undo()
    painting.fill('b')
    expect(painting.painted).toBe(6)
    painting.undo()
    expect(painting.painted).toBe(0)
  })
})

describe('the address of a room', () => {
  const through = (page: PageRoute) => parseRoute(formatRoute(page)) as PageRoute

  it.each([
    [imageRoute, { name: 'a b & c', at: [3, 4], label: 0, group: 2 }],
    [patchRoute, { name: 'ball', mode: 'consistent' }],
    [patchRoute, { name: '', size: 0.4, corner: 3, photo: 0, patch: 'ball-01.png', scale: 0.35, place: 2 }],
    [histogramRoute, { name: 'animals', cell: [0, 12] }],
    [networksRoute, { name: 'two', of: 'other', cell: [1, 1] }],
    [sideRoute, { atlases: ['a@c1', 'b'], view: { x: 0.25, y: 0.75, zoom: 3.5 }, label: 555, minus: true }],
    [classRoute, { label: 555, minus: true, strength: 1.5 }],
    [paintRoute, { atlas: 'a', brush: [cell(8, 1, 2, 0.5)], strokes: '8.1.2*0.5:0-9,14;8.1.3:20', steps: 64, size: 96, seed: 7 }],
    [queryRoute, { atlas: 'a', cells: [cell(8, 1, 2), cell(8, 1, 3, -0.5)], limit: 10 }],
    [imageRoute, { name: 'x' }],
    [classRoute, {}],
    [paintRoute, { atlas: '' }],
  ] as never as [{ read: (page: PageRoute) => object; write: (route: object) => PageRoute }, object][])('comes back as it was: %#', (form, route) => {
    const page = form.write(route)
    expect(through(page).key).toBe(page.key)
    expect(form.read(through(page))).toEqual(route)
  })

  it('leaves out what makes no sense', () => {
    const page = (key: string, rest: Record<string, string>): PageRoute => ({ room: 'page', key, value: 'a', rest })
    expect(imageRoute.read(page('image', { at: '3', label: '-1', group: 'x' }))).toEqual({ name: 'a' })
    expect(sideRoute.read(page('side', { x: '0.5', y: '0.5', zoom: '0', class: '1e9', sign: 'plus' }))).toEqual({ atlases: ['a'] })
    expect(paintRoute.read(page('paint', { brush: '<b>', steps: '-5' }))).toEqual({ atlas: 'a' })
    expect(networksRoute.read(page('networks', { of: 'other' }))).toEqual({ name: 'a' })
  })

  it('lays only so many atlases side by side', () => {
    const page: PageRoute = { room: 'page', key: 'side', value: 'abcdefghijk'.split('').join(','), rest: {} }
    expect(sideRoute.read(page).atlases).toHaveLength(MOST_SIDES)
  })

  it('of an atlas with a class is that of the atlas', () => {
    expect(parseRoute('#atlas=a&class=3')).toEqual({ room: 'atlas' })
    expect(parseRoute('#class=3')).toMatchObject({ key: 'class', value: '3' })
    expect(parseRoute('#side=a,b&class=3')).toMatchObject({ key: 'side', value: 'a,b' })
  })
})

describe('what speaks for a class', () => {
  it('is as strong as a share of its own largest', () => {
    expect([...strengths([2, 1, 0, -4], false, 1)]).toEqual([1, 0.5, 0, 0])
    expect([...strengths([2, 1, 0, -4], true, 1)]).toEqual([0, 0, 0, 1])
    expect([...strengths([2, 1, 0.5, -4], false, 2)]).toEqual([1, 1, 0.5, 0])
  })

  it('is nothing where nothing does', () => {
    expect([...strengths([-1, 0], false, 1)]).toEqual([0, 0])
    expect([...strengths([], false, 1)]).toEqual([])
  })

  it('is known from a table as far as it says', () => {
    const cells = [{ labels: [[3, 0.5]] }, { labels: [[1, 0.25], [3, -0.25]] }, { labels: [] }] as unknown as Cell[]
    expect([...known(cells, 3)]).toEqual([0.5, -0.25, 0])
  })

  it.each([
    ['1', 1],
    ['great white shark', 1],
    ['White Shark', 1],
    ['lemon', 2],
    ['lem', null],
    ['tench', 0],
    ['ten', 0],
    ['', null],
    ['99', null],
    ['shark', null],
  ])('“%s” means a class or none', (words, label) => {
    expect(classMeant(['tench, Tinca tinca', 'great white shark, white shark', 'lemon', 'lemon shark'], words)).toBe(label)
  })
})

describe('classes of pages', () => {
  it('are said by number or by name', () => {
    expect(classNamed(['a', 'b'], 1)).toBe('b')
    expect(classNamed(['a', 'b'], '1')).toBe('b')
    expect(classNamed(['a', 'b'], 'other')).toBe('other')
    expect(classNamed(['a'], 7)).toBe('class 7')
    expect(() => classNamed(['a'], -1)).toThrow(TypeError)
    expect(rated([[1, 0.5]], ['a', 'b'])).toEqual([{ name: 'b', index: 1, value: 0.5 }])
  })
})

const IMAGE = {
  photo: 'photo.png',
  network: 'net',
  layer: 'a',
  grid: [1, 2],
  icons: { file: 'icons.png', size: 8, columns: 2 },
  norms: [4, 1],
  classes: ['a', 'b'],
  logits: [[1, 2]],
  positions: [[[0, 1]], [[1, 1]]],
  attribution: { 1: [0.5, -0.5] },
  neurons: [],
  groups: [],
  atlas: 'a',
  cells: [[8, 1, 2], null],
}

describe('the page of an image', () => {
  it('is read with what it has', () => {
    const read = readImage(IMAGE)
    expect(read).toMatchObject({ rows: 1, columns: 2, pair: null, cells: [[8, 1, 2], null] })
    expect(read.attribution.get(1)).toEqual([0.5, -0.5])
  })

  it.each([{ norms: [1] }, { positions: [[]] }, { grid: [2] }, { attribution: { 1: [1] } }, { photo: 3 }, { cells: [[1, 2]] }])(
    'is refused where it does not fit: %o',
    (change) => expect(() => readImage({ ...IMAGE, ...change })).toThrow(TypeError),
  )

  it('draws icons whose areas are as the activations', () => {
    expect(sidesOf([4, 1, 0])).toEqual([1, 0.5, 0])
    expect(sidesOf([0, 0])).toEqual([0, 0])
  })
})

describe('the page of patches', () => {
  const row = (patch: string, size: number | null, corner: number | string | null, rate: number) => ({
    ...{ patch, size, corner, rate, images: 10, correct: 9, changed: 5, to_target: 10 * rate },
    ...{ low: rate / 2, high: rate, logit: 1, logit_low: 0.5, logit_high: null },
  })
  const CONTENT = {
    network: 'net',
    source: 1,
    target: 0,
    classes: ['a', 'b'],
    images: 10,
    sizes: [0.2, 0.4],
    corners: ['top left', 'top right'],
    patches: [{ name: 'x', file: 'x.png' }, { name: 'y', file: 'y.png' }],
    control: { name: 'noise', file: 'noise.png' },
    table: [row('noise', 0.2, 0, 0.9), row('x', 0.2, 0, 0.1), row('x', 0.4, 'top right', 0.3), row('y', 0.2, 0, 0.2)],
    best: [row('x', null, null, 0.5)],
    overall: { patch: row('', null, null, 0.5), difference: 1 },
    examples: [],
  }

  it('is read with or without what came later', () => {
    const read = readPatch(CONTENT)
    expect(read).toMatchObject({ source: 'b', target: 'a', also: [], consistent: [] })
    expect(read.table[2]).toMatchObject({ corner: 1, logitHigh: null, p: null })
    expect(read.overall).toMatchObject({ difference: 1, p: null, control: null })
    expect(readPatch({ ...CONTENT, source: null, also: [1] })).toMatchObject({ source: null, also: ['b'] })
    const controls = [{ name: 'grey', rate: 0.1, difference: 1, low: -1, high: null }]
    expect(readPatch({ ...CONTENT, controls }).controls).toEqual([{ ...controls[0], p: null }])
  })

  it('shows the rows of a setting, the strongest first and the control last', () => {
    const read = readPatch(CONTENT)
    const names = (setting: Parameters<typeof rowsOf>[1]) => rowsOf(read, setting).map(({ patch, rate }) => `${patch} ${rate}`)
    expect(names({ mode: 'fixed', size: 0.2, corner: 0 })).toEqual(['y 0.2', 'x 0.1', 'noise 0.9'])
    expect(names({ mode: 'consistent' })).toEqual(['x 0.3', 'y 0.2', 'noise 0.9'])
    expect(names({ mode: 'dynamic' })).toEqual(['x 0.5'])
    expect(names({ mode: 'fixed', size: 0.3, corner: 0 })).toEqual([])
  })

  it.each([{ table: [{}] }, { corners: [1] }, { table: [row('x', 0.2, 'middle', 1)] }, { target: null }])('is refused where it does not fit: %o', (change) =>
    expect(() => readPatch({ ...CONTENT, ...change })).toThrow(TypeError),
  )
})

it('reads a histogram, and tints by doublings', () => {
  const CONTENT = {
    atlas: 'a',
    grid: 8,
    first: { name: 'x', activations: 1, images: 1 },
    second: { name: 'y', activations: 1, images: 1 },
    cells: [[0, 1, 0.1, 0.2, 1, 0.01, 0.02], [3, 3, 0, 0, null, 1, 1]],
    different: [0, 99],
    p: 0.01,
    names: ['tench', 'shark'],
    labels: [[1, 0], []],
  }
  const read = readHistogram(CONTENT)
  expect(read.cells[0]).toMatchObject({ row: 0, column: 1, ratio: 1, labels: ['shark', 'tench'] })
  expect(read.different).toEqual([0])
  expect(read).toMatchObject({ elsewhere: null, outside: null, permutations: null })
  expect(() => readHistogram({ ...CONTENT, cells: [[0]] })).toThrow(TypeError)
  expect([tintOf(1.5), tintOf(-9), tintOf(0)]).toEqual([0.5, -1, 0])
})

it('reads a page of two networks, and every measure in a line', () => {
  const read = readNetworks({
    atlas: 'a',
    other: 'b',
    grid: 8,
    cells: [[0, 1, 20, 10, 0.5], [0, 2, 3, 0, null]],
    only_own: [[0, 1]],
    only_other: [],
    measures: { knn_purity: 0.6, null: { low: 0.4 }, range: [1, 2], exact: true, nothing: null },
    matches: [[0, 1, 2, 3, 0.9]],
    regions: { own: [[0, 1, 20, 8, 0.5, 0.4, 0.1, 0.001, 0.01]], other: [[2, 3, 20, 4, null, null, null, null, null]] },
  })
  expect(read.cells.map(({ overlap }) => overlap)).toEqual([0.5, null])
  expect(read.regions.own.get('0.1')).toEqual({ own: 0.5, halves: 0.4, other: 0.1, q: 0.01 })
  expect(read.regions.other.get('2.3')).toEqual({ own: NaN, halves: NaN, other: NaN, q: null })
  expect(read.measures).toEqual([
    ['knn purity', 0.6],
    ['null: low', 0.4],
    ['range', '1 … 2'],
    ['exact', 'yes'],
  ])
  expect(read.matches).toEqual([{ own: [0, 1], other: [2, 3], score: 0.9 }])
})
