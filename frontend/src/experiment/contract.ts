/** What the server tells the page. Nothing in it says which answer is right before it is given. */

export type Side = 'left' | 'right'
export type Confidence = 1 | 2 | 3

export interface Study {
  format: 1
  name: string
  title: string
  task: 'counterfactual' | 'two_choice'
  contact: string
  consent: { version: string; paragraphs: string[] }
  minimum_window: [width: number, height: number]
  size: [height: number, width: number] // of a picture
}

/** The names of the pictures of one question. */
export interface Pictures {
  base: string | null
  left: string
  right: string
  references: string[]
  minimal: string[]
}

/** A question with its answer, to explain the others with: it is never asked. */
export interface Example extends Pictures {
  larger: Side
}

export interface Trial extends Pictures {
  id: string // of this visit alone
  number: number
  of: number
  round: number | null
}

export interface Completion {
  code: string
  link: string
  withdrawal: string
}

export interface State {
  stage: 'instructions' | 'practice' | 'main' | 'done' | 'screened_out' | 'withdrawn'
  references: boolean
  minimal: boolean
  instruction?: Example[]
  preload: string[]
  progress: { done: number; total: number }
  trial: Trial | null
  completion: Completion | null
}

export interface Feedback {
  correct: boolean
  round_over: boolean
  round_right: boolean | null
}

export interface Answered {
  feedback: Feedback | null
  state: State
}

/** Whether there is something left to do in a visit. */
export function running(state: State | null): boolean {
  return state !== null && ['instructions', 'practice', 'main'].includes(state.stage)
}

/** Where a picture is, seen from the page. */
export function pictureUrl(id: string): string {
  return `pictures/${encodeURIComponent(id)}.png`
}

/** All pictures that a visit will need, each once. */
export function picturesOf(state: State): string[] {
  const shown = [...(state.instruction ?? []), ...(state.trial ? [state.trial] : [])]
  const named = shown.flatMap(({ base, left, right, references, minimal }) => [base, left, right, ...references, ...minimal])
  return [...new Set([...state.preload, ...named])].filter((id) => id !== null).map(pictureUrl)
}
