import type { FoundUnit, Gap } from './record'

/** The circle that curves stand on, where a peak is one unit above it. */
export const INNER = 0.3
export const PEAK = INNER + 1
/** Where the numbers of units stand. */
export const NAMES = 1.43

const LEAST_GAP = 30 // degrees: narrower ones are not named

/** The colour of a direction: its angle as the hue. */
export function colour(degrees: number): string {
  return `hsl(${Math.round(wrapped(degrees) * 10) / 10} 60% 55%)`
}

/** An angle from 0 up to 360. */
export function wrapped(degrees: number): number {
  const angle = ((degrees % 360) + 360) % 360
  return angle === 360 ? 0 : angle
}

/** How far two directions are apart, 0 to 180. */
export function apart(a: number, b: number): number {
  const angle = wrapped(a - b)
  return Math.min(angle, 360 - angle)
}

/** The place at an angle, clockwise from 3 o'clock as in an image, and a distance from the middle. */
export function place(degrees: number, radius: number): [x: number, y: number] {
  const angle = (degrees * Math.PI) / 180
  return [radius * Math.cos(angle), radius * Math.sin(angle)]
}

/** Responses as shares of their peak, or null where a unit never fires. */
export function shares(tuning: readonly number[]): number[] | null {
  const peak = tuning.reduce((most, value) => (value > most ? value : most), 0)
  return peak > 0 ? tuning.map((value) => value / peak) : null
}

/** The greatest share of any unit at each angle; null where no unit fires or curves have different angles. */
export function envelope(units: readonly Pick<FoundUnit, 'tuning'>[]): number[] | null {
  const curves = units.map(({ tuning }) => shares(tuning)).filter((curve) => curve !== null)
  const [first] = curves
  if (!first || curves.some((curve) => curve.length !== first.length)) return null
  return first.map((_, at) => curves.reduce((most, curve) => (curve[at]! > most ? curve[at]! : most), 0))
}

/** A closed line about the circle: the shares at 0, 360 / T, ... degrees, above the inner circle. Unknown ones are passed over. */
export function outline(curve: readonly number[]): string {
  const points = curve.flatMap((share, at) =>
    Number.isFinite(share) ? [place((at * 360) / curve.length, INNER + share)] : [],
  )
  return points.length < 3 ? '' : `M${points.map(([x, y]) => `${short(x)} ${short(y)}`).join('L')}Z`
}

/** A circle as a path, to be cut out of an area. */
export function circle(radius: number): string {
  return `M${short(radius)} 0A${short(radius)} ${short(radius)} 0 1 0 ${short(-radius)} 0A${short(radius)} ${short(radius)} 0 1 0 ${short(radius)} 0Z`
}

/** An arc clockwise from one angle over some degrees. */
export function arc(from: number, degrees: number, radius: number): string {
  const [x, y] = place(from, radius)
  const [u, v] = place(from + degrees, radius)
  return `M${short(x)} ${short(y)}A${short(radius)} ${short(radius)} 0 ${degrees > 180 ? 1 : 0} 1 ${short(u)} ${short(v)}`
}

/**
 * Angles for names so that neighbours are `least` degrees apart, each as near as may be to its own (least squares); in
 * the order of the circle. Where there are too many for that they share the circle out evenly.
 */
export function spread(angles: readonly number[], least: number): number[] {
  const count = angles.length
  if (count < 2) return [...angles]
  const step = Math.min(least, 360 / count)
  const order = angles.map((_, index) => index).sort((a, b) => wrapped(angles[a]!) - wrapped(angles[b]!) || a - b)
  // The circle is cut open where it is emptiest, and becomes a line.
  const gaps = order.map((index, i) => wrapped(angles[order[(i + 1) % count]!]! - angles[index]!))
  const first = (gaps.indexOf(Math.max(...gaps)) + 1) % count
  const line = [...order.slice(first), ...order.slice(0, first)]
  const start = wrapped(angles[line[0]!]!)
  const wanted = line.map((index) => start + wrapped(angles[index]! - start))
  let at = pooled(wanted.map((angle, i) => angle - i * step)).map((angle, i) => angle + i * step)
  if (at.at(-1)! - at[0]! > 360 - step + 1e-9) {
    const even = 360 / count
    const turn = wanted.reduce((sum, angle, i) => sum + angle - i * even, 0) / count
    at = at.map((_, i) => turn + i * even)
  }
  const placed = new Array<number>(count)
  line.forEach((index, i) => (placed[index] = wrapped(at[i]!)))
  return placed
}

/** The nearest numbers, by least squares, that never fall: neighbours that do are pooled at their mean. */
function pooled(values: readonly number[]): number[] {
  const pools: { sum: number; count: number }[] = []
  for (const value of values) {
    let last = { sum: value, count: 1 }
    for (let before = pools.at(-1); before && before.sum / before.count > last.sum / last.count; before = pools.at(-1)) {
      pools.pop()
      last = { sum: before.sum + last.sum, count: before.count + last.count }
    }
    pools.push(last)
  }
  return pools.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count))
}

/** The unit whose peak is nearest to an angle. */
export function nearest<T extends Pick<FoundUnit, 'argmax'>>(units: readonly T[], angle: number): T | null {
  let found: T | null = null
  for (const unit of units) if (!found || apart(unit.argmax, angle) < apart(found.argmax, angle)) found = unit
  return found
}

/** The gaps that catch the eye: half as wide again as the units would leave if they shared the circle out, widest first. */
export function wideGaps(gaps: readonly Gap[]): Gap[] {
  if (gaps.length < 2) return []
  const least = Math.max(LEAST_GAP, (1.5 * 360) / gaps.length)
  return gaps.filter(({ degrees }) => degrees >= least).sort((a, b) => b.degrees - a.degrees)
}

function short(value: number): number {
  return Math.round(value * 1e4) / 1e4 || 0
}
