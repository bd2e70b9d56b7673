import type { Answered, Completion, State, Study } from './contract'

/** The server understood and said no. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly state: State | null = null,
  ) {
    super(detail)
  }
}

const FIRST_PAUSE = 1000 // milliseconds; doubled after each failure
const LONGEST_PAUSE = 15_000
const PATIENCE = 30_000

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/**
 * Asks the server, again and again until it answers.
 *
 * `trouble` is called with true when it does not answer, and with false when it does again.
 */
export class Api {
  token: string | null = null
  private waiting = new Set<() => void>()

  constructor(
    private readonly trouble: (there: boolean) => void = () => {},
    private readonly fetch: Fetch = (url, init) => window.fetch(url, init),
  ) {}

  study(): Promise<Study> {
    return this.ask('study')
  }

  state(): Promise<State> {
    return this.ask('session')
  }

  join(body: object): Promise<{ session: string; state: State }> {
    return this.ask('sessions', body)
  }

  decline(): Promise<{ completion: Completion }> {
    return this.ask('declined', {})
  }

  withdraw(code: string): Promise<unknown> {
    return this.ask('withdraw', { code })
  }

  /** Try now what waits for the server. */
  retry = (): void => {
    for (const go of this.waiting) go()
  }

  /** GET, or POST where there is a body. Throws `Refused` for what the server refuses; anything else is tried again. */
  async ask<T = Answered>(path: string, body?: object): Promise<T> {
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const response = await this.once(path, body)
      if (response) {
        this.trouble(false)
        if (response.ok) return response.content as T
        const { detail, code, state } = response.content as { detail?: unknown; code?: unknown; state?: State }
        const why = typeof detail === 'string' ? detail : `the server answered ${response.status}`
        throw new Refused(response.status, typeof code === 'string' ? code : '', why, state ?? null)
      }
      this.trouble(true)
      await this.pause(pause)
    }
  }

  /** One attempt; null if there was no answer, or one that says that the server is in trouble. */
  private async once(path: string, body?: object): Promise<{ ok: boolean; status: number; content: unknown } | null> {
    try {
      const response = await this.fetch(`api/${path}`, {
        method: body ? 'POST' : 'GET',
        headers: {
          ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}),
          ...(body ? { 'Content-Type': 'application/json' } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
        cache: 'no-store',
        signal: AbortSignal.timeout(PATIENCE),
      })
      if (response.status >= 500 || response.status === 408) return null
      const content = (await response.json().catch(() => null)) as { code?: unknown } | null
      // Without our server's word for it, it was something on the way that had too much to do.
      if (response.status === 429 && typeof content?.code !== 'string') return null
      if (response.ok && content === null) return null
      return { ok: response.ok, status: response.status, content: content ?? {} }
    } catch {
      return null
    }
  }

  private pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const go = () => {
        clearTimeout(timer)
        this.waiting.delete(go)
        resolve()
      }
      const timer = setTimeout(go, milliseconds)
      this.waiting.add(go)
    })
  }
}

/** A key that no other request has. `crypto.randomUUID` is missing on plain addresses of other machines. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
