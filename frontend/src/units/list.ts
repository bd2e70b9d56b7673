import type { Sort } from '../route'
import type { UnitEntry } from './record'

/** The units whose number begins with what is looked for, sorted; what is not known comes last either way. */
export function arranged(units: readonly UnitEntry[], sort: Sort, reversed: boolean, find: string): UnitEntry[] {
  const begun = find.trim()
  const found = begun ? units.filter(({ unit }) => String(unit).startsWith(begun)) : [...units]
  const sign = reversed ? -1 : 1
  return found.sort((a, b) => {
    if (sort !== 'number') {
      const [x, y] = [a[sort], b[sort]]
      if ((x === null) !== (y === null)) return x === null ? 1 : -1
      if (x !== null && y !== null && x !== y) return sign * (y - x) // the largest first
    }
    return sort === 'number' ? sign * (a.unit - b.unit) : a.unit - b.unit
  })
}

/** The unit before or after a number, which need not be in the list itself. */
export function beside(units: readonly UnitEntry[], unit: number, step: 1 | -1): number | null {
  const others = units.map((entry) => entry.unit).filter((other) => (other - unit) * step > 0)
  return others.length === 0 ? null : step > 0 ? Math.min(...others) : Math.max(...others)
}
