/** Networks' labels list synonyms: “tench, Tinca tinca”. The first one is the short name. */
export function shortName(name: string): string {
  return (name.split(',', 1)[0] ?? '').trim() || name
}

/** What the short name leaves out. */
export function otherNames(name: string): string {
  const comma = name.indexOf(',')
  return comma < 0 ? '' : name.slice(comma + 1).trim()
}

/** A mean attribution with at least three significant digits and a true minus sign. */
export function formatValue(value: number): string {
  const size = Math.abs(value)
  const text = size === 0 ? '0' : size < 1 || size >= 1000 ? size.toPrecision(3) : size.toFixed(size < 100 ? 2 : 1)
  return value < 0 ? `−${text}` : text
}

const THOUSANDS = new Intl.NumberFormat('en')

export function formatCount(count: number): string {
  return THOUSANDS.format(count)
}
