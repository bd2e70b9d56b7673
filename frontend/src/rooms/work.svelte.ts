import { cancelJob, loadProgress, pictureUrl, startPainting, type Progress } from '../live'
import { messageOf } from '../resource'

const PAUSE = 450 // milliseconds between two questions
const PATIENCE = 5 // questions in a row that may fail

/** A painting that the server works on: how far it is, and what there is to see of it. */
export class Work {
  progress = $state.raw<Progress | null>(null)
  failure = $state<string | null>(null)
  picture = $state<string | null>(null)

  private job: string | null = null
  private timer: ReturnType<typeof setTimeout> | undefined
  private failed = 0
  private ended = false

  readonly active = $derived(
    this.failure === null && (this.progress === null || this.progress.state === 'waiting' || this.progress.state === 'running'),
  )

  constructor(
    /** The painting as the address writes it: what the picture is of. */
    readonly of: string,
    painting: Parameters<typeof startPainting>[0],
  ) {
    void this.start(painting)
  }

  async cancel(): Promise<void> {
    if (this.job === null || !this.active) return
    try {
      await cancelJob(this.job)
    } catch (error) {
      this.failure = messageOf(error)
    }
  }

  /** Ask no more; what is seen stays. */
  end(): void {
    this.ended = true
    clearTimeout(this.timer)
  }

  private async start(painting: Parameters<typeof startPainting>[0]): Promise<void> {
    try {
      this.job = await startPainting(painting)
    } catch (error) {
      this.failure = messageOf(error)
      return
    }
    await this.look()
  }

  private async look(): Promise<void> {
    if (this.ended || this.job === null) return
    try {
      const progress = await loadProgress(this.job)
      this.failed = 0
      this.progress = progress
      if (progress.picture) this.picture = pictureUrl(this.job, progress.done)
    } catch (error) {
      this.failed++
      if (this.failed >= PATIENCE) this.failure = messageOf(error)
    }
    if (this.active && !this.ended) this.timer = setTimeout(() => void this.look(), PAUSE)
  }
}
