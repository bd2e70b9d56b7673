import 'jspsych/css/jspsych.css'
import './experiment.css'
import { initJsPsych, type JsPsych } from 'jspsych'
import { Api } from './api'
import { showEnd, showWithdrawal } from './ending'
import { FocusLog, watchFocus } from './focus'
import { dropStyles, element } from './markup'
import { Outbox } from './outbox'
import { Run } from './run'
import { makeTimeline } from './timeline'
import { browserStore, platformOf, VisitStore } from './visit'
import { TROUBLE } from './words'

const root = document.getElementById('experiment') as HTMLElement

async function main(): Promise<void> {
  const api = new Api(showTrouble)
  const again = element('button', 'jspsych-btn', { type: 'button', 'data-testid': 'retry' }, 'Try now')
  again.addEventListener('click', api.retry)
  addEventListener('online', api.retry)
  document.getElementById('trouble')?.append(TROUBLE, ' ', again)

  const study = await api.study()
  document.title = study.title
  const { PROLIFIC_PID = '', SESSION_ID = '' } = platformOf(location.search)
  const store = new VisitStore(browserStore(), `${location.pathname} ${study.name}`, `${PROLIFIC_PID} ${SESSION_ID}`)
  addEventListener('hashchange', () => location.reload())
  if (location.hash === '#withdraw') return showWithdrawal(root, api, store)

  const log = new FocusLog()
  const outbox = new Outbox(api, store)
  const run = new Run(study, api, outbox, store, log)
  await run.resume()
  watchFocus(log, (events) => {
    // Before and after the questions nobody asks where somebody looks.
    if (api.token && run.going) outbox.post('session/events', { events }).catch(() => {})
  })
  addEventListener('beforeunload', (event) => {
    if (outbox.waiting > 0 && run.going && document.getElementById('trouble')?.hidden === false) event.preventDefault()
  })

  const jsPsych = initJsPsych({
    display_element: root,
    show_progress_bar: true,
    auto_update_progress_bar: false,
    message_progress_bar: () => run.heading,
    on_trial_start: () => {
      dropStyles(jsPsych.getDisplayElement())
      showProgress(jsPsych, run)
    },
  })
  await jsPsych.run(makeTimeline(run) as Parameters<JsPsych['run']>[0])
  if (run.ended || (run.state && !run.going)) showEnd(root, run)
}

function showProgress(jsPsych: JsPsych, run: Run): void {
  const { done, total } = run.state?.progress ?? { done: 0, total: 0 }
  const share = total > 0 ? Math.min(Math.max(done / total, 0), 1) : 0
  if (jsPsych.progressBar) jsPsych.progressBar.progress = share
  const bar = document.getElementById('jspsych-progressbar-outer')
  bar?.setAttribute('role', 'progressbar')
  bar?.setAttribute('aria-label', 'Questions answered')
  bar?.setAttribute('aria-valuenow', String(Math.round(100 * share)))
  document.getElementById('jspsych-progressbar-container')?.toggleAttribute('hidden', !run.heading)
}

function showTrouble(there: boolean): void {
  const told = document.getElementById('trouble')
  if (told) told.hidden = !there
}

main().catch((error: unknown) => {
  const why = error instanceof Error ? error.message : String(error)
  root.replaceChildren(
    element('section', 'page', { role: 'alert' }, element('h1', '', {}, 'This page cannot go on'), element('p', '', {}, `${why}.`),
      element('p', '', {}, 'What you did so far is kept. Please load the page again.')),
  )
  console.error(error)
})
