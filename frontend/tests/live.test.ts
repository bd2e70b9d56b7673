import { afterEach, describe, expect, it, vi } from 'vitest'
import { cancelJob, findImages, loadOffer, loadProgress, pictureUrl, queryImages, startPainting } from '../src/live'

const asked: [url: string, init: RequestInit][] = []

function answering(content: unknown, status = 200) {
  asked.length = 0
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    asked.push([url, init])
    return Promise.resolve(new Response(typeof content === 'string' ? content : JSON.stringify(content), { status }))
  })
}

afterEach(() => vi.unstubAllGlobals())

const OFFER = { format: 1, network: 'net', paint: [{ atlas: 'a', layer: 'a', rows: 7, columns: 9 }], patches: ['x'], images: 3, query: true }
const PAINTING = { atlas: 'a', strokes: [{ row: 0, column: 1, cells: [{ grid: 8, row: 1, column: 2, weight: 1 }] }], steps: 64, size: 96, seed: 0 }

describe('what a live server offers', () => {
  it('is read, with limits of its own or the usual ones', async () => {
    answering(OFFER)
    expect(await loadOffer()).toEqual({ network: 'net', paint: OFFER.paint, patches: ['x'], images: 3, query: true, most: { steps: 512, size: 320 } })
    answering({ ...OFFER, limits: { steps: 64 } })
    expect((await loadOffer()).most).toEqual({ steps: 64, size: 320 })
  })

  it.each([{}, [], null, 'no JSON', { ...OFFER, paint: [{}] }, { ...OFFER, images: -1 }])('is refused where it is something else: %o', async (content) => {
    answering(content)
    await expect(loadOffer()).rejects.toThrow('is not what it should be')
  })

  it('may be newer than the page', async () => {
    answering({ ...OFFER, format: 2 })
    await expect(loadOffer()).rejects.toThrow('newer version')
  })
})

describe('a painting', () => {
  it('is posted as JSON and followed by its name', async () => {
    answering({ job: 'a/1' }, 202)
    expect(await startPainting(PAINTING)).toBe('a/1')
    const [url, init] = asked[0]!
    expect(url).toBe('live/paint')
    expect(init).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } })
    expect(JSON.parse(String(init.body))).toEqual(PAINTING)
    expect(pictureUrl('a/1', 8)).toBe('live/jobs/a%2F1/picture.png?step=8')
    answering({})
    await cancelJob('a/1')
    expect(asked[0]![0]).toBe('live/jobs/a%2F1/cancel')
    expect(asked[0]![1]).toMatchObject({ method: 'POST', body: '{}' })
  })

  it('says how far it is', async () => {
    answering({ state: 'running', done: 8, total: 64, picture: true, top: [['shark', 0.5]], detail: '' })
    expect(await loadProgress('1')).toEqual({ state: 'running', done: 8, total: 64, picture: true, top: [['shark', 0.5]], detail: '' })
    answering({ state: 'asleep', done: 8, total: 64 })
    await expect(loadProgress('1')).rejects.toThrow('is not what it should be')
  })

  it('is refused in the server’s own words', async () => {
    answering({ detail: 'the queue is full; try again later', code: 'busy' }, 503)
    await expect(startPainting(PAINTING)).rejects.toThrow('The queue is full; try again later.')
    answering('<html>', 502)
    await expect(startPainting(PAINTING)).rejects.toThrow('The server answered 502 to live/paint.')
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('offline')))
    await expect(startPainting(PAINTING)).rejects.toThrow('The server does not answer.')
  })
})

describe('images', () => {
  it('are found by words of any kind', async () => {
    answering({ images: [{ index: 0, name: 'whale & co' }] })
    expect(await findImages('whale & co', 5)).toEqual([{ index: 0, name: 'whale & co' }])
    expect(asked[0]![0]).toBe('live/images?find=whale+%26+co&limit=5')
  })

  it('come with the part that was meant, if it is known', async () => {
    answering({ images: [{ index: 0, name: 'a', score: 0.5, box: [0, 0, 0.5, 0.5] }, { index: 1, name: 'b', score: 0.25 }] })
    const found = await queryImages({ atlas: 'a', cells: [], limit: 5 })
    expect(found.map(({ box }) => box)).toEqual([[0, 0, 0.5, 0.5], null])
  })
})
