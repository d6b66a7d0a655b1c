/** How the memory of this process grows, so that a leak shows in a run of minutes. */

const SAMPLE_MS = 1000
const MB = 1024 * 1024

export class MemorySlope {
  readonly #rss: number[] = []
  readonly #timer = setInterval(() => this.#rss.push(process.memoryUsage.rss()), SAMPLE_MS)

  /** Stops sampling; says where the resident set was and by how much a minute it grew. */
  stop(): string {
    clearInterval(this.#timer)
    // While the heap warms up it grows, leak or not.
    const settled = this.#rss.slice(this.#rss.length >> 1)
    const [first = 0] = settled
    const largest = Math.max(...settled, 0)
    const slope = (slopePerSample(settled) * 60_000) / SAMPLE_MS
    return (
      `${Math.round(first / MB)} MB at half time, at most ${Math.round(largest / MB)} MB after it, ` +
      `${(slope / MB).toFixed(2)} MB a minute`
    )
  }
}

/** Least squares over equally spaced samples. */
export function slopePerSample(samples: readonly number[]): number {
  const middle = (samples.length - 1) / 2
  let products = 0
  let squares = 0
  for (const [at, sample] of samples.entries()) {
    products += (at - middle) * sample
    squares += (at - middle) ** 2
  }
  return squares === 0 ? 0 : products / squares
}
