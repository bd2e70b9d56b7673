import { fields, list, number, reading, text, whole } from './fields'
import { fetchJson } from './resource'

/** A class, its mean attribution to a cell, and how far the cell's activations scatter about it. */
export interface Spoken {
  label: number
  value: number
  deviation: number
}

/** A cell that something is to be said of: its place, and how near or how much more often than by chance. */
export interface Near {
  row: number
  column: number
  value: number
}

/** Where in another atlas the activations of a cell are found again. */
export interface NextCells {
  atlas: string
  grid: number
  cells: Near[]
}

/** What explains a cell beyond its place in the table. */
export interface CardRecord {
  labels: Spoken[]
  against: Spoken[]
  spread: number
  norm: number
  nearest: Near[]
  next: NextCells[]
}

/** Read a file of cards. */
export async function cardsOf(url: string): Promise<CardRecord[]> {
  return parseCards(url, await fetchJson<unknown>(url))
}

export function parseCards(url: string, content: unknown): CardRecord[] {
  return reading(url, content, 1, 'a list of cards', (record) =>
    list(record['cards']).map((entry) => {
      const card = fields(entry)
      return {
        labels: list(card['labels']).map(spoken),
        against: list(card['against']).map(spoken),
        spread: number(card['spread']),
        norm: number(card['norm']),
        nearest: list(card['nearest']).map(near),
        next: list(card['next'] ?? []).map((value) => {
          const next = fields(value)
          return { atlas: text(next['atlas']), grid: whole(next['grid']), cells: list(next['cells']).map(near) }
        }),
      }
    }),
  )
}

function spoken(value: unknown): Spoken {
  const [label, mean, deviation] = list(value)
  return { label: whole(label), value: number(mean), deviation: number(deviation) }
}

function near(value: unknown): Near {
  const [row, column, how] = list(value)
  return { row: whole(row), column: whole(column), value: number(how) }
}
