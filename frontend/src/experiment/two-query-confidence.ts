import { ParameterType, type JsPsych, type JsPsychPlugin, type TrialType } from 'jspsych'
import { pictureUrl, type Confidence, type Pictures, type Side } from './contract'
import { columns } from './instructions'
import { keyTarget } from './keys'
import { element } from './markup'
import { choiceLabel, chosen, MORE_CONFIDENT, type Words } from './words'

/** What a person says: which of two pictures, how sure, and after how many milliseconds. */
export interface Response {
  choice: Side
  confidence: Confidence
  rt: number
}

/** Which question this is. */
export interface Place {
  number: number
  of: number
  round: number
}

/** What the person is told before they go on; no text tells nothing. */
export interface Reply {
  kind: 'right' | 'wrong' | 'notice' | 'none'
  text: string
}

const FRAME = 350 // milliseconds for which the chosen picture stands framed before one can go on

const info = {
  name: 'two-query-confidence',
  version: '1.0.0',
  parameters: {
    /** The question's own name and its pictures. */
    id: { type: ParameterType.STRING, default: undefined },
    pictures: { type: ParameterType.OBJECT, default: undefined },
    /** Which question this is: its number, of how many, in which round of practice (0 outside of it). */
    place: { type: ParameterType.OBJECT, default: undefined },
    words: { type: ParameterType.OBJECT, default: undefined },
    heading: { type: ParameterType.STRING, default: undefined },
    /** Is given the response, and promises what to tell the person. The next question may come when it is there. */
    answer: { type: ParameterType.FUNCTION, default: undefined },
  },
  data: {
    choice: { type: ParameterType.STRING },
    confidence: { type: ParameterType.INT },
    rt: { type: ParameterType.INT },
  },
} as const

type Info = typeof info

/**
 * Shows a grid of references, a base picture and two queries, and asks which query is favored more, and how sure that is.
 *
 * Time runs from the moment when all pictures are decoded and painted; until then nothing can be chosen.
 */
export class TwoQueryConfidencePlugin implements JsPsychPlugin<Info> {
  static readonly info = info

  constructor(private readonly jsPsych: JsPsych) {}

