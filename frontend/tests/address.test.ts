import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress, type Address } from '../src/address'

describe('an address', () => {
  it.each<Address>([
    { atlas: 'blocks.4.2.bn2', view: { x: 0.5, y: 0.5, zoom: 1 } },
    {
      atlas: 'a name & more=less#',
      view: { x: 0.1234, y: 0.9876, zoom: 12.345 },
      grid: 40,
      cell: { grid: 40, row: 3, column: 39 },
      density: 0.25,
      labels: false,
      find: 'grey whale, “x”',
    },
  ])('comes back as it was', (address) => {
    expect(parseAddress(formatAddress(address))).toEqual(address)
  })

  it('leaves out what has its default', () => {
    expect(formatAddress({ density: 1, labels: true, find: '' })).toBe('#level=auto')
  })

  it('keeps the place to a tenth of a pixel at any zoom', () => {
    for (const zoom of [1, 7, 300]) {
      const x = 1 / 3
      const view = parseAddress(formatAddress({ view: { x, y: x, zoom } })).view
      expect(Math.abs(view!.x - x) * zoom * 1000).toBeLessThan(0.1)
    }
  })

  it.each(['', '#', '#x=0.5', '#x=a&y=b&zoom=c', '#x=0.5&y=0.5&zoom=0', '#cell=4.4.0', '#cell=4.-1.0', '#density=-2', '#level=auto'])(
    'ignores what makes no sense: %s',
    (hash) => {
      expect(parseAddress(hash)).toEqual({})
    },
  )
})
