import type { Confidence, Side, State } from './contract'

/** What all screens of one visit say about the question. */
export interface Words {
  references: string // heading over the grid
  minimal: string
  base: string // heading over the picture that the two queries were made from
  question: string
  query: string // what one of the two is called
}

export function wordsOf(state: State): Words {
  return {
    references: 'Favorite images',
    minimal: 'Least favorite images',
    base: state.references ? 'Another favorite image' : 'A favorite image',
    question: 'Which image is favored more?',
    query: 'image',
  }
}

export const SURE: Record<Confidence, string> = { 1: 'not sure', 2: 'rather sure', 3: 'very sure' }

export const MORE_CONFIDENT = 'More confident'

export function choiceLabel(side: Side, confidence: Confidence): string {
  return `${side} image, confidence ${confidence}, ${SURE[confidence]}`
}

export function chosen(side: Side, confidence: Confidence): string {
  return `You chose the ${side} image, confidence ${confidence}.`
}

export const KEYS = 'Keys: ← and → go to a button, 1 2 3 choose how sure you are on that side, Enter chooses.'

export const FEEDBACK = {
  right: 'Correct.',
  wrong: 'Not correct: the machine favors the other image more.',
  elsewhere: 'This question was answered in another window. We go on from there.',
}

export function heading(stage: State['stage'], number: number, of: number, round: number | null): string {
  if (stage === 'practice') return `Practice${round && round > 1 ? `, round ${round}` : ''}: question ${number} of ${of}`
  return `Question ${number} of ${of}`
}

export const ROUND = {
  right: {
    heading: 'All correct',
    text: ['Now the real questions begin. They look like the practice questions, but you are not told whether you were right.'],
  },
  wrong: {
    heading: 'Once more',
    text: [
      'Not all answers of this round were correct, so here are some more questions to practice with.',
      'Take your time: look for what the favorite images have in common, then ask which of the two images shows more of it.',
    ],
  },
}

export const CONSENT = { heading: 'Before you begin', agree: 'I agree and want to take part', refuse: 'I do not want to take part' }

export const DECLINED = ['You did not agree, so nothing about you has been kept.', 'You can close this page.']

export const WINDOW = {
  heading: 'Your window is too small',
  text: 'All pictures must be seen at once. Please make the window larger; this page goes on by itself as soon as it fits.',
  fail: 'I cannot make the window any larger',
  failed: [
    'The pictures do not fit into this window, so we cannot go on here. Nothing has been lost.',
    'You can open this page again on a larger screen or in a larger window.',
  ],
  fullscreen: 'Your screen is large enough. Shall this page fill it? You can leave the full screen with the Escape key.',
  fill: 'Fill the screen',
}

export const LOADING = {
  heading: 'The pictures are on their way',
  failed: 'Some pictures did not arrive. Please look after your connection and try again.',
  again: 'Try again',
}

export const REMARK = {
  heading: 'That was the last question',
  prompt: 'Is there anything you want to tell us? You can leave this empty.',
  button: 'Continue',
}

export const DONE = ['Thank you. All your answers have arrived.']
export const SCREENED_OUT = ['Thank you for practicing. These questions are hard, and this visit ends here.']
export const WITHDRAWN = ['Your answers have been deleted.']
export const FULL = ['Thank you for your interest. Enough people have taken part, so there is nothing left to do.']
export const ALREADY = ['You have taken part already, perhaps in another browser. Everybody takes part once.']
export const UNKNOWN = ['This visit is no longer known here: its answers may have been deleted. You can close this page.']

export const WITHDRAW = {
  heading: 'Delete my answers',
  prompt: 'The code that you were shown at the end',
  button: 'Delete my answers',
  wrong: 'No answers are known under this code. Please look whether all of it is there.',
}

export const TROUBLE = 'The server does not answer. What you did is kept in this browser and sent again until it arrives.'
