/** Rates and quantiles of the last few seconds, from counts that are looked at once a second. */
import { STATS_WINDOW_SECONDS } from '../limits.ts'
import { BUCKETS, type Histogram, quantileSeconds } from './histogram.ts'

/** The rate of a count that only grows. */
export class CounterWindow {
  /** The counts at the last STATS_WINDOW_SECONDS looks, and at the one before them. */
  readonly #counts: number[] = [0]

  look(count: number): void {
    this.#counts.push(count)
    if (this.#counts.length > STATS_WINDOW_SECONDS + 1) this.#counts.shift()
  }

  get perSecond(): number {
    const seconds = this.#counts.length - 1
    if (seconds === 0) return 0
    return ((this.#counts[seconds] as number) - (this.#counts[0] as number)) / seconds
  }
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** One second of a histogram. */
interface Second {
  readonly counts: Uint32Array
  readonly maxMs: number
}

/** The quantiles of what a histogram took in lately. Seconds in which it took nothing cost nothing. */
export class HistogramWindow {
  readonly #histogram: Histogram
  /** The counts at the last look; made with the first duration. */
  #seen: Float64Array | undefined
  #seenCount = 0
  /** Newest last; undefined: nothing happened. */
  readonly #seconds: (Second | undefined)[] = []

  constructor(histogram: Histogram) {
    this.#histogram = histogram
  }

  look(): void {
    this.#seconds.push(this.#histogram.count === this.#seenCount ? undefined : this.#second())
    if (this.#seconds.length > STATS_WINDOW_SECONDS) this.#seconds.shift()
  }

  /** Of the window, in seconds; all 0 when nothing happened. */
  get quantiles(): Quantiles {
    return quantilesOf(this.#seconds)
  }

  /** Of the last second alone. */
  get lastQuantiles(): Quantiles {
    return quantilesOf(this.#seconds.slice(-1))
  }

  #second(): Second {
    const { counts, count } = this.#histogram
    this.#seen ??= new Float64Array(BUCKETS)
    const since = new Uint32Array(BUCKETS)
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      since[bucket] = (counts[bucket] as number) - (this.#seen[bucket] as number)
    }
    this.#seen.set(counts)
    this.#seenCount = count
    return { counts: since, maxMs: this.#histogram.takeMaxMs() }
  }
}

function quantilesOf(seconds: readonly (Second | undefined)[]): Quantiles {
  const sum = new Float64Array(BUCKETS)
  let maxMs = 0
  for (const second of seconds) {
    if (second === undefined) continue
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      sum[bucket] = (sum[bucket] as number) + (second.counts[bucket] as number)
    }
    maxMs = Math.max(maxMs, second.maxMs)
  }
  const max = maxMs / 1000
  // The middle of the highest bucket may be above all its durations.
  const at = (quantile: number) => Math.min(quantileSeconds(sum, quantile), max)
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max }
}
