import { describe, expect, it } from 'vitest'
import { declutter, wrapped, type Box } from '../src/labels'

function random(seed: number): () => number {
  return () => (seed = (seed * 16807) % 2147483647) / 2147483647
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height
}

describe('declutter', () => {
  const next = random(7)
  const boxes = Array.from({ length: 400 }, () => ({
    left: next() * 900 - 50,
    top: next() * 600 - 50,
    width: 10 + next() * 90,
    height: 12 + next() * 14,
    weight: Math.round(next() * 20),
  }))
  const kept = declutter(boxes)

  it('keeps no two that overlap', () => {
    for (const a of kept) for (const b of kept) expect(a !== b && overlap(boxes[a]!, boxes[b]!)).toBe(false)
  })
  it('gives up a label only for one that weighs as much or more', () => {
    boxes.forEach((box, i) => {
      if (kept.includes(i)) return
      expect(kept.some((j) => overlap(box, boxes[j]!) && boxes[j]!.weight >= box.weight)).toBe(true)
    })
  })
  it('takes nothing and anything', () => {
    expect(declutter([])).toEqual([])
    expect(declutter([boxes[0]!])).toEqual([0])
  })
})

describe('wrapped', () => {
  const measure = (text: string) => text.length

  it.each([
    ['wok', 10, ['wok']],
    ['great white shark', 11, ['great white', 'shark']],
    ['black and gold garden spider', 10, ['black and', 'gold gard…']],
    ['Pneumonoultramicroscopic', 8, ['Pneumon…']],
  ])('breaks %s at %i', (name, width, lines) => {
    expect(wrapped(name, width, measure)).toEqual(lines)
  })
})
