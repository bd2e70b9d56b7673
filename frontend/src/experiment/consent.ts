import HtmlButtonResponse from '@jspsych/plugin-html-button-response'
import type { Study } from './contract'
import { escaped, page, paragraphs } from './markup'
import { CONSENT } from './words'

/** The screen that asks for consent; `decided` is told whether it was given. */
export function consentTrial(study: Study, decided: (agreed: boolean) => Promise<void>): object {
  const contact = study.contact ? `<p>Contact: ${escaped(study.contact)}</p>` : ''
  const title = `<p class="title">${escaped(study.title)}</p>`
  return {
    type: HtmlButtonResponse,
    stimulus: page(CONSENT.heading, title + paragraphs(study.consent.paragraphs) + contact),
    choices: [CONSENT.agree, CONSENT.refuse],
    button_html: (choice: string, at: number) =>
      `<button type="button" class="jspsych-btn" data-testid="${at === 0 ? 'agree' : 'refuse'}">${escaped(choice)}</button>`,
    button_layout: 'flex',
    on_finish: ({ response }: { response: number }) => decided(response === 0),
  }
}
