import { expect, it } from 'vitest'
import { iconShare } from '../src/density'
import { formatValue, otherNames, shortName } from '../src/names'

it('splits a label into its first name and the others', () => {
  expect(shortName('tench, Tinca tinca')).toBe('tench')
  expect(otherNames('tench, Tinca tinca')).toBe('Tinca tinca')
  expect([shortName('wok'), otherNames('wok')]).toEqual(['wok', ''])
  expect(shortName(', odd')).toBe(', odd')
})

it.each([
  [0, '0'],
  [1.234, '1.23'],
  [-0.5, '−0.500'],
  [0.0612, '0.0612'],
  [123.456, '123.5'],
  [0.00001234, '0.0000123'],
])('writes %d as %s', (value, text) => {
  expect(formatValue(value)).toBe(text)
})

it('fills a cell that holds its share of the activations', () => {
  expect(iconShare(100, 10, 10_000, 1)).toBe(1)
  expect(iconShare(25, 10, 10_000, 1)).toBe(0.5)
  expect(iconShare(25, 10, 10_000, 4)).toBe(1)
  expect(iconShare(900, 10, 10_000, 1)).toBe(1)
})
