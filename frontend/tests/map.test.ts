import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress, type Address } from '../src/address'
import { parseCards } from '../src/cards'
import { fileOf } from '../src/chunks'
import { drawDots } from '../src/dots'
import { opacityOf } from '../src/opacity'
import { formatPath, parsePath, stopsAlong } from '../src/path'
import { Pool } from '../src/pool'
import { formatRoute, parseRoute } from '../src/route'
import { classesNamed } from '../src/search'
import { inSight, reductionFor, squaresOf, tileOf } from '../src/tiles'
import { boundsOf, HOME } from '../src/view'

describe('an address of the atlas', () => {
  it.each<Address>([
    { weighing: { index: 554, sign: -1, strength: 1.5 } },
    { weighing: { index: 0, sign: 1, strength: 1 }, shows: 'patches' },
    { shows: 'points', path: [{ x: 0.25, y: 0.5 }, { x: 1, y: 0 }, { x: 0.1234, y: 0.0001 }] },
  ])('holds class, pictures and path', (address) => {
    expect(parseAddress(formatAddress(address))).toEqual(address)
  })

  it('is readable', () => {
    const address: Address = { atlas: 'conv@c1-c2', path: [{ x: 0.5, y: 0.25 }, { x: 1, y: 0 }] }
    expect(formatAddress(address)).toBe('#atlas=conv@c1-c2&level=auto&path=0.5,0.25;1,0')
  })

  it.each(['#class=-1', '#class=x', '#sign=minus', '#icons=circles', '#icons=icons', '#path=2,2', '#path=a,b;', '#path=1'])(
    'ignores what makes no sense: %s',
    (hash) => expect(parseAddress(hash)).toEqual({}),
  )

  it('keeps the strength within its range', () => {
    expect(parseAddress('#class=3&strength=90').weighing?.strength).toBe(2)
    expect(parseAddress('#class=3&strength=0').weighing?.strength).toBe(0.5)
  })

  it('leads to the atlas whenever it names one', () => {
    expect(parseRoute('#atlas=a&class=3')).toEqual({ room: 'atlas' })
    expect(parseRoute('#path=0,1;1,0')).toEqual({ room: 'atlas' })
  })
})

describe('a room of its own', () => {
  it('gets its value and the other parameters, and gives them back', () => {
    const route = parseRoute('#image=photo one&x=0.5&layer=conv')
    expect(route).toEqual({ room: 'page', key: 'image', value: 'photo one', rest: { x: '0.5', layer: 'conv' } })
    if (route.room === 'page') expect(parseRoute(formatRoute(route))).toEqual(route)
  })
})

describe('a path', () => {
  it('has its stops at equal distances, both ends among them', () => {
    const corners = [{ x: 0, y: 0 }, { x: 0.3, y: 0 }, { x: 0.3, y: 0.1 }]
    const stops = stopsAlong(corners, 5)
    expect(stops).toHaveLength(5)
    expect(stops[0]).toEqual(corners[0])
    expect(stops[4]!.x).toBeCloseTo(0.3)
    expect(stops[4]!.y).toBeCloseTo(0.1)
    // A slow twin: the place after a way of i/4 of the whole, in small steps.
    const fine = Array.from({ length: 40_001 }, (_, i) => {
      const way = (0.4 * i) / 40_000
      return way <= 0.3 ? { x: way, y: 0 } : { x: 0.3, y: way - 0.3 }
    })
    stops.forEach((stop, i) => {
      expect(stop.x).toBeCloseTo(fine[i * 10_000]!.x)
      expect(stop.y).toBeCloseTo(fine[i * 10_000]!.y)
    })
  })

  it('that goes nowhere has one stop', () => {
    expect(stopsAlong([], 20)).toEqual([])
    expect(stopsAlong([{ x: 0.5, y: 0.5 }, { x: 0.5, y: 0.5 }], 20)).toEqual([{ x: 0.5, y: 0.5 }])
  })

  it('passes over a corner that is said twice', () => {
    const stops = stopsAlong([{ x: 0, y: 0 }, { x: 0, y: 0 }, { x: 1, y: 0 }, { x: 1, y: 0 }], 3)
    expect(stops.map(({ x }) => x)).toEqual([0, 0.5, 1])
  })

  it('comes back from an address as far as it lies on the map', () => {
    expect(parsePath(formatPath([{ x: 0.12345, y: 1 }]))).toEqual([{ x: 0.1235, y: 1 }])
    expect(parsePath('0.1,0.2;9,9;0.3,x;0.5,0.5')).toEqual([{ x: 0.1, y: 0.2 }, { x: 0.5, y: 0.5 }])
    expect(parsePath(Array(500).fill('0.5,0.5').join(';'))).toHaveLength(60)
  })
})

