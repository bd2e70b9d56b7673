import type { Tail, TapRecord } from './record'

export interface Bar {
  low: number
  high: number
  count: number
}

/** The bars of a histogram, neighbours joined so that no more than `most` are left, without the empty ones at its ends. */
export function bars({ edges, counts }: { edges: number[]; counts: number[] }, most: number): Bar[] {
  const first = counts.findIndex((count) => count > 0)
  if (first < 0) return []
  const end = counts.reduce((last, count, index) => (count > 0 ? index + 1 : last), 0)
  const joined = Math.ceil((end - first) / Math.max(1, most))
  const found: Bar[] = []
  for (let low = first; low < end; low += joined) {
    const high = Math.min(low + joined, counts.length)
    const count = counts.slice(low, high).reduce((sum, one) => sum + one, 0)
    found.push({ low: edges[low]!, high: edges[high]!, count })
  }
  return found
}

/**
 * Where to cut the axis of a histogram: just above the second highest bar where the highest, such as that of the zeros
 * behind a rectifier, would press all others flat. Null where all fit.
 */
export function cut(heights: readonly number[]): number | null {
  const [highest = 0, second = 0] = [...heights].sort((a, b) => b - a)
  return second > 0 && highest > 4 * second ? 1.3 * second : null
}

export interface Place {
  x: number
  density: number | null
}

/** The density itself; null where it is empty, so that a line breaks there. */
export function densities({ x, log }: TapRecord['density']): Place[] {
  return x.map((place, index) => {
    const value = log[index]
    return { x: place, density: value === null || value === undefined ? null : Math.exp(value) }
  })
}

/** The places of a density that a line alone would not show: those between two empty ones. */
export function lonely(places: readonly Place[]): Place[] {
  const filled = (index: number) => (places[index]?.density ?? null) !== null
  return places.filter((_, index) => filled(index) && !filled(index - 1) && !filled(index + 1))
}

/** Where a logarithmic axis is marked: at the powers of ten, and between them where there are fewer than two. */
export function logTicks(low: number, high: number): number[] {
  if (!(low > 0) || !(high >= low)) return []
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))]
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  const within = (ticks: number[]) => ticks.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9))
  const whole = within(powers.map((power) => Number(`1e${power}`)))
  const step = Math.ceil(whole.length / 6)
  if (whole.length >= 2) return whole.filter((_, i) => i % step === 0)
  return within(powers.flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`))))
}

/**
 * The fitted tail as a line from end to end. Its slope is -1/scale; where a record leaves its height out, that is the one
 * of least squares: the mean of log density + x/scale over the places of the fit.
 */
export function tailLine(density: TapRecord['density'], tail: Tail): Place[] {
  const height = tail.intercept ?? meanHeight(density, tail)
  if (height === null || !(tail.scale > 0)) return []
  return [tail.low, tail.high].map((place) => ({ x: place, density: Math.exp(height - place / tail.scale) }))
}

function meanHeight({ x, log }: TapRecord['density'], tail: Tail): number | null {
  const heights = x.flatMap((place, index) => {
    const value = log[index]
    const inside = place >= tail.low && place <= tail.high
    return inside && value !== null && value !== undefined ? [value + place / tail.scale] : []
  })
  return heights.length === 0 ? null : heights.reduce((sum, one) => sum + one, 0) / heights.length
}
