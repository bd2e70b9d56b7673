import type { Point } from './view'

export const STOPS = 20 // pictures along a path
export const MOST_CORNERS = 60
export const PATH_DIGITS = 4 // after the point

/** Points at equal distances along the line through some corners, both ends among them. */
export function stopsAlong(corners: readonly Point[], count: number): Point[] {
  const [first] = corners
  if (!first) return []
  const ways = [0]
  for (let i = 1; i < corners.length; i++) ways.push(ways[i - 1]! + distance(corners[i - 1]!, corners[i]!))
  const whole = ways.at(-1)!
  if (whole === 0) return [first]
  let leg = 1
  return Array.from({ length: count }, (_, i) => {
    const way = (whole * i) / (count - 1)
    while (leg < corners.length - 1 && ways[leg]! < way) leg++
    const [a, b] = [corners[leg - 1]!, corners[leg]!]
    const share = (way - ways[leg - 1]!) / (ways[leg]! - ways[leg - 1]! || 1)
    return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share }
  })
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y)
}

/** A path as an address says it: `x,y;x,y;...` */
export function formatPath(corners: readonly Point[]): string {
  const short = (value: number) => String(Number(value.toFixed(PATH_DIGITS)))
  return corners.map(({ x, y }) => `${short(x)},${short(y)}`).join(';')
}

/** The same read back; points that are none or lie off the map are left out. */
export function parsePath(text: string): Point[] {
  const points: Point[] = []
  for (const part of text.split(';').slice(0, MOST_CORNERS)) {
    const match = /^(\d*\.?\d+),(\d*\.?\d+)$/.exec(part)
    const [x, y] = [Number(match?.[1] ?? NaN), Number(match?.[2] ?? NaN)]
    if (x >= 0 && x <= 1 && y >= 0 && y <= 1) points.push({ x, y })
  }
  return points
}
