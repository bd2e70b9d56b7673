import { describe, expect, it } from 'vitest'
import { formatRoute, parseRoute, parseUnit, samePick, type OwnRoute } from '../src/route'

describe('the address of a room', () => {
  it.each<OwnRoute>([
    { room: 'unit', layer: 'mixed3b', unit: 379 },
    { room: 'unit', layer: 'blocks.4.2.bn2', unit: 0, tap: 'post', pick: { row: '0.999', index: 3 } },
    { room: 'unit', layer: 'a&b=c#d-e', unit: 7, tap: 'pre', pick: { row: 'quilt.12', index: 0 } },
    { room: 'layer', layer: 'mixed3b' },
    { room: 'layer', layer: 'a&b', sort: 'fires', reversed: true, find: '37' },
    { room: 'label', layer: 'mixed3b', unit: 379 },
    { room: 'label', layer: 'a&b', unit: 7, rater: 'josé & ann' },
    { room: 'curves' },
    { room: 'curves', family: { layer: 'blocks.2.0', number: 3 } },
    { room: 'curves', family: { layer: 'a&b', number: 1 }, unit: 0 },
  ])('comes back as it was: %o', (route) => {
    expect(parseRoute(formatRoute(route))).toEqual(route)
  })

  it('holds the unit as it is written everywhere', () => {
    expect(formatRoute({ room: 'unit', layer: 'blocks.4.2.bn2', unit: 17 })).toBe('#unit=blocks.4.2.bn2:17')
    expect(parseRoute('#unit=blocks.4.2.bn2%3A17')).toEqual({ room: 'unit', layer: 'blocks.4.2.bn2', unit: 17 })
  })

  it('leaves out what has its default', () => {
    expect(formatRoute({ room: 'layer', layer: 'mixed3b', sort: 'number', reversed: false, find: '' })).toBe('#layer=mixed3b')
  })

  it.each(['', '#', '#atlas=a&x=0.5', '#unit=', '#unit=mixed3b', '#unit=mixed3b:', '#unit=:3', '#unit=mixed3b:-3', '#layer=', '#label=', '#label=mixed3b'])(
    'is that of the atlas where it says nothing of units: %s',
    (hash) => {
      expect(parseRoute(hash)).toEqual({ room: 'atlas' })
    },
  )

  it('leaves out what makes no sense', () => {
    expect(parseRoute('#unit=a:3&tap=up&example=first')).toEqual({ room: 'unit', layer: 'a', unit: 3 })
    expect(parseRoute('#layer=a&sort=colour&order=up')).toEqual({ room: 'layer', layer: 'a' })
  })
})

it.each([
  ['mixed3b:379', { layer: 'mixed3b', unit: 379 }],
  ['mixed3b:379@4,5', null],
  ['inception_v1/mixed3b:379', null],
  ['2*mixed3b:379', null],
  ['mixed3b:379 - mixed3b:1', null],
  ['mixed3b:3.5', null],
])('reads %s as one whole unit or not at all', (address, unit) => {
  expect(parseUnit(address)).toEqual(unit)
})

it('tells picks apart', () => {
  expect(samePick({ row: 'highest', index: 1 }, { row: 'highest', index: 1 })).toBe(true)
  expect(samePick({ row: 'highest', index: 1 }, { row: 'lowest', index: 1 })).toBe(false)
  expect(samePick({ row: 'highest', index: 1 }, { row: 'highest', index: 2 })).toBe(false)
  expect(samePick(null, null)).toBe(true)
  expect(samePick(null, { row: 'highest', index: 1 })).toBe(false)
})

describe('the address of curve detectors', () => {
  it('is as short as it may be', () => {
    expect(formatRoute({ room: 'curves' })).toBe('#curves')
    expect(formatRoute({ room: 'curves', family: { layer: 'relu4', number: 1 }, unit: 5 })).toBe('#curves=relu4:1&pick=5')
  })

  it.each(['#curves', '#curves=', '#curves=relu4', '#curves=relu4:0', '#curves=relu4:x&pick=3'])('is that of all where it names no family: %s', (hash) => {
    expect(parseRoute(hash)).toEqual({ room: 'curves' })
  })

  it('leaves out what is no unit', () => {
    expect(parseRoute('#curves=relu4:1&pick=-5')).toEqual({ room: 'curves', family: { layer: 'relu4', number: 1 } })
  })
})
