import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Outbox, type Answer, type Outcome } from '../src/labelling/outbox.svelte'
import { applied } from '../src/labelling/session.svelte'
import { raterName, taskUrl } from '../src/labelling/task'

const answer = (number: number, label: string | null = 'curve', image = `image${number}`): Answer => ({
  key: `key-${number}`,
  rater: 'ann',
  image,
  label,
  client_time: 1000 + number,
})

describe('a rater’s name', () => {
  it.each([
    ['Ann', 'ann'],
    ['  Ann   B ', 'ann b'],
    ['José-Maria', 'josé-maria'],
    ['山田', '山田'],
    ['r2.d2', 'r2.d2'],
    ['Jose\u0301', 'josé'],
  ])('is kept in one form: %s', (text, name) => expect(raterName(text)).toBe(name))

  it.each(['', ' ', '..', '../x', 'a/b', 'a\\b', '-a', 'a.', 'x'.repeat(41), 'a:b', 'a\u202eb'])('is refused: %s', (text) =>
    expect(raterName(text)).toBeNull(),
  )
})

it('asks the server for a task by the unit as it is written everywhere', () => {
  expect(taskUrl('a b', 3)).toBe('labels/a%20b%3A3')
})

it('applies answers in their order, and the last of an image holds', () => {
  const given = new Map([
    ['a', 'curve'],
    ['b', 'curve'],
  ])
  const found = applied(given, [answer(1, 'opposing', 'a'), answer(2, null, 'b'), answer(3, 'unrelated', 'c'), answer(4, null, 'd')])
  expect([...found]).toEqual([
    ['a', 'opposing'],
    ['c', 'unrelated'],
  ])
  expect(given.size).toBe(2)
})

/** A browser's store, kept in memory. */
class Store {
  readonly items = new Map<string, string>()
  get length() {
    return this.items.size
  }
  key = (index: number) => [...this.items.keys()][index] ?? null
  getItem = (key: string) => this.items.get(key) ?? null
  setItem = (key: string, value: string) => void this.items.set(key, value)
  removeItem = (key: string) => void this.items.delete(key)
  clear = () => this.items.clear()
}

describe('the outbox', () => {
  let store: Store
  let posted: string[]
  let heard: [string, Outcome][]
  let outcomes: Outcome[]
  const kept: Outcome = { kept: true, answered: 1 }
  const silent: Outcome = { kept: false, refused: null }

  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('addEventListener', () => {})
    vi.stubGlobal('removeEventListener', () => {})
    vi.stubGlobal('location', { pathname: '/' })
    store = new Store()
    posted = []
    heard = []
    outcomes = []
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  function outbox(rater = 'ann', where: Store | null = store): Outbox {
    const post = async (_: string, { key }: Answer) => {
      posted.push(key)
      return outcomes.shift() ?? kept
    }
    return new Outbox('labels/a:3', rater, where, ({ key }, outcome) => heard.push([key, outcome]), post)
  }

  it('sends one after the other and forgets what arrived', async () => {
    const box = outbox()
    for (const number of [1, 2, 3]) box.put(answer(number))
    expect(store.length).toBe(3)
    await vi.runAllTimersAsync()
    expect(posted).toEqual(['key-1', 'key-2', 'key-3'])
    expect(heard.map(([key]) => key)).toEqual(posted)
    expect(box.waiting).toEqual([])
    expect(store.length).toBe(0)
  })

  it('tries again until it arrives, less and less often, and never out of order', async () => {
    outcomes = [silent, silent, silent]
    const box = outbox()
    box.put(answer(1))
    box.put(answer(2))
    await vi.advanceTimersByTimeAsync(0)
    expect(box.trouble).toBe('The server does not answer.')
    await vi.advanceTimersByTimeAsync(999)
    expect(posted).toEqual(['key-1'])
    await vi.advanceTimersByTimeAsync(1)
    expect(posted).toEqual(['key-1', 'key-1'])
    await vi.advanceTimersByTimeAsync(1999)
    expect(posted).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(posted).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(4000)
    expect(posted).toEqual(['key-1', 'key-1', 'key-1', 'key-1', 'key-2'])
    expect(box.trouble).toBeNull()
  })

  it('goes on after an answer that is refused', async () => {
    const refused: Outcome = { kept: false, refused: 'no such image' }
    outcomes = [refused]
    const box = outbox()
    box.put(answer(1))
    box.put(answer(2))
    await vi.runAllTimersAsync()
    expect(heard).toEqual([
      ['key-1', refused],
      ['key-2', kept],
    ])
    expect(box.waiting).toEqual([])
  })

  it('sends what an earlier page of the same rater left', async () => {
    outcomes = [silent]
    const before = outbox()
    for (const number of [3, 1, 2]) before.put(answer(number))
    await vi.advanceTimersByTimeAsync(0)
    before.end()
    posted = []
    const other = outbox('bob')
    other.retry()
    await vi.runAllTimersAsync()
    expect(posted).toEqual([])
    const after = outbox()
    expect(after.waiting.map(({ key }) => key)).toEqual(['key-1', 'key-2', 'key-3'])
    after.retry()
    await vi.runAllTimersAsync()
    expect(posted).toEqual(['key-1', 'key-2', 'key-3'])
    expect(store.length).toBe(0)
  })

  it('knows what would be lost with the page', async () => {
    const full = new Store()
    full.setItem = () => {
      throw new Error('QuotaExceededError')
    }
    for (const where of [null, full]) {
      outcomes = [silent]
      const box = outbox('ann', where)
      expect(box.atRisk).toBe(false)
      box.put(answer(1))
      await vi.advanceTimersByTimeAsync(0)
      expect(box.atRisk).toBe(true)
      await vi.runAllTimersAsync()
      expect(box.atRisk).toBe(false)
    }
    outcomes = [silent]
    const box = outbox()
    box.put(answer(2))
    await vi.advanceTimersByTimeAsync(0)
    expect(box.atRisk).toBe(false)
  })
})
