/** The last minutes, one sample for each second. */
import { STATS_HISTORY_SECONDS } from '../limits.ts'

export interface HistorySample {
  /** Milliseconds since the epoch, at the end of the second. */
  readonly atMs: number
  /** Answered or refused in that second. */
  readonly requests: number
  readonly errors: number
  readonly p50Seconds: number
  readonly p99Seconds: number
}

export class History {
  readonly #samples: HistorySample[] = []

  add(sample: HistorySample): void {
    this.#samples.push(sample)
    if (this.#samples.length > STATS_HISTORY_SECONDS) this.#samples.shift()
  }

  /** Oldest first. */
  get samples(): readonly HistorySample[] {
    return this.#samples
  }
}
