import { newKey, Refused, type Api } from './api'
import { picturesOf, running, type Answered, type Completion, type Feedback, type State, type Study } from './contract'
import type { FocusLog } from './focus'
import type { Outbox } from './outbox'
import type { Place, Reply, Response } from './two-query-confidence'
import { platformOf, type VisitStore } from './visit'
import { FEEDBACK, heading, UNKNOWN } from './words'

/** Why there is nothing more to do, where the state of the visit does not say it. */
export type Ended = 'declined' | 'full' | 'already' | 'unknown'

/** One visit: what the server says of it, and what is said to the server. */
export class Run {
  state: State | null = null
  ended: Ended | null = null
  completion: Completion | null = null
  /** What is to be told of the round of practice that is over. */
  round: Feedback | null = null

  constructor(
    readonly study: Study,
    private readonly api: Api,
    private readonly outbox: Outbox,
    private readonly store: VisitStore,
    private readonly focus: FocusLog,
  ) {}

  get going(): boolean {
    return this.ended === null && running(this.state)
  }

  get pictures(): string[] {
    return this.state ? picturesOf(this.state) : []
  }

  get heading(): string {
    const { stage, trial } = this.state ?? {}
    return stage && trial ? heading(stage, trial.number, trial.of, trial.round) : ''
  }

  get place(): Place {
    const { number, of, round } = this.state?.trial ?? { number: 0, of: 0, round: 0 }
    return { number, of, round: round ?? 0 }
  }

  /** Whether a remark may still be made. */
  get remarks(): boolean {
    return this.state?.stage === 'done' && this.store.read()?.remarked === false
  }

  /** Go on with the visit that this browser remembers, if there is one. */
  async resume(): Promise<void> {
    const visit = this.store.read()
    if (!visit) return
    if (!visit.token) return void (await this.store.get('agreed') === true && (await this.join()))
    this.api.token = visit.token
    await this.outbox.left()
    await this.known(async () => this.take(await this.api.state()))
  }

  /** Begin a visit. A reply that is lost loses nothing: asked again under the same key, the server gives the same one. */
  async join(): Promise<void> {
    const visit = this.store.read() ?? { key: newKey(), token: null, remarked: false }
    this.store.write(visit)
    this.store.set('agreed', true)
    const platform = platformOf(location.search)
    const window = [innerWidth, innerHeight]
    try {
      const { session, state } = await this.api.join({ key: visit.key, consent: this.study.consent.version, platform, window })
      this.store.write({ ...visit, token: session })
      this.api.token = session
      this.take(state)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.store.clear()
      if (error.code === 'consent') return location.reload() // its text has changed since it was shown
      if (error.code !== 'full' && error.code !== 'already') throw error
      this.ended = error.code
    }
  }

  async decline(): Promise<void> {
    this.ended = 'declined'
    this.completion = (await this.api.decline()).completion
  }

  /** Tell that the instructions have been read; `views` are the pages in the order in which they were looked at. */
  async instructed(ms: number, views: { page: number; ms: number }[]): Promise<void> {
    await this.known(async () => this.take(await this.outbox.post<State>('session/instructions', { ms, views })))
  }

  /** Tell the answer to the question that is shown; afterwards `state` has the next one. */
  async answer({ choice, confidence, rt }: Response): Promise<Reply> {
    const id = this.state?.trial?.id ?? ''
    const focus_losses = this.focus.losses
    const window = [innerWidth, innerHeight]
    const content = { choice, confidence, rt_ms: rt, focus_losses, window, client_time: Date.now() }
    this.round = null
    let reply: Reply = { kind: 'none', text: '' }
    await this.known(
      async () => {
        const { feedback, state } = await this.outbox.post<Answered>(`session/trials/${encodeURIComponent(id)}`, content)
        this.take(state)
        if (feedback) reply = feedback.correct ? { kind: 'right', text: FEEDBACK.right } : { kind: 'wrong', text: FEEDBACK.wrong }
        if (feedback?.round_over) this.round = feedback
      },
      async (refused) => {
        reply = { kind: 'notice', text: refused.status === 409 ? FEEDBACK.elsewhere : `${refused.message}.` }
        this.take(refused.state ?? (await this.api.state()))
      },
    )
    return this.ended ? { kind: 'notice', text: UNKNOWN[0]! } : reply
  }

  async remark(text: string): Promise<void> {
    const visit = this.store.read()
    if (visit) this.store.write({ ...visit, remarked: true })
    if (text) await this.known(async () => void (await this.outbox.post('session/remark', { text })))
  }

  /** Focus is counted anew for each question. */
  asked(): void {
    this.focus.losses = 0
  }

  private take(state: State): void {
    this.state = state
    this.completion = state.completion ?? this.completion
  }

  /** Do something with a visit that the server may no longer know, or may refuse. */
  private async known(act: () => Promise<void>, refused?: (error: Refused) => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      if (error.status === 401) {
        this.store.clear()
        this.ended = 'unknown'
      } else if (refused) {
        await this.known(() => refused(error))
      } else if (error.status === 409) {
        await this.known(async () => this.take(error.state ?? (await this.api.state())))
      }
    }
  }
}
