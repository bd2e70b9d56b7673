import { formatCount } from '../names'
import { formatShare } from '../numbers'
import { wrapped } from './radial'
import type { Discoveries, Family, Found, FoundUnit, Gap, Kind } from './record'

/** What units of a kind are called: one, and several. */
export const NAMES: Record<Kind, [one: string, several: string]> = {
  mature: ['curve detector', 'curve detectors'],
  proto: ['early curve detector', 'early curve detectors'],
  line: ['line detector', 'line detectors'],
  double: ['double curve detector', 'double curve detectors'],
}

/** What makes a unit one of a kind, for who meets the word first. */
export const MEANINGS: Record<Kind, string> = {
  mature: 'each answers to curves of one direction, without an echo at the opposite one',
  proto: 'each answers to curves, with an echo at the opposite direction',
  line: 'each answers to straight lines nearly as much as to curves, or more',
  double: 'each answers to curves of two directions',
}

const LOST: Record<string, string> = {
  permuted: 'with permuted channels',
  shuffled: 'with shuffled weights',
  random: 'with random weights',
}

export function counted(count: number, kind: Kind): string {
  return `${count === 0 ? 'no' : formatCount(count)} ${NAMES[kind][count === 1 ? 0 : 1]}`
}

/** A direction from 0 up to 360 degrees. */
export function degrees(angle: number | null, digits = 0): string {
  if (angle === null) return '–'
  const rounded = Number(wrapped(angle).toFixed(digits))
  return `${rounded === 360 ? 0 : rounded}°`
}

/** An angle between directions, which may have a sign, or a width. */
export function width(angle: number | null): string {
  return angle === null ? '–' : `${Number(angle.toFixed(Math.abs(angle) < 10 ? 1 : 0)) || 0}°`.replace('-', '−')
}

/** A measured number with two digits behind the point. */
export function two(value: number | null): string {
  return value === null ? '–' : value.toFixed(2).replace('-', '−')
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** How many units of a kind there are, how many chance would give, and the false discovery rate with its upper limit. */
export function discovery(kind: Kind, { real, nulls, rate, most }: Discoveries): string {
  const first = capital(counted(real, kind))
  if (nulls.length === 0) return `${first}. No null network was searched beside it, so nothing is known of chance.`
  const chance = `${first}; ${nulls.map(([name, count]) => `${formatCount(count)} ${nullNetwork(name)}`).join(', ')}.`
  if (rate === null || most === null) return chance
  if (rate >= 1) return `${chance} Chance alone would give as many: the number says nothing.`
  return `${chance} False discovery rate ${percent(rate)}, at most ${percent(most)} with 95\u00a0% confidence.`
}

/** A share that does not break over two lines. */
function percent(share: number): string {
  return formatShare(share).replace(' %', '\u00a0%')
}

/** "permuted 0", the kind of null network and its seed, as "in a network with permuted channels". */
export function nullNetwork(name: string): string {
  const [kind = '', seed = ''] = name.split(' ')
  const lost = LOST[kind]
  return lost ? `in the network ${lost}${seed && seed !== '0' ? ` (seed ${seed})` : ''}` : `in the null network “${name}”`
}

/** Whether rotated photographs confirm a unit, or why not. */
export function confirmation(unit: FoundUnit, found: Found): string {
  if (unit.confirmed === true) return 'Yes'
  if (unit.confirmed === null) {
    if (unit.note) return capital(unit.note)
    return !found.natural && unit.kind === 'mature' ? 'Not tested' : '–'
  }
  const { natural, chance } = unit
  if (natural === null) return `No: ${unit.note || 'photographs tell no direction'}`
  if (found.naturalLimit !== null && Math.abs(natural) > found.naturalLimit) return `No: ${width(natural)} is over ${width(found.naturalLimit)}`
  if (unit.note) return `No: ${unit.note}`
  return chance === null ? 'No' : `No: by chance ${formatShare(chance)} agree as well`
}

/** The widest gaps in words. */
export function gapWords(gaps: readonly Gap[]): string {
  return gaps.map(({ degrees, before, after }) => `${width(degrees)} between ${before} and ${after}`).join(', ')
}

export function familyTitle({ layer, number }: Family): string {
  return `${layer}, family ${number}`
}

/** How the units of a family stand about the circle, for who cannot see the plot. */
export function plotWords(family: Family): string {
  const coverage = family.coverage === null ? '' : `; at every direction one answers with ${two(family.coverage)} of its peak or more`
  return `Tuning curves of ${counted(family.units.length, family.kind)} of ${family.layer} about the circle${coverage}`
}

/** Units as commands take them: `layer:0-3,7`. */
export function unitList(layer: string, units: readonly number[]): string {
  const sorted = [...new Set(units)].sort((a, b) => a - b)
  const runs: [number, number][] = []
  for (const unit of sorted) {
    const last = runs.at(-1)
    if (last && unit === last[1] + 1) last[1] = unit
    else runs.push([unit, unit])
  }
  return `${layer}:${runs.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(',')}`
}

export function median(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null).sort((a, b) => a - b)
  if (known.length === 0) return null
  const middle = (known.length - 1) / 2
  return (known[Math.floor(middle)]! + known[Math.ceil(middle)]!) / 2
}

export function strength(z: number | null): string {
  return z === null ? '–' : z.toFixed(1).replace('-', '−')
}
