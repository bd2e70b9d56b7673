export type FocusKind = 'blur' | 'focus' | 'hidden' | 'visible' | 'resize' | 'fullscreen_exit'

export interface FocusEvent {
  kind: FocusKind
  at: number // milliseconds since the page was loaded
}

const BATCH = 2000 // milliseconds
const CALM = 500

/**
 * Notes when somebody leaves the page and comes back.
 *
 * Leaving the tab blurs the window as well: both are noted, and counted as one loss.
 */
export class FocusLog {
  losses = 0
  private blurred = false
  private hidden = false
  private pending: FocusEvent[] = []

  /** Note what happened. */
  note(kind: FocusKind, at: number): void {
    const away = this.blurred || this.hidden
    if (kind === 'blur' || kind === 'focus') this.blurred = kind === 'blur'
    if (kind === 'hidden' || kind === 'visible') this.hidden = kind === 'hidden'
    if (!away && (this.blurred || this.hidden)) this.losses++
    this.pending.push({ kind, at })
  }

  /** What was noted since the last time this was asked. */
  take(): FocusEvent[] {
    return this.pending.splice(0)
  }
}

/** Note what this window does, and report it in batches. Gives a function that reports what is pending. */
export function watchFocus(log: FocusLog, report: (events: FocusEvent[]) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let resized: ReturnType<typeof setTimeout> | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    const events = log.take()
    if (events.length > 0) report(events)
  }
  const note = (kind: FocusKind) => {
    log.note(kind, Math.round(performance.now()))
    timer ??= setTimeout(flush, BATCH)
  }
  addEventListener('blur', () => note('blur'))
  addEventListener('focus', () => note('focus'))
  addEventListener('resize', () => {
    clearTimeout(resized) // a window that is pulled at is resized once
    resized = setTimeout(() => note('resize'), CALM)
  })
  addEventListener('pagehide', flush)
  document.addEventListener('visibilitychange', () => note(document.hidden ? 'hidden' : 'visible'))
  document.addEventListener('fullscreenchange', () => {
    if (!document.fullscreenElement) note('fullscreen_exit')
  })
  return flush
}
