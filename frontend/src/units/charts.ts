import * as Plot from '@observablehq/plot'
import { formatCount } from '../names'
import { formatNumber, formatShare, powerOfTen } from '../numbers'
import { bars, cut, densities, logTicks, lonely, tailLine } from './plots'
import type { TapRecord } from './record'

// This module alone brings the charts' library along; it is loaded when the first chart is drawn.

const HEIGHT = 190

function frame(width: number): Plot.PlotOptions {
  return {
    width,
    height: HEIGHT,
    marginLeft: 46,
    marginRight: 12,
    marginTop: 22,
    marginBottom: 34,
    style: { background: 'none', color: 'var(--ink-2)', fontFamily: 'inherit', fontSize: '11px', overflow: 'visible' },
  }
}

const TIP = { fill: 'var(--surface)', stroke: 'var(--line)', textPadding: 6 } as const
const GRID = { stroke: 'var(--line)', strokeOpacity: 0.7 } as const

function xAxis(label: string, width: number): Plot.Markish {
  const ticks = Math.max(2, Math.floor(width / 75))
  return Plot.axisX({ label, labelAnchor: 'right', labelArrow: 'none', tickSize: 3, ticks, tickFormat: (value: number) => formatNumber(value) })
}

/** From the lowest to the highest bin that holds anything: the same for both pictures of a distribution. */
function reach({ histogram: record }: TapRecord): { domain: [number, number] } | undefined {
  const [whole] = bars(record, 1)
  return whole && { domain: [whole.low, whole.high] }
}

/** How the activations are spread: bars of the share of positions. */
export function histogram(record: TapRecord, width: number): Element {
  const { counts, under, over, unplaced } = record.histogram
  const all = bars(record.histogram, Math.max(10, Math.floor((width - 58) / 4)))
  const total = counts.reduce((sum, count) => sum + count, under + over + unplaced)
  const share = all.map((bar) => ({ ...bar, share: bar.count / total }))
  const most = cut(share.map((bar) => bar.share))
  const tallest = share.reduce((best, bar) => (bar.share > best.share ? bar : best), { low: 0, high: 0, share: 0, count: 0 })
  return Plot.plot({
    ...frame(width),
    x: reach(record),
    y: { domain: [0, most ?? tallest.share], clamp: true, nice: most === null },
    marks: [
      Plot.gridY({ ...GRID, ticks: 4 }),
      Plot.axisY({ label: 'share of positions', labelArrow: 'none', tickSize: 0, ticks: 4, tickFormat: (share: number) => formatShare(share) }),
      xAxis('activation', width),
      Plot.ruleX([0], { stroke: 'var(--line)' }),
      Plot.rectY(share, {
        x1: 'low',
        x2: 'high',
        y: 'share',
        fill: 'var(--bar)',
        inset: 0.25,
        title: (bar: (typeof share)[number]) =>
          `${formatNumber(bar.low)} to ${formatNumber(bar.high)}\n${formatCount(bar.count)} positions, ${formatShare(bar.share)}`,
        tip: TIP,
      }),
      ...(most === null
        ? []
        : [
            // The bar goes on above: a gap in it, and how high it is.
            Plot.ruleY([most * 0.94], { x1: tallest.low, x2: tallest.high, stroke: 'var(--surface)', strokeWidth: 3 }),
            Plot.text([tallest], {
              x: 'high',
              y: most,
              text: (bar: { share: number }) => `${formatShare(bar.share)} in this bar`,
              textAnchor: tallest.high > (share[0]!.low + share.at(-1)!.high) / 2 ? 'end' : 'start',
              dx: tallest.high > (share[0]!.low + share.at(-1)!.high) / 2 ? -8 : 6,
              dy: 6,
              fill: 'var(--ink)',
            }),
          ]),
      Plot.ruleY([0], { stroke: 'var(--bar)' }),
    ],
  })
}

/** The density on a logarithmic axis, where an exponential tail is a straight line. */
export function logDensity(record: TapRecord, width: number): Element {
  const places = densities(record.density)
  const fit = record.tail ? tailLine(record.density, record.tail) : []
  const heights = [...places, ...fit].flatMap(({ density }) => (density === null ? [] : [density]))
  const ticks = logTicks(Math.min(...heights), Math.max(...heights))
  return Plot.plot({
    ...frame(width),
    x: reach(record),
    y: { type: 'log', nice: false },
    marks: [
      Plot.gridY(ticks, GRID),
      Plot.axisY(ticks, { label: 'density, logarithmic', labelArrow: 'none', tickSize: 0, tickFormat: formatLog }),
      xAxis('activation', width),
      Plot.ruleX([0], { stroke: 'var(--line)' }),
      Plot.line(places, { x: 'x', y: 'density', stroke: 'var(--ink-2)', strokeWidth: 1.25 }),
      Plot.dot(lonely(places), { x: 'x', y: 'density', fill: 'var(--ink-2)', r: 1 }),
      Plot.line(fit, { x: 'x', y: 'density', stroke: 'var(--accent)', strokeWidth: 2, strokeDasharray: '6 3' }),
      Plot.tip(
        places.filter(({ density }) => density !== null),
        Plot.pointerX({
          x: 'x',
          y: 'density',
          title: (place: { x: number; density: number }) =>
            `at ${formatNumber(place.x)}\ndensity ${formatNumber(place.density)}`,
          ...TIP,
        }),
      ),
    ],
  })
}

/** The mean excess over thresholds: level for an exponential tail, rising for a heavier, falling for a lighter one. */
export function meanExcess({ tail }: TapRecord, width: number): Element {
  const places = (tail?.meanExcess ?? []).map(([threshold, value]) => ({ threshold, value }))
  return Plot.plot({
    ...frame(width),
    y: { domain: [0, Math.max(tail?.scale ?? 0, ...places.map(({ value }) => value)) * 1.1], nice: true },
    marks: [
      Plot.gridY({ ...GRID, ticks: 4 }),
      Plot.axisY({ label: null, labelArrow: 'none', tickSize: 0, ticks: 4, tickFormat: (value: number) => formatNumber(value) }),
      xAxis('threshold', width),
      ...(tail ? [Plot.ruleY([tail.scale], { stroke: 'var(--accent)', strokeWidth: 2, strokeDasharray: '6 3' })] : []),
      Plot.line(places, { x: 'threshold', y: 'value', stroke: 'var(--ink-2)', strokeWidth: 1.25 }),
      ...(places.length < 40 ? [Plot.dot(places, { x: 'threshold', y: 'value', fill: 'var(--ink-2)', r: 2 })] : []),
      Plot.ruleY([0], { stroke: 'var(--bar)' }),
      Plot.tip(
        places,
        Plot.pointerX({
          x: 'threshold',
          y: 'value',
          title: (place: { threshold: number; value: number }) =>
            `over ${formatNumber(place.threshold)}\nmean excess ${formatNumber(place.value)}`,
          ...TIP,
        }),
      ),
    ],
  })
}

function formatLog(value: number): string {
  const power = Math.log10(value)
  return Math.abs(power - Math.round(power)) < 1e-9 ? powerOfTen(Math.round(power)) : formatNumber(value)
}
