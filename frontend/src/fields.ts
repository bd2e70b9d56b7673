import { refuseNewer, ResourceError } from './resource'

// Takes values apart and raises a TypeError at the first that is not what it should be.

export type Fields = Record<string, unknown>

/** Read a file of the study. Raises `ResourceError` if it is not `what` it should be, or newer than this page reads. */
export function reading<T>(url: string, content: unknown, newest: number, what: string, read: (record: Fields) => T): T {
  try {
    const record = fields(content)
    refuseNewer(url, record['format'], newest)
    return read(record)
  } catch (error) {
    if (error instanceof TypeError) throw new ResourceError(`${url} is damaged: it is not ${what}.`)
    throw error
  }
}

export function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('no record')
  return value as Fields
}

export function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError('no list')
  return value
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('no text')
  return value
}

export function number(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError('no number')
  return value
}

export function whole(value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0) throw new TypeError('no whole number')
  return value as number
}

export function orNull(value: unknown): number | null {
  return value === null || value === undefined ? null : number(value)
}

export function optional<T>(value: unknown, read: (record: Fields) => T): T | null {
  return value === null || value === undefined ? null : read(fields(value))
}

export function numbers(value: unknown, count?: number): number[] {
  const read = list(value).map(number)
  if (count !== undefined && read.length !== count) throw new TypeError(`not ${count} numbers`)
  return read
}
