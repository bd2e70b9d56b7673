import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Api, newKey, Refused } from '../src/experiment/api'
import { picturesOf, type State, type Study } from '../src/experiment/contract'
import { FocusLog } from '../src/experiment/focus'
import { columns, instructionPages } from '../src/experiment/instructions'
import { keyTarget } from '../src/experiment/keys'
import { escaped, withoutStyles } from '../src/experiment/markup'
import { Outbox } from '../src/experiment/outbox'
import { platformOf, VisitStore } from '../src/experiment/visit'
import { heading } from '../src/experiment/words'

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

interface Asked {
  url: string
  method: string
  body: { key?: string; [name: string]: unknown } | null
  token: string | null
}

/** A server that answers as it is told, and notes what it was asked. */
function server(answers: (Response | Error)[]) {
  const asked: Asked[] = []
  const fetch = async (url: string, init: RequestInit) => {
    const headers = init.headers as Record<string, string>
    const body = init.body ? JSON.parse(init.body as string) : null
    asked.push({ url, method: init.method ?? '', body, token: headers['Authorization'] ?? null })
    const answer = answers.shift() ?? Response.json({})
    if (answer instanceof Error) throw answer
    return answer
  }
  return { asked, fetch }
}

const away = () => new TypeError('Failed to fetch')

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the server', () => {
  it('is asked again and again until it answers, less and less often', async () => {
    const { asked, fetch } = server([away(), new Response('', { status: 503 }), new Response('<html>'), Response.json({ format: 1 })])
    const told: boolean[] = []
    const study = new Api((there) => told.push(there), fetch).study()
    await vi.advanceTimersByTimeAsync(999)
    expect(asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(asked).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(2000)
    expect(asked).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(4000)
    expect(await study).toEqual({ format: 1 })
    expect(told).toEqual([true, true, true, false])
    expect(asked.map(({ url, method }) => `${method} ${url}`)).toEqual(Array(4).fill('GET api/study'))
  })

  it('is asked at once when the person wishes', async () => {
    const { asked, fetch } = server([away(), away()])
    const api = new Api(() => {}, fetch)
    const state = api.state()
    await vi.advanceTimersByTimeAsync(0)
    api.retry()
    await vi.advanceTimersByTimeAsync(0)
    api.retry()
    await state
    expect(asked).toHaveLength(3)
  })

  it('may refuse, which is final', async () => {
    const content = { detail: 'you have already taken part', code: 'already' }
    const { asked, fetch } = server([Response.json(content, { status: 409 })])
    const refused = await new Api(() => {}, fetch).join({ key: 'a' }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Refused)
    expect(refused).toMatchObject({ status: 409, code: 'already', message: 'you have already taken part', state: null })
    expect(asked).toHaveLength(1)
  })

  it('is waited for where something on the way has too much to do', async () => {
    const busy = new Response('slow down', { status: 429 })
    const enough = Response.json({ detail: 'at most 20', code: 'too_many' }, { status: 429 })
    const { asked, fetch } = server([busy, enough])
    const refused = new Api(() => {}, fetch).state().catch((error: unknown) => error)
    await vi.runAllTimersAsync()
    expect(await refused).toMatchObject({ code: 'too_many' })
    expect(asked).toHaveLength(2)
  })

  it('is told who asks', async () => {
    const { asked, fetch } = server([])
    const api = new Api(() => {}, fetch)
    await api.study()
    api.token = 'secret'
    await api.state()
    expect(asked.map(({ token }) => token)).toEqual([null, 'Bearer secret'])
  })
})

