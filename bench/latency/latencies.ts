/** What the latencies of one run say. */

export interface Latencies {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** The most that the generator sent a request too late: no target is to blame for that. */
  readonly lateMs: number
}

/** All latencies are kept and sorted, so that no quantile is rounded to a bucket. Sorts `latencies` in place. */
export function latenciesOf(latencies: Float64Array, lateMs: number): Latencies {
  latencies.sort()
  const quantile = (share: number): number => {
    return latencies[Math.ceil(latencies.length * share) - 1] ?? Number.NaN
  }
  return { p50Ms: quantile(0.5), p99Ms: quantile(0.99), p999Ms: quantile(0.999), lateMs }
}
