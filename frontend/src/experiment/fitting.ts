import BrowserCheck from '@jspsych/plugin-browser-check'
import Fullscreen from '@jspsych/plugin-fullscreen'
import type { Study } from './contract'
import { page, paragraphs } from './markup'
import { WINDOW } from './words'

/** Screens for a window that is too small: filling the screen where that helps, then waiting until the window is larger. */
export function fittingTrials(study: Study, failed: () => void): object[] {
  const [width, height] = study.minimum_window
  const small = () => innerWidth < width || innerHeight < height
  const sizes =
    `<p>It should be <span id="browser-check-min-width"></span> by <span id="browser-check-min-height"></span> pixels, and is ` +
    `<span id="browser-check-actual-width"></span> by <span id="browser-check-actual-height"></span>.</p>`
  return [
    {
      conditional_function: () => small() && document.fullscreenEnabled && screen.width >= width && screen.height >= height,
      timeline: [
        {
          type: Fullscreen,
          message: page(WINDOW.heading, paragraphs([WINDOW.fullscreen])),
          button_label: WINDOW.fill,
          delay_after: 300,
        },
      ],
    },
    {
      type: BrowserCheck,
      features: ['width', 'height'],
      minimum_width: width,
      minimum_height: height,
      window_resize_message: page(WINDOW.heading, paragraphs([WINDOW.text]) + sizes),
      resize_fail_button_text: WINDOW.fail,
      exclusion_message: () => {
        failed()
        return page(WINDOW.heading, paragraphs(WINDOW.failed))
      },
    },
  ]
}
