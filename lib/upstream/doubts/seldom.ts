/** Does one thing when it is asked to, but not often: signs that something is wrong come in floods. */
import { DOUBT_MS } from '../../limits.ts'
import { timerMs } from '../../timer.ts'

export class Seldom {
  readonly #run: () => void
  readonly #now: () => number
  #ranMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  /** `now`: monotonic milliseconds. */
  constructor(run: () => void, now: () => number) {
    this.#run = run
    this.#now = now
  }

  /** Runs now, or, if it ran less than DOUBT_MS ago, once when that time is over. */
  ask(): void {
    if (this.#timer !== undefined) return
    const waitMs = this.#ranMs + DOUBT_MS - this.#now()
    if (waitMs <= 0) {
      this.#runNow()
      return
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#runNow()
    }, timerMs(waitMs))
    this.#timer.unref()
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #runNow(): void {
    this.#ranMs = this.#now()
    this.#run()
  }
}
