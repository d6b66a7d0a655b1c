/**
 * How often which duration occurred, in buckets whose width grows with their place: 16 to each
 * doubling, so that every quantile is right within 1/32 of its value. Fixed memory; recording is a
 * few additions.
 */

/** Bits that tell durations within one power of two apart. */
const FINE_BITS = 4
const FINE = 1 << FINE_BITS

/** Longer ones count as this long: 2^27 microseconds are 134 seconds. */
const BITS_MAX = 27
const MICROS_MAX = 2 ** BITS_MAX - 1

export const BUCKETS = (BITS_MAX - FINE_BITS + 1) * FINE

export class Histogram {
  /** By bucket. */
  readonly counts = new Float64Array(BUCKETS)
  #sumMs = 0
  #count = 0
  #maxMs = 0

  /** Records a duration that occurred `times` times. Negative ones, which no clock should give, are 0. */
  record(durationMs: number, times = 1): void {
    const ms = durationMs > 0 ? durationMs : 0
    const bucket = bucketOf(ms)
    this.counts[bucket] = (this.counts[bucket] as number) + times
    this.#count += times
    this.#sumMs += ms * times
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  get count(): number {
    return this.#count
  }

  get sumSeconds(): number {
    return this.#sumMs / 1000
  }

  /** The longest since it was last taken, milliseconds. */
  takeMaxMs(): number {
    const maxMs = this.#maxMs
    this.#maxMs = 0
    return maxMs
  }

  /**
   * How many durations were below each bound, in seconds, ascending. Exact for bounds that are 25
   * microseconds times a power of two; bounds between two buckets count the lower one.
   */
  countsBelow(boundsSeconds: readonly number[]): number[] {
    let bucket = 0
    let below = 0
    return boundsSeconds.map((bound) => {
      const micros = Math.round(bound * 1e6)
      for (; bucket < BUCKETS && micros >= bucketEndMicros(bucket); bucket++) {
        below += this.counts[bucket] as number
      }
      return below
    })
  }
}

/** The bucket of a duration that is not negative. */
export function bucketOf(durationMs: number): number {
  const micros = Math.min(durationMs * 1000, MICROS_MAX) | 0
  if (micros < FINE) return micros
  const shift = 31 - Math.clz32(micros) - FINE_BITS
  return shift * FINE + (micros >> shift)
}

/** First whole microsecond that lies in the next bucket. */
function bucketEndMicros(bucket: number): number {
  if (bucket < FINE) return bucket + 1
  const shift = (bucket >> FINE_BITS) - 1
  return (bucket - shift * FINE + 1) * 2 ** shift
}

function bucketStartMicros(bucket: number): number {
  return bucket === 0 ? 0 : bucketEndMicros(bucket - 1)
}

/**
 * The duration that the share `quantile` (0 to 1) of those counted does not exceed, in seconds: the
 * middle of its bucket. 0 when nothing was counted.
 */
export function quantileSeconds(counts: ArrayLike<number>, quantile: number): number {
  let total = 0
  for (let bucket = 0; bucket < counts.length; bucket++) total += counts[bucket] as number
  const rank = Math.max(1, Math.ceil(total * quantile))
  let seen = 0
  for (let bucket = 0; bucket < counts.length; bucket++) {
    seen += counts[bucket] as number
    if (seen >= rank) return (bucketStartMicros(bucket) + bucketEndMicros(bucket)) / 2e6
  }
  return 0
}