describe("a class's opacity", () => {
  it('is in proportion to the largest attribution, for one sign', () => {
    const plus = { index: 0, sign: 1, strength: 1 } as const
    expect([2, 1, 0, -2].map((value) => opacityOf(value, 2, plus))).toEqual([1, 0.5, 0, 0])
    expect([2, 0, -1].map((value) => opacityOf(value, 2, { ...plus, sign: -1 }))).toEqual([0, 0, 0.5])
  })

  it('grows with the strength and ends at 1', () => {
    expect([1, 3].map((value) => opacityOf(value, 4, { index: 0, sign: 1, strength: 2 }))).toEqual([0.5, 1])
    expect(opacityOf(1, 0, { index: 0, sign: 1, strength: 1 })).toBe(0)
  })
})

describe('a search for classes', () => {
  const classes = ['fireboat', 'boat', 'speedboat, boat', 'house', 'life boat']
  it('puts names that begin so first, then words', () => {
    expect(classesNamed(classes, 'boat', 9)).toEqual([1, 4, 0, 2])
    expect(classesNamed(classes, ' BOAT', 2)).toEqual([1, 4])
    expect(classesNamed(classes, '', 9)).toEqual([])
  })
})

describe('files in chunks', () => {
  it('are found by number', () => {
    const chunks = { file: 'classes/{chunk}.bin', per_file: 8, count: 20 }
    expect([0, 7, 8, 19].map((index) => fileOf(chunks, index))).toEqual([0, 0, 1, 2].map((n) => `classes/${n}.bin`))
  })
})

describe('cards', () => {
  const card = { labels: [[3, 0.5, 0.1]], against: [[1, -2, 0]], spread: 0.5, norm: 3, nearest: [[1, 2, 0.9]], next: [] }
  it('are read', () => {
    const [read] = parseCards('url', { cards: [{ ...card, next: [{ atlas: 'b', grid: 4, cells: [[0, 1, 12]] }] }] })
    expect(read).toEqual({
      labels: [{ label: 3, value: 0.5, deviation: 0.1 }],
      against: [{ label: 1, value: -2, deviation: 0 }],
      spread: 0.5,
      norm: 3,
      nearest: [{ row: 1, column: 2, value: 0.9 }],
      next: [{ atlas: 'b', grid: 4, cells: [{ row: 0, column: 1, value: 12 }] }],
    })
  })

  it.each([{}, { cards: [{}] }, { cards: [{ ...card, labels: [['a', 1, 1]] }] }, [], null])('that are damaged are named: %j', (content) => {
    expect(() => parseCards('cards/0.json', content)).toThrow('cards/0.json is damaged: it is not a list of cards.')
  })
})

