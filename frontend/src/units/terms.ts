import { formatCount } from '../names'
import { formatMeasured, formatShare } from '../numbers'
import type { Estimate } from './record'

type Format = (value: number) => string

// In the order in which they are shown.
const TERMS: Record<string, [name: string, format?: Format]> = {
  count: ['Positions', formatCount],
  invalid: ['Not finite, left out', formatCount],
  fires: ['Fires, above 0', (share) => formatShare(share, true)],
  mean: ['Mean'],
  sd: ['Standard deviation'],
  rectified_mean: ['Mean of the positive part'],
  rectified_sd: ['Standard deviation of it'],
  min: ['Least'],
  max: ['Greatest'],
  skewness: ['Skewness'],
  kurtosis: ['Excess kurtosis'],
  gini: ['Gini coefficient'],
  sparseness: ['Sparseness'],
}

export interface Row {
  key: string
  name: string
  value: string
  interval: string
}

/** The numbers of a distribution as text: those that are known first and in their order, then all others. */
export function rows(numbers: ReadonlyMap<string, Estimate>): Row[] {
  const keys = [...Object.keys(TERMS).filter((key) => numbers.has(key)), ...[...numbers.keys()].filter((key) => !(key in TERMS))]
  return keys.flatMap((key) => {
    const { value, interval } = numbers.get(key)!
    if (key === 'invalid' && value === 0) return []
    const [name, format = formatMeasured] = TERMS[key] ?? [nameOf(key)]
    return [{ key, name, value: format(value), interval: interval ? formatInterval(interval, format) : '' }]
  })
}

export function formatInterval([low, high]: [number, number], format: Format = formatMeasured): string {
  return `${format(low)} to ${format(high)}`
}

/** `p99.9` is the quantile below which 99.9 % lie; of other names the underscores go. */
function nameOf(key: string): string {
  const quantile = /^p([\d.]+)$/.exec(key)
  return quantile ? `Quantile ${quantile[1]} %` : key.replaceAll('_', ' ')
}
