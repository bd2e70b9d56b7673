import { newKey, Refused, type Api } from './api'
import type { VisitStore } from './visit'

/** Something that a person did, on its way to the server. `body.key` names it: sent twice, it counts once. */
interface Letter {
  number: number
  path: string
  body: { key: string; [name: string]: unknown }
}

/**
 * Sends what a person did, one thing after the other, and keeps each in the browser's store until the server has it, so
 * that neither a server that is away nor a page that is closed loses any of it.
 */
export class Outbox {
  /** How many things the server has not acknowledged. */
  waiting = 0
  private last: Promise<unknown> = Promise.resolve()
  private number = 0

  constructor(
    private readonly api: Api,
    private readonly store: VisitStore,
  ) {}

  /** Send something. Gives the server's answer; throws `Refused` if it is refused. */
  post<T>(path: string, content: object): Promise<T> {
    const letter: Letter = { number: Date.now() + this.number++ / 1000, path, body: { key: newKey(), ...content } }
    this.store.set(entry(letter), letter)
    return this.send<T>(letter)
  }

  /** Send what earlier pages of this visit left, in their order. */
  async left(): Promise<void> {
    const found = this.store.names().filter((name) => name.startsWith('letter '))
    const letters = found.map((name) => this.store.get(name) as Letter | null)
    for (const letter of letters.filter((one) => one !== null).sort((a, b) => a.number - b.number)) {
      try {
        await this.send(letter)
      } catch (error) {
        // Answered in another window meanwhile, or of a visit that is gone: what holds is asked for next.
        if (!(error instanceof Refused)) throw error
      }
    }
  }

  private send<T>(letter: Letter): Promise<T> {
    this.waiting++
    const sent = this.last.then(() => this.api.ask<T>(letter.path, letter.body))
    const over = () => {
      this.waiting--
      this.store.remove(entry(letter))
    }
    this.last = sent.then(over, over)
    return sent
  }
}

function entry(letter: Letter): string {
  return `letter ${letter.body.key}`
}
