import type { Weighing } from './address'

/** A cell's opacity by what it says of a class: in proportion to the class's largest attribution on the level. */
export function opacityOf(value: number, largest: number, { sign, strength }: Weighing): number {
  return largest > 0 ? Math.min(1, Math.max(0, (sign * value * strength) / largest)) : 0
}
