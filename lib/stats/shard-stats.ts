/** The counts of one shard, over all its connections. */
import type { ShardErrorCounts } from './error-kinds.ts'
import { Histogram } from './histogram.ts'
import { CounterWindow, HistogramWindow } from './window.ts'

export class ShardStats {
  /** Sent to it or about to be; a command split over several shards counts once at each. */
  requests = 0
  readonly errors: ShardErrorCounts = {
    unavailable: 0,
    lost: 0,
    timedOut: 0,
    overloaded: 0,
    shard: 0,
  }
  readonly sent: ByteCount = { bytes: 0 }
  bytesReceived = 0
  /** Shared connections made again after a loss. */
  reconnects = 0
  /** Logins with new credentials on open connections. */
  readonly logins = { succeeded: 0, refused: 0 }
  /** From the end of the turn that sends a request to the reading of its reply. */
  readonly latency = new Histogram()
  readonly #requestRate = new CounterWindow()
  readonly #errorRate = new CounterWindow()
  readonly #latencyWindow = new HistogramWindow(this.latency)

  /** Once a second. */
  look(): void {
    this.#requestRate.look(this.requests)
    this.#errorRate.look(sumOf(this.errors))
    this.#latencyWindow.look()
  }

  /** The last seconds. */
  get window() {
    const { p50, p99 } = this.#latencyWindow.quantiles
    return {
      requestsPerSecond: this.#requestRate.perSecond,
      errorsPerSecond: this.#errorRate.perSecond,
      p50Seconds: p50,
      p99Seconds: p99,
    }
  }
}

/** Shared by all that add to it. */
export interface ByteCount {
  bytes: number
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}
