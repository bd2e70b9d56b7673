import { Refused, type Api } from './api'
import type { Completion } from './contract'
import { element } from './markup'
import type { Run } from './run'
import type { VisitStore } from './visit'
import { ALREADY, DECLINED, DONE, FULL, SCREENED_OUT, UNKNOWN, WITHDRAW, WITHDRAWN } from './words'

const HEADINGS = { declined: 'You did not take part', full: 'No place is left', already: 'Welcome back', unknown: 'Not known here' }
const TEXTS = { declined: DECLINED, full: FULL, already: ALREADY, unknown: UNKNOWN }

/** The last screen: what became of the visit, and the codes that a person takes along. */
export function showEnd(where: HTMLElement, run: Run): void {
  const stage = run.state?.stage
  const done = stage === 'done'
  const heading = run.ended ? HEADINGS[run.ended] : done ? 'Done' : stage === 'withdrawn' ? 'Deleted' : 'The end'
  const text = run.ended ? TEXTS[run.ended] : done ? DONE : stage === 'withdrawn' ? WITHDRAWN : SCREENED_OUT
  const section = element('section', 'page end', { 'data-testid': 'end', 'data-end': run.ended ?? stage ?? '' })
  section.append(element('h1', '', { tabindex: '-1' }, heading), ...text.map((one) => element('p', '', {}, one)))
  if (run.completion && stage !== 'withdrawn') section.append(...completing(run.completion))
  where.replaceChildren(section)
  section.querySelector('h1')?.focus()
}

function completing({ code, link, withdrawal }: Completion): Node[] {
  const shown: Node[] = []
  if (code) shown.push(element('p', '', {}, 'Completion code: ', element('code', '', { 'data-testid': 'completion-code' }, code)))
  if (/^https?:\/\//.test(link)) {
    const anchor = element('a', 'jspsych-btn', { href: link, rel: 'noreferrer', 'data-testid': 'completion-link' }, 'Go back to the platform')
    shown.push(element('p', '', {}, anchor))
  }
  if (withdrawal) {
    const there = element('a', '', { href: '#withdraw' }, 'have your answers deleted')
    const known = element('code', '', { 'data-testid': 'withdrawal-code' }, withdrawal)
    shown.push(element('p', '', {}, 'Withdrawal code: ', known))
    shown.push(element('p', 'small', {}, 'Keep the withdrawal code: with it you can ', there, ' at any time.'))
  }
  return shown
}

/** The screen on which people have their answers deleted. */
export function showWithdrawal(where: HTMLElement, api: Api, store: VisitStore): void {
  const input = element('input', '', { id: 'code', type: 'text', autocomplete: 'off', spellcheck: 'false', 'data-testid': 'withdraw-code' })
  const said = element('p', '', { role: 'status', 'data-testid': 'withdraw-said' })
  const button = element('button', 'jspsych-btn', { type: 'submit', 'data-testid': 'withdraw' }, WITHDRAW.button)
  const form = element('form', '', {}, element('label', '', { for: 'code' }, WITHDRAW.prompt), input, button)
  const section = element('section', 'page end', {}, element('h1', '', {}, WITHDRAW.heading), form, said)
  where.replaceChildren(section)
  input.focus()
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const code = input.value.trim()
    if (!code) return
    button.disabled = true
    try {
      await api.withdraw(code)
      store.clear()
      form.remove()
      said.textContent = WITHDRAWN[0]!
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      said.textContent = error.status === 404 || error.status === 422 ? WITHDRAW.wrong : `${error.message}.`
      button.disabled = false
    }
  })
}
