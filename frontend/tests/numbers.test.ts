import { describe, expect, it } from 'vitest'
import { formatMeasured, formatNumber, formatShare, formatShort, powerOfTen } from '../src/numbers'
import { formatInterval, rows } from '../src/units/terms'

it.each([
  [0, '0', '0'],
  [903, '903', '903.0'],
  [-0.5, '−0.5', '−0.5000'],
  [12.3456, '12.35', '12.35'],
  [1234.5, '1,235', '1,235'],
  [0.00012345, '0.0001235', '0.0001235'],
  [0.000012345, '1.23 × 10⁻⁵', '1.23 × 10⁻⁵'],
  [-23456789, '−2.35 × 10⁷', '−2.35 × 10⁷'],
  [Infinity, '∞', '∞'],
  [NaN, '–', '–'],
])('writes %d as %s, and measured as %s', (value, scale, measured) => {
  expect(formatNumber(value)).toBe(scale)
  expect(formatMeasured(value)).toBe(measured)
})

it.each([
  [0, '0 %'],
  [0.1082, '10.8 %'],
  [1, '100 %'],
  [0.000004, '< 0.001 %'],
  [0.9999, '99.990 %'],
  [0.99999999, '99.999 %'],
  [0.5, '50 %'],
])('writes the share %d as %s', (share, text) => {
  expect(formatShare(share)).toBe(text)
})

it('writes a measured share always with four digits', () => {
  expect([0, 0.205, 0.1082, 0.000012, 1].map((share) => formatShare(share, true))).toEqual([
    '0 %',
    '20.50 %',
    '10.82 %',
    '0.001200 %',
    '100.0 %',
  ])
})

it('writes counts and powers shortly', () => {
  expect([97, 4880, 999_583].map(formatShort)).toEqual(['97', '4.88K', '1M'])
  expect([-12, 0, 3].map(powerOfTen)).toEqual(['10⁻¹²', '10⁰', '10³'])
})

describe('the numbers of a distribution', () => {
  const estimate = (value: number, interval: [number, number] | null = null) => ({ value, interval })

  it('stand in their order, with the unknown ones behind', () => {
    const numbers = new Map([
      ['p99.9', estimate(330)],
      ['new_number', estimate(1)],
      ['sd', estimate(44.2)],
      ['fires', estimate(0.1082, [0.1076, 0.1088])],
      ['count', estimate(999_583)],
      ['invalid', estimate(0)],
    ])
    expect(rows(numbers)).toEqual([
      { key: 'count', name: 'Positions', value: '999,583', interval: '' },
      { key: 'fires', name: 'Fires, above 0', value: '10.82 %', interval: '10.76 % to 10.88 %' },
      { key: 'sd', name: 'Standard deviation', value: '44.20', interval: '' },
      { key: 'p99.9', name: 'Quantile 99.9 %', value: '330.0', interval: '' },
      { key: 'new_number', name: 'new number', value: '1.000', interval: '' },
    ])
  })

  it('have intervals with true minus signs', () => {
    expect(formatInterval([-1.5, 2])).toBe('−1.500 to 2.000')
  })
})
