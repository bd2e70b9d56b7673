const FEW = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 })
const FOUR = new Intl.NumberFormat('en', { minimumSignificantDigits: 4, maximumSignificantDigits: 4 })
const THREE = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })
const RAISED = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** A number of a scale, with at most four significant digits and a true minus sign. */
export function formatNumber(value: number): string {
  return written(value, FEW)
}

/** A number that has little room. */
export function formatTightly(value: number): string {
  return written(value, THREE)
}

/** A measured number: always with four significant digits, so that a column of them reads well. */
export function formatMeasured(value: number): string {
  return value === 0 ? '0' : written(value, FOUR)
}

function written(value: number, format: Intl.NumberFormat): string {
  const size = Math.abs(value)
  const sign = value < 0 ? '−' : ''
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : `${sign}∞`
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) {
    const [digits, power] = size.toExponential(2).split('e') as [string, string]
    return `${sign}${digits} × ${powerOfTen(Number(power))}`
  }
  return sign + format.format(size)
}

export function powerOfTen(power: number): string {
  const digits = [...String(Math.abs(power))].map((digit) => RAISED[Number(digit)])
  return `10${power < 0 ? '⁻' : ''}${digits.join('')}`
}

/** A share of one in percent, with at most three significant digits; measured, always with four. */
export function formatShare(share: number, measured = false): string {
  const percent = 100 * share
  if (!Number.isFinite(percent)) return '–'
  // Near the ends a rounded number would say "all" or "none" where it is neither.
  if (percent > 0 && percent < 0.001) return '< 0.001 %'
  if (percent < 100 && percent > 99.95) return `${(Math.floor(percent * 1000) / 1000).toFixed(3)} %`
  return `${measured && percent > 0 ? percent.toPrecision(4) : Number(percent.toPrecision(3))} %`
}

/** A count in few signs: 999583 as 1M. */
export function formatShort(count: number): string {
  return SHORT.format(count)
}