it('makes keys that are UUIDs, each another one', () => {
  const keys = Array.from({ length: 100 }, newKey)
  expect(new Set(keys).size).toBe(100)
  for (const key of keys) expect(key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

describe('the outbox', () => {
  const store = () => new VisitStore(new Store() as unknown as Storage, 'drawn')

  it('sends one thing after the other, each under a key of its own, and forgets what arrived', async () => {
    const { asked, fetch } = server([away()])
    const kept = store()
    const outbox = new Outbox(new Api(() => {}, fetch), kept)
    const all = Promise.all([outbox.post('a', { n: 1 }), outbox.post('b', { n: 2 })])
    await vi.advanceTimersByTimeAsync(0)
    expect([outbox.waiting, kept.names().length]).toEqual([2, 2])
    await vi.runAllTimersAsync()
    await all
    expect([outbox.waiting, kept.names().length]).toEqual([0, 0])
    expect(asked.map(({ url }) => url)).toEqual(['api/a', 'api/a', 'api/b'])
    expect(asked[0]?.body).toEqual(asked[1]?.body)
    expect(asked[1]?.body?.key).not.toBe(asked[2]?.body?.key)
  })

  it('sends what an earlier page left, in its order and word for word', async () => {
    const kept = store()
    const before = server([away()])
    const lost = new Outbox(new Api(() => {}, before.fetch), kept)
    for (const n of [1, 2, 3]) void lost.post(`p${n}`, { n })
    await vi.advanceTimersByTimeAsync(0)

    const after = server([Response.json({ detail: 'no', code: 'answered' }, { status: 409 })])
    await new Outbox(new Api(() => {}, after.fetch), kept).left()
    expect(after.asked.map(({ url, body }) => [url, body?.['n']])).toEqual([
      ['api/p1', 1],
      ['api/p2', 2],
      ['api/p3', 3],
    ])
    expect(after.asked[0]?.body).toEqual(before.asked[0]?.body)
    expect(kept.names()).toEqual([])
  })

  it('goes on after a refusal, and without a store', async () => {
    const { fetch } = server([Response.json({ detail: 'no', code: 'invalid' }, { status: 422 })])
    const full = new Store()
    full.setItem = () => {
      throw new Error('QuotaExceededError')
    }
    const outbox = new Outbox(new Api(() => {}, fetch), new VisitStore(full as unknown as Storage, 'drawn'))
    await expect(outbox.post('a', {})).rejects.toThrow('no')
    await expect(outbox.post('b', {})).resolves.toEqual({})
  })
})

describe('what the browser remembers', () => {
  it('is kept apart for experiments and people', () => {
    const browser = new Store() as unknown as Storage
    const one = new VisitStore(browser, 'drawn', 'ann')
    one.write({ key: 'k', token: 't', remarked: false })
    expect(one.read()).toEqual({ key: 'k', token: 't', remarked: false })
    expect(new VisitStore(browser, 'drawn', 'bob').read()).toBeNull()
    expect(new VisitStore(browser, 'other', 'ann').read()).toBeNull()
    one.clear()
    expect(one.read()).toBeNull()
  })

  it('may be damaged', () => {
    const browser = new Store()
    const store = new VisitStore(browser as unknown as Storage, 'drawn')
    for (const text of ['{', '3', '{"token": "t"}', 'null']) {
      browser.setItem('pellucid experiment drawn  visit', text)
      expect(store.read()).toBeNull()
    }
  })
})

it('takes from the address what a platform put there', () => {
  expect(platformOf('?PROLIFIC_PID=p1&STUDY_ID=&SESSION_ID=s&other=x')).toEqual({ PROLIFIC_PID: 'p1', SESSION_ID: 's' })
  expect(platformOf('')).toEqual({})
})

describe('the loss of focus', () => {
  it('is one loss when a tab is left, which blurs its window as well', () => {
    const log = new FocusLog()
    log.note('blur', 1)
    log.note('hidden', 2)
    log.note('visible', 3)
    log.note('focus', 4)
    expect(log.losses).toBe(1)
    log.note('hidden', 5)
    log.note('visible', 6)
    log.note('resize', 7)
    expect(log.losses).toBe(2)
    expect(log.take().map(({ kind }) => kind)).toEqual(['blur', 'hidden', 'visible', 'focus', 'hidden', 'visible', 'resize'])
    expect(log.take()).toEqual([])
  })
})

describe('the keys', () => {
  const buttons = [3, 2, 1, 1, 2, 3].map((sure, at) => ({ dataset: { side: at < 3 ? 'left' : 'right', sure: String(sure) } }))
  const plain = { repeat: false, altKey: false, ctrlKey: false, metaKey: false }
  const at = (key: string, focused: number | null, more = {}) => {
    const found = keyTarget({ ...plain, key, ...more }, buttons, focused === null ? null : buttons[focused])
    return found && [buttons.indexOf(found.button), found.press]
  }

  it('begin in the middle and go outward', () => {
    expect(at('ArrowLeft', null)).toEqual([2, false])
    expect(at('ArrowRight', null)).toEqual([3, false])
    expect(at('ArrowLeft', 2)).toEqual([1, false])
    expect(at('ArrowLeft', 0)).toEqual([0, false])
    expect(at('ArrowLeft', 3)).toEqual([2, false])
    expect(at('ArrowRight', 5)).toEqual([5, false])
  })

  it('with digits say how sure one is on the side where one is', () => {
    expect(at('3', 2)).toEqual([0, true])
    expect(at('3', 3)).toEqual([5, true])
    expect(at('1', 5)).toEqual([3, true])
    expect(at('4', 5)).toBeNull()
    expect(at('2', null)).toBeNull()
  })

  it('count once when held down, and not at all with others', () => {
    expect(at('3', 2, { repeat: true })).toBeNull()
    expect(at('3', 2, { ctrlKey: true })).toBeNull()
    expect(at('ArrowLeft', 2, { altKey: true })).toBeNull()
  })
})

const STUDY: Study = {
  format: 1,
  name: 'drawn',
  title: 'A <b>title</b>',
  task: 'counterfactual',
  contact: '',
  consent: { version: '1', paragraphs: [] },
  minimum_window: [940, 600],
  size: [24, 24],
}
const EXAMPLE = { base: 'b0', left: 'a0', right: 'c0', references: ['r0', 'r1'], minimal: [], larger: 'right' as const }
const STATE: State = {
  stage: 'instructions',
  references: true,
  minimal: false,
  instruction: [EXAMPLE],
  preload: ['a0', 'z9'],
  progress: { done: 0, total: 7 },
  trial: null,
  completion: null,
}

describe('the instructions', () => {
  const text = (study: Partial<Study>, state: Partial<State>) => instructionPages({ ...STUDY, ...study }, { ...STATE, ...state })

  it('show this experiment’s own pictures, and say which of them is the larger one', () => {
    const pages = text({}, {})
    expect(pages).toHaveLength(7)
    for (const id of ['b0', 'a0', 'c0', 'r0', 'r1']) expect(pages.join('')).toContain(`src="pictures/${id}.png"`)
    expect(pages.join('')).toContain('Here the machine favors the right image more: the square on the other one')
    expect(pages.join('')).toContain('A &#60;b&#62;title&#60;/b&#62;')
  })

  it('have other words without references, and for a choice between two', () => {
    const without = text({}, { references: false, instruction: [{ ...EXAMPLE, references: [] }] }).join('')
    expect(without).not.toMatch(/favorite images|practice/)
    expect(without).toContain('The covered square')
    const two = text({ task: 'two_choice' }, { instruction: [{ ...EXAMPLE, base: null, minimal: ['m0'] }], minimal: true }).join('')
    expect(two).toContain('pictures/m0.png')
    expect(two).not.toMatch(/square on|covered/i)
  })

  it('do without pictures where there are none', () => {
    const pages = text({}, { instruction: [] })
    expect(pages.join('')).not.toContain('<img')
    expect(pages).toHaveLength(6)
  })

  it('write no style into the page', () => {
    expect(text({}, {}).join('')).not.toContain('style=')
  })
})

it('loads every picture once, those of the examples as well', () => {
  const trial = { ...EXAMPLE, id: 't', number: 1, of: 2, round: null, left: 'q1' }
  expect(picturesOf({ ...STATE, trial }).sort()).toEqual(
    ['a0', 'b0', 'c0', 'q1', 'r0', 'r1', 'z9'].map((id) => `pictures/${id}.png`),
  )
})

it.each([
  [1, 1],
  [4, 2],
  [5, 3],
  [9, 3],
  [10, 4],
])('lays %i references in %i columns', (count, expected) => expect(columns(count)).toBe(expected))

it('says where one is', () => {
  expect(heading('main', 3, 21, 0)).toBe('Question 3 of 21')
  expect(heading('practice', 1, 4, 1)).toBe('Practice: question 1 of 4')
  expect(heading('practice', 2, 4, 3)).toBe('Practice, round 3: question 2 of 4')
})

it('escapes text and drops styles, but not what only looks like one', () => {
  expect(escaped('<a href="x">&\'')).toBe('&#60;a href=&#34;x&#34;&#62;&#38;&#39;')
  expect(withoutStyles(`<p style='margin: 0' class="a">x style="y"</p><input style="w: 1" disabled>`)).toBe(
    `<p  class="a">x style="y"</p><input  disabled>`,
  )
  expect(withoutStyles(`<button class='b'style='margin-left: 5px;'>`)).toBe(`<button class='b'>`) // as jsPsych writes
})