describe('a tiled sheet', () => {
  const record = {
    file: 'icons/{row}-{column}.webp',
    size: 80,
    columns: 2,
    per_cell: 3,
    tile: 2,
    squares: [[0, 0], [0, 1], [1, 1], [5, 5]] as [number, number][],
  }
  const cells = [[0, 0], [0, 3], [1, 0], [1, 1], [3, 3]].map(([row, column]) => ({
    row: row!,
    column: column!,
    count: 1,
    labels: [],
    stable: true,
    patches: [],
  }))
  const squares = squaresOf(record, cells)

  it('has the cells of each square in the order of the table', () => {
    expect(squares.map(({ file, cells }) => [file, cells])).toEqual([
      ['icons/0-0.webp', [0, 2, 3]],
      ['icons/0-1.webp', [1]],
      ['icons/1-1.webp', [4]],
    ])
  })

  it('finds the first picture of each cell, also on a smaller bitmap', () => {
    const tile = tileOf(record, squares[0]!, {} as ImageBitmap, 2)
    expect([...tile.cells]).toEqual([0, 2, 3])
    // Pictures 0, 3 and 6 in rows of two, each of 40 pixels.
    expect([...tile.corners]).toEqual([0, 0, 40, 40, 0, 120])
    expect(tile.side).toBe(40)
  })

  it('is looked at where it lies', () => {
    const seen = boundsOf({ x: 0.75, y: 0.75, zoom: 4 }, { width: 440, height: 440 })
    expect(squares.filter((square) => inSight(square, 0.5, seen)).map(({ file }) => file)).toEqual(['icons/1-1.webp'])
    const all = boundsOf({ x: 0.5, y: 0.5, zoom: 1 }, { width: 440, height: 440 })
    expect(squares.filter((square) => inSight(square, 0.5, all))).toHaveLength(3)
  })

  it('is reduced as far as the screen allows', () => {
    expect([200, 80, 40, 39, 10, 1].map((drawn) => reductionFor(80, drawn))).toEqual([1, 1, 2, 2, 8, 8])
    expect(reductionFor(75, 1)).toBe(1) // an odd side has no half
  })
})

describe('the pool of pictures', () => {
  const picture = (pixels: number) => ({ width: pixels, height: 1, close() {} }) as ImageBitmap

  it('lets go of those that nobody has looked at for longest', () => {
    const pool = new Pool(100)
    const gone: string[] = []
    const owners = ['a', 'b', 'c', 'd'].map((name) => ({ name }))
    for (const owner of owners) pool.add(owner, picture(40), () => gone.push(owner.name))
    pool.touch([owners[0]!]) // looked at again
    pool.trim([])
    expect(gone).toEqual(['b', 'c'])
    expect(pool.pixels).toBe(80)
  })

  it('keeps what is in the window, be it too much', () => {
    const pool = new Pool(50)
    const gone: string[] = []
    const owners = ['a', 'b', 'c'].map((name) => ({ name }))
    for (const owner of owners) pool.add(owner, picture(40), () => gone.push(owner.name))
    pool.trim([owners[0]!, owners[2]!])
    expect(gone).toEqual(['b'])
    expect(pool.pixels).toBe(80)
    pool.close()
    expect(pool.pixels).toBe(0)
  })
})

describe('dots', () => {
  it('stand where they lie, and cover each other', () => {
    const [width, height] = [100, 80]
    const picture = { width, height, data: new Uint8ClampedArray(4 * width * height) } as unknown as ImageData
    const positions = Float32Array.from([0.5, 0.5, 0.5, 0.5, 0, 0.25, 9, 9])
    drawDots(picture, { positions, alphas: Uint8Array.from([100, 100, 200, 255]), color: [1, 2, 3] }, HOME, { width, height }, 1, 1)
    const drawn = [...picture.data].flatMap((value, i) => (i % 4 === 3 && value > 0 ? [[Math.floor(i / 4) % width, Math.floor(i / 4 / width), value]] : []))
    // The map is 40 pixels wide, from (30, 20) to (70, 60).
    expect(drawn.map(([, , alpha]) => alpha)).toEqual([200, Math.round(100 + (100 * 155) / 255)])
    expect(Math.abs(drawn[0]![0]! - 30) + Math.abs(drawn[0]![1]! - 30)).toBeLessThanOrEqual(1)
    expect(Math.abs(drawn[1]![0]! - 50) + Math.abs(drawn[1]![1]! - 40)).toBeLessThanOrEqual(1)
  })
})
