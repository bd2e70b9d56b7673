import { describe, expect, it } from 'vitest'
import { exampleAt, readLayer, readUnit, strongest } from '../src/units/record'

const sheet = { file: '7-crops.webp', size: 32, columns: 4, per_cell: 1 }
const example = { image: 'a.jpg', label: 'wok', value: 3.5, place: [1, 2], crop: 5, context: 2, outline: [0, 0.1, 0.5, 0.6] }
const { context: _, outline: __, ...quilted } = example
const tap = {
  count: 12,
  fires: { value: 0.25, interval: [0.2, 0.3] },
  sd: { value: 2, interval: null },
  gini: null,
  note: 'words',
  p50: { value: -1, interval: [null, 0] },
  confidence: 0.9,
  intervals: 'shards',
  histogram: { edges: [0, 1, 2], counts: [8, 4], under: 2, over: 1, unplaced: 0 },
  density: { x: [0.5, 1.5], log: [-1, null] },
  tail: { low: 1, high: 2, scale: 3, intercept: -2, r2: 0.9, interval: [2, 4], mean_excess: [[1, 3], [2, null]] },
  tail_note: '',
}
const page = {
  format: 1,
  network: 'net',
  layer: 'mixed3b',
  unit: 7,
  images: 3,
  positions: 12,
  distribution: { taps: { post: tap, pre: { ...tap, tail: null, tail_note: 'too few' } } },
  examples: {
    sheets: { crops: sheet, contexts: { ...sheet, file: '7-contexts.webp' } },
    rows: [
      { name: 'lowest', title: 'Lowest', note: '', examples: [] },
      { name: 'highest', title: 'Highest', note: 'first', examples: [example] },
    ],
  },
  quilt: { tap: 'pre', sheet, columns: [{ low: null, high: 1, count: 8, examples: [quilted] }] },
}
const read = (content: unknown) => readUnit('data/7.json', content)

describe('the page of a unit', () => {
  it('is read with all its parts', () => {
    const record = read(page)
    expect([...record.distribution!.keys()]).toEqual(['pre', 'post'])
    const post = record.distribution!.get('post')!
    expect([...post.numbers]).toEqual([
      ['count', { value: 12, interval: null }],
      ['fires', { value: 0.25, interval: [0.2, 0.3] }],
      ['sd', { value: 2, interval: null }],
      ['p50', { value: -1, interval: null }],
    ])
    expect([post.confidence, post.intervals]).toEqual([0.9, 'shards'])
    expect(post.histogram).toEqual(tap.histogram)
    expect(post.tail).toEqual({ low: 1, high: 2, scale: 3, intercept: -2, r2: 0.9, interval: [2, 4], meanExcess: [[1, 3]] })
    expect(record.distribution!.get('pre')!.tailNote).toBe('too few')
    expect(record.examples!.rows[1]!.examples[0]).toEqual(example)
    expect(record.quilt!.columns[0]!.examples[0]).toEqual({ ...quilted, context: null, outline: null })
  })

  it('may lack every part', () => {
    const record = read({ ...page, distribution: null, examples: undefined, quilt: null })
    expect([record.distribution, record.examples, record.quilt]).toEqual([null, null, null])
    expect(strongest(record)).toBeNull()
  })

  it('may have a fit without a scale, which is none', () => {
    const taps = { post: { ...tap, tail: { ...tap.tail, scale: null } } }
    expect(read({ ...page, distribution: { taps } }).distribution!.get('post')!.tail).toBeNull()
  })

  it('finds what an address names', () => {
    const record = read(page)
    expect(strongest(record)).toEqual(example)
    expect(exampleAt(record, { row: 'highest', index: 0 })).toEqual(example)
    expect(exampleAt(record, { row: 'quilt.0', index: 0 })?.crop).toBe(5)
    for (const row of ['highest', 'gone', 'quilt.3']) expect(exampleAt(record, { row, index: 9 })).toBeNull()
  })

  it('of a newer format says so', () => {
    expect(() => read({ ...page, format: 2 })).toThrow('data/7.json was written by a newer version of Pellucid')
  })

  it.each([
    null,
    [],
    'text',
    { ...page, unit: -1 },
    { ...page, layer: undefined },
    { ...page, examples: { ...page.examples, rows: {} } },
    { ...page, examples: { ...page.examples, sheets: { crops: { ...sheet, columns: 0 } } } },
    { ...page, examples: { ...page.examples, rows: [{ name: 'a', title: 'A', examples: [{ ...example, value: 'much' }] }] } },
    { ...page, examples: { ...page.examples, rows: [{ name: 'a', title: 'A', examples: [{ ...example, outline: [0, 1] }] }] } },
    { ...page, distribution: { taps: { pre: { ...tap, histogram: { edges: [0, 1], counts: [1, 2] } } } } },
    { ...page, distribution: { taps: { pre: { ...tap, density: { x: [0], log: [] } } } } },
    { ...page, quilt: { ...page.quilt, columns: [{ low: 'x', high: 1, count: 1, examples: [] }] } },
  ])('that is damaged says so: %#', (content) => {
    expect(() => read(content)).toThrow('data/7.json is damaged: it is not the page of a unit.')
  })
})

describe('the list of a layer', () => {
  it('is read in the order of the numbers', () => {
    const units = [
      { unit: 9, max: null, fires: null, pages: ['quilt'], files: ['9.json'] },
      { unit: 2, max: 1.5, fires: 0.5, pages: [], files: ['2.json'] },
    ]
    expect(readLayer('u', { format: 1, network: 'net', layer: 'a', units }).units).toEqual([
      { unit: 2, max: 1.5, fires: 0.5, pages: [] },
      { unit: 9, max: null, fires: null, pages: ['quilt'] },
    ])
  })

  it('that is damaged or newer says so', () => {
    expect(() => readLayer('u', { network: 'net', layer: 'a', units: [{ unit: '3' }] })).toThrow(
      'u is damaged: it is not the list of a layer’s units.',
    )
    expect(() => readLayer('u', { format: 2 })).toThrow('u was written by a newer version')
  })
})