  trial(display: HTMLElement, trial: TrialType<Info>): void {
    const pictures = trial.pictures as Pictures
    const words = trial.words as Words
    const buttons: HTMLButtonElement[] = []
    const status = element('p', 'status', { role: 'status', 'data-testid': 'status' })
    const next = element('button', 'jspsych-btn next', { type: 'button', 'data-testid': 'continue', hidden: '' }, 'Continue')
    const queries = (['left', 'right'] as const).map((side) => {
      const sures = side === 'left' ? ([3, 2, 1] as const) : ([1, 2, 3] as const)
      const row = sures.map((sure) => {
        const button = element('button', 'sure', {
          type: 'button',
          'aria-label': choiceLabel(side, sure),
          'data-testid': `${side}-${sure}`,
          'data-side': side,
          'data-sure': String(sure),
        }, String(sure))
        button.disabled = true
        buttons.push(button)
        return button
      })
      const arrow = side === 'left' ? `← ${MORE_CONFIDENT}` : `${MORE_CONFIDENT} →`
      return element('div', 'query', { role: 'group', 'aria-label': `${side} ${words.query}`, 'data-side': side },
        picture(pictures[side], `${side} ${words.query}`),
        element('div', 'buttons', {}, ...row),
        element('div', 'arrow', { 'aria-hidden': 'true' }, arrow))
    })

    const screen = element('div', 'trial', { 'data-testid': 'trial', 'data-trial': trial.id, 'data-ready': 'false' })
    for (const [name, value] of Object.entries(trial.place as Place)) screen.dataset[name] = String(value)
    if (!pictures.base) screen.classList.add('without-base')
    if (pictures.minimal.length > 0) screen.append(grid(words.minimal, pictures.minimal, 'minimal'))
    const favorites = pictures.references.length > 0 ? [grid(words.references, pictures.references, 'references')] : []
    if (pictures.minimal.length > 0) screen.classList.add('three')
    else screen.append(...favorites)
    if (favorites.length === 0) screen.classList.add('alone')
    const told = element('div', 'told', {}, status, next)
    const base = pictures.base
      ? [element('section', 'base', {}, element('h2', '', {}, words.base), picture(pictures.base, words.base.toLowerCase()))]
      : []
    screen.append(
      element('div', 'asked', {},
        element('h1', 'unseen', {}, trial.heading),
        element('div', 'upper', {}, ...base, told),
        element('h2', 'question', {}, words.question),
        element('div', 'queries', {}, ...queries)),
    )
    if (pictures.minimal.length > 0) screen.append(...favorites)
    display.replaceChildren(screen)

    let begun = 0
    let said = false
    const say = async (button: HTMLButtonElement) => {
      if (said || button.disabled) return
      said = true
      const rt = Math.round(performance.now() - begun)
      const choice = button.dataset['side'] as Side
      const confidence = Number(button.dataset['sure']) as Confidence
      for (const one of buttons) one.disabled = true
      button.setAttribute('aria-pressed', 'true')
      screen.dataset['choice'] = choice
      status.textContent = chosen(choice, confidence)
      const framed = new Promise((resolve) => setTimeout(resolve, FRAME))
      const reply = (await trial.answer({ choice, confidence, rt } satisfies Response)) as Reply
      await framed
      if (reply.text) status.textContent = reply.text
      screen.dataset['reply'] = reply.kind
      next.hidden = false
      next.focus()
      next.addEventListener('click', () => finish({ choice, confidence, rt }), { once: true })
    }
    for (const button of buttons) button.addEventListener('click', () => void say(button))

    const onKey = (event: KeyboardEvent) => {
      // A key that is held down is one press: it neither chooses nor goes on again.
      if (event.repeat && (event.key === 'Enter' || event.key === ' ')) event.preventDefault()
      const target = keyTarget(event, buttons, document.activeElement)
      if (!target || said || begun === 0) return
      event.preventDefault()
      if (target.press) void say(target.button)
      else target.button.focus()
    }
    document.addEventListener('keydown', onKey)
    const finish = (data: Response) => {
      document.removeEventListener('keydown', onKey)
      this.jsPsych.finishTrial(data)
    }

    void painted(screen).then(() => {
      begun = performance.now()
      for (const button of buttons) button.disabled = false
      screen.dataset['ready'] = 'true'
      status.replaceChildren(element('span', 'unseen', {}, `${trial.heading}. ${words.question}`))
    })
  }
}

function picture(id: string, alt: string): HTMLImageElement {
  return element('img', '', { src: pictureUrl(id), alt, draggable: 'false' })
}

function grid(heading: string, ids: readonly string[], className: string): HTMLElement {
  const name = heading.toLowerCase().replace(/s$/, '')
  const images = ids.map((id, at) => element('li', '', {}, picture(id, `${name} ${at + 1}`)))
  const list = element('ul', 'grid', { 'data-columns': String(columns(ids.length)) }, ...images)
  return element('section', className, {}, element('h2', '', {}, heading), list)
}

/** Wait until all pictures within are decoded and have been painted once. */
async function painted(within: HTMLElement): Promise<void> {
  await Promise.all([...within.querySelectorAll('img')].map((image) => decoded(image)))
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
}

/** Wait for a picture; one that did not arrive is asked for again. */
async function decoded(image: HTMLImageElement): Promise<void> {
  for (let pause = 1000; ; pause = Math.min(2 * pause, 15_000)) {
    try {
      return await image.decode()
    } catch {
      if (!image.isConnected) return
      await new Promise((resolve) => setTimeout(resolve, pause))
      const { src } = image
      image.removeAttribute('src')
      image.src = src
    }
  }
}
