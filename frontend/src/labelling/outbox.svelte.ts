/** One thing a rater says of an image: a label, or null to take the last one back. */
export interface Answer {
  key: string // names the saying: sent twice, it counts once
  rater: string
  image: string
  label: string | null
  client_time: number // milliseconds since 1970
}

/** What came of sending an answer: kept, with the number of images labelled by now; refused for good; or not arrived. */
export type Outcome = { kept: true; answered: number } | { kept: false; refused: string | null }

const FIRST_PAUSE = 1000 // milliseconds; doubled after each failure
const LONGEST_PAUSE = 15_000

/**
 * Answers on their way to the server: one after the other, in their order, again and again until each has arrived.
 *
 * They wait in the browser's store as well, where it has one, so that a page that is closed or reloaded before they have
 * arrived sends them when it is opened again.
 */
export class Outbox {
  waiting = $state.raw<readonly Answer[]>([])
  /** Why nothing arrives, while it does not. */
  trouble = $state<string | null>(null)

  private unstored = false
  private sending = false
  private ended = false
  private pause = FIRST_PAUSE
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly url: string,
    private readonly rater: string,
    private readonly store: Storage | null,
    private readonly heard: (answer: Answer, outcome: { kept: true; answered: number } | { kept: false; refused: string }) => void,
    private readonly post: (url: string, answer: Answer) => Promise<Outcome> = postAnswer,
  ) {
    this.waiting = this.stored()
    addEventListener('online', this.retry)
  }

  /** Send an answer as soon as those before it have arrived. */
  put(answer: Answer): void {
    this.waiting = [...this.waiting, answer]
    try {
      this.store?.setItem(this.entry(answer.key), JSON.stringify({ ...answer, number: this.waiting.length }))
      this.unstored ||= this.store === null
    } catch {
      this.unstored = true
      // The store is full or forbidden: the answer waits in this page alone, which warns before it is closed.
    }
    void this.send()
  }

  /** Try again now. */
  retry = (): void => {
    clearTimeout(this.timer)
    void this.send()
  }

  /** Whether something waits that would be lost with this page. */
  get atRisk(): boolean {
    return this.unstored && this.waiting.length > 0
  }

  /** Stop sending; what waits in the store is sent by the next page. */
  end(): void {
    this.ended = true
    clearTimeout(this.timer)
    removeEventListener('online', this.retry)
  }

  private async send(): Promise<void> {
    if (this.sending || this.ended) return
    clearTimeout(this.timer)
    this.sending = true
    try {
      while (this.waiting[0] && !this.ended) {
        const answer = this.waiting[0]
        const outcome = await this.post(`${this.url}/answers`, answer)
        if (!outcome.kept && outcome.refused === null) {
          this.trouble = 'The server does not answer.'
          this.timer = setTimeout(() => void this.send(), this.pause)
          this.pause = Math.min(2 * this.pause, LONGEST_PAUSE)
          return
        }
        this.trouble = null
        this.pause = FIRST_PAUSE
        this.waiting = this.waiting.slice(1)
        this.forget(answer.key)
        this.heard(answer, outcome as Parameters<typeof this.heard>[1])
      }
    } finally {
      this.sending = false
    }
  }

  private get prefix(): string {
    return `pellucid answer ${location.pathname} ${this.url} ${this.rater} `
  }

  private entry(key: string): string {
    return this.prefix + key
  }

  private forget(key: string): void {
    try {
      this.store?.removeItem(this.entry(key))
    } catch {
      // Sent again it changes nothing.
    }
  }

  /** What earlier pages of this rater left, in the order in which it was said. */
  private stored(): Answer[] {
    const found: (Answer & { number: number })[] = []
    try {
      for (let i = 0; i < (this.store?.length ?? 0); i++) {
        const name = this.store?.key(i) ?? ''
        if (name.startsWith(this.prefix)) found.push(JSON.parse(this.store?.getItem(name) ?? 'null'))
      }
    } catch {
      return []
    }
    return found
      .filter((one) => typeof one?.key === 'string')
      .sort((a, b) => a.client_time - b.client_time || a.number - b.number)
      .map(({ key, rater, image, label, client_time }) => ({ key, rater, image, label, client_time }))
  }
}

/** A key that no other answer has. `crypto.randomUUID` is missing on plain addresses of other machines. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The browser's store, where there is one and it may be used. */
export function browserStore(): Storage | null {
  try {
    return window.localStorage
  } catch {
    return null
  }
}

async function postAnswer(url: string, answer: Answer): Promise<Outcome> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(answer),
    })
    if (response.ok) return { kept: true, answered: Number((await response.json()).answered) }
    if (response.status < 400 || response.status >= 500) return { kept: false, refused: null }
    const { detail } = (await response.json().catch(() => ({}))) as { detail?: unknown }
    return { kept: false, refused: typeof detail === 'string' ? detail : `the server answered ${response.status}` }
  } catch {
    return { kept: false, refused: null }
  }
}
