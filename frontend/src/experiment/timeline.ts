import HtmlButtonResponse from '@jspsych/plugin-html-button-response'
import Instructions from '@jspsych/plugin-instructions'
import Preload from '@jspsych/plugin-preload'
import SurveyText from '@jspsych/plugin-survey-text'
import { consentTrial } from './consent'
import { fittingTrials } from './fitting'
import { instructionPages } from './instructions'
import { escaped, page, paragraphs } from './markup'
import type { Run } from './run'
import { TwoQueryConfidencePlugin } from './two-query-confidence'
import { LOADING, REMARK, ROUND, wordsOf } from './words'

/** All screens up to the last one. The server's word decides at each of them whether it comes. */
export function makeTimeline(run: Run): object[] {
  return [
    {
      conditional_function: () => run.state === null && run.ended === null,
      timeline: [consentTrial(run.study, (agreed) => (agreed ? Promise.resolve() : run.decline()))],
    },
    { conditional_function: () => run.ended === null && (run.state === null || run.going), timeline: joining(run) },
    { conditional_function: () => run.going, timeline: [preloading(run)] },
    { conditional_function: () => run.state?.stage === 'instructions' && run.going, timeline: [instructing(run)] },
    { conditional_function: () => run.going && run.state?.trial != null, timeline: [asking(run)] },
    { conditional_function: () => run.remarks, timeline: [remarking(run)] },
  ]
}

function joining(run: Run): object[] {
  const [filling, fitting] = fittingTrials(run.study, () => {})
  const { minimum_window: [width, height] } = run.study
  const on_finish = async () => {
    if (run.state === null && innerWidth >= width && innerHeight >= height) await run.join()
  }
  return [filling!, { ...fitting!, on_finish }]
}

function preloading(run: Run): object {
  let failed = false
  return {
    timeline: [
      {
        type: Preload,
        images: () => run.pictures,
        message: page(LOADING.heading, ''),
        continue_after_error: true,
        on_finish: ({ success }: { success: boolean }) => {
          failed = !success
        },
      },
      { conditional_function: () => failed, timeline: [going(LOADING.heading, [LOADING.failed], LOADING.again)] },
    ],
    loop_function: () => failed,
  }
}

function instructing(run: Run): object {
  return {
    type: Instructions,
    pages: () => instructionPages(run.study, run.state!),
    show_clickable_nav: true,
    show_page_number: true,
    button_label_previous: 'Back',
    button_label_next: 'Next',
    // The pressed button is gone with its page, and the keys with it.
    on_page_change: focusNext,
    on_load: focusNext,
    on_finish: ({ rt, view_history }: { rt: number; view_history: { page_index: number; viewing_time: number }[] }) =>
      run.instructed(rt, view_history.map(({ page_index, viewing_time }) => ({ page: page_index, ms: viewing_time }))),
  }
}

/** Go to the button of the new page, which has the page's text as its description for screen readers. */
function focusNext(): void {
  const button = document.getElementById('jspsych-instructions-next')
  button?.setAttribute('aria-describedby', 'page')
  button?.focus()
}

function asking(run: Run): object {
  return {
    timeline: [
      {
        type: TwoQueryConfidencePlugin,
        id: () => run.state?.trial?.id,
        pictures: () => run.state?.trial,
        place: () => run.place,
        words: () => wordsOf(run.state!),
        heading: () => run.heading,
        answer: run.answer.bind(run),
        on_start: () => run.asked(),
      },
      { conditional_function: () => run.round?.round_right === true && run.going, timeline: [going(ROUND.right.heading, ROUND.right.text)] },
      { conditional_function: () => run.round?.round_right === false && run.going, timeline: [going(ROUND.wrong.heading, ROUND.wrong.text)] },
    ],
    loop_function: () => run.going && run.state?.trial != null,
  }
}

function remarking(run: Run): object {
  return {
    type: SurveyText,
    preamble: page(REMARK.heading, ''),
    questions: [{ name: 'remark', prompt: `<label for="input-0">${escaped(REMARK.prompt)}</label>`, rows: 6, columns: 70 }],
    button_label: REMARK.button,
    on_load: () => document.getElementById('input-0')?.setAttribute('maxlength', '4000'),
    on_finish: ({ response }: { response: { remark: string } }) => run.remark(response.remark.trim().slice(0, 4000)),
  }
}

/** A screen of text with one button. */
function going(heading: string, text: string[], button = 'Continue'): object {
  return {
    type: HtmlButtonResponse,
    stimulus: page(heading, paragraphs(text)),
    choices: [button],
    button_html: (choice: string) => `<button type="button" class="jspsych-btn" data-testid="continue">${choice}</button>`,
    on_load: () => document.querySelector<HTMLElement>('[data-testid=continue]')?.focus(),
  }
}
