/** What the browser remembers of a visit: enough to go on after a reload, and nothing about answers. */
export interface Remembered {
  key: string // names the visit: asked for twice, the server makes one
  token: string | null
  remarked: boolean
}

/** Parameters that a platform adds to the address; the server keeps them as fingerprints. */
export const PLATFORM = ['PROLIFIC_PID', 'STUDY_ID', 'SESSION_ID'] as const

export function platformOf(search: string): Partial<Record<(typeof PLATFORM)[number], string>> {
  const given = new URLSearchParams(search)
  return Object.fromEntries(PLATFORM.map((name) => [name, given.get(name)]).filter(([, value]) => value))
}

/** The browser's store under names of one experiment and one person of a platform. */
export class VisitStore {
  private readonly prefix: string

  constructor(
    private readonly store: Storage,
    experiment: string,
    person = '',
  ) {
    this.prefix = `pellucid experiment ${experiment} ${person} `
  }

  read(): Remembered | null {
    const found = this.get('visit') as Partial<Remembered> | null
    if (typeof found?.key !== 'string') return null
    return { key: found.key, token: typeof found.token === 'string' ? found.token : null, remarked: found.remarked === true }
  }

  write(visit: Remembered): void {
    this.set('visit', visit)
  }

  clear(): void {
    for (const name of this.names()) this.remove(name)
  }

  get(name: string): unknown {
    try {
      return JSON.parse(this.store.getItem(this.prefix + name) ?? 'null')
    } catch {
      return null
    }
  }

  /** Keep something; false where the browser's store is full or forbidden. */
  set(name: string, value: unknown): boolean {
    try {
      this.store.setItem(this.prefix + name, JSON.stringify(value))
      return true
    } catch {
      return false
    }
  }

  remove(name: string): void {
    try {
      this.store.removeItem(this.prefix + name)
    } catch {
      // What stays there is asked for again, which changes nothing.
    }
  }

  names(): string[] {
    try {
      const all = Array.from({ length: this.store.length }, (_, at) => this.store.key(at) ?? '')
      return all.filter((name) => name.startsWith(this.prefix)).map((name) => name.slice(this.prefix.length))
    } catch {
      return []
    }
  }
}

/** The browser's store where it may be used, otherwise one that lasts as long as the page. */
export function browserStore(): Storage {
  try {
    window.localStorage.setItem('pellucid', '')
    window.localStorage.removeItem('pellucid')
    return window.localStorage
  } catch {
    return new PageStore()
  }
}

class PageStore implements Storage {
  [name: string]: unknown
  private readonly items = new Map<string, string>()
  get length(): number {
    return this.items.size
  }
  clear(): void {
    this.items.clear()
  }
  getItem(name: string): string | null {
    return this.items.get(name) ?? null
  }
  key(index: number): string | null {
    return [...this.items.keys()][index] ?? null
  }
  removeItem(name: string): void {
    this.items.delete(name)
  }
  setItem(name: string, value: string): void {
    this.items.set(name, value)
  }
}
