import { messageOf } from '../resource'
import { browserStore, newKey, Outbox, type Answer } from './outbox.svelte'
import { loadSaid, type Said, type Task } from './task'

/** One rater at work on a task: what they have said, what comes next, and what is on its way to the server. */
export class Session {
  /** The label of each labelled image, in the order in which they were given. */
  given = $state.raw<ReadonlyMap<string, string>>(new Map())
  refused = $state<string | null>(null)

  readonly outbox: Outbox

  private constructor(
    readonly task: Task,
    readonly rater: string,
    readonly order: readonly string[],
    said: Said,
  ) {
    this.outbox = new Outbox(task.url, rater, browserStore(), (answer, outcome) => {
      if (!outcome.kept) {
        this.refused = `The label “${answer.label ?? ''}” was refused: ${outcome.refused}.`
        void this.refresh()
      } else if (this.outbox.waiting.length === 0 && outcome.answered !== this.given.size) {
        void this.refresh() // another page of this rater has been at work
      }
    })
    this.take(said)
    this.outbox.retry()
  }

  static async open(task: Task, rater: string): Promise<Session> {
    const said = await loadSaid(task, rater)
    return new Session(task, said.rater, said.order, said)
  }

  /** The image to label: the first in the rater's order that has no label; null when all have one. */
  get current(): string | null {
    return this.order.find((image) => !this.given.has(image)) ?? null
  }

  /** The images that are likely to come after it. */
  get coming(): string[] {
    return this.order.filter((image) => !this.given.has(image)).slice(1, 3)
  }

  /** The image that was labelled last, with its label. */
  get last(): [image: string, label: string] | null {
    return [...this.given].at(-1) ?? null
  }

  /** How many images have each label. */
  get counts(): { name: string; count: number }[] {
    const labels = [...this.given.values()]
    return this.task.labels.map(({ name }) => ({ name, count: labels.filter((label) => label === name).length }))
  }

  label(name: string): void {
    if (this.current === null || !this.task.labels.some((label) => label.name === name)) return
    this.say(this.current, name)
  }

  /** Take back the label that was given last; its image is to be labelled again. */
  undo(): void {
    if (this.last) this.say(this.last[0], null)
  }

  /** Ask the server what holds, unless something is on its way there. */
  async refresh(): Promise<void> {
    if (this.outbox.waiting.length > 0) return
    try {
      const said = await loadSaid(this.task, this.rater)
      if (this.outbox.waiting.length === 0) this.take(said)
    } catch (error) {
      this.refused ??= messageOf(error)
    }
  }

  end(): void {
    this.outbox.end()
  }

  private say(image: string, label: string | null): void {
    this.refused = null
    const answer = { key: newKey(), rater: this.rater, image, label, client_time: Date.now() }
    this.given = applied(this.given, [answer])
    this.outbox.put(answer)
  }

  /** What the server knows, and upon it what it has not heard yet. */
  private take(said: Said): void {
    this.given = applied(new Map(said.answers), this.outbox.waiting)
  }
}

/** Labels after some more answers, in the order in which those that hold were given. */
export function applied(given: ReadonlyMap<string, string>, answers: readonly Answer[]): Map<string, string> {
  const found = new Map(given)
  for (const { image, label } of answers) {
    found.delete(image)
    if (label !== null) found.set(image, label)
  }
  return found
}
