/** How much memory and CPU this process takes, and how late its event loop is. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Between two looks at the event loop, milliseconds: fifty timers a second cost nothing noticeable. */
const LOOK_MS = 20

const NANOSECONDS = 1e9
const MICROSECONDS = 1e6

export interface ProcessFigures {
  readonly residentBytes: number
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  readonly externalBytes: number
  /** User and system time together. */
  readonly cpuSeconds: number
  /** How late timers were, since the figures were last cleared. */
  readonly lagSeconds: { readonly p50: number; readonly p99: number; readonly max: number }
}

export class ProcessWatch {
  readonly #delays = monitorEventLoopDelay({ resolution: LOOK_MS })

  constructor() {
    this.#delays.enable()
  }

  read(): ProcessFigures {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    return {
      residentBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      cpuSeconds: (user + system) / MICROSECONDS,
      lagSeconds: {
        p50: lagSeconds(this.#delays.percentile(50)),
        p99: lagSeconds(this.#delays.percentile(99)),
        max: lagSeconds(this.#delays.max),
      },
    }
  }

  /** Begins to count lateness anew: the next figures cover the time from now on. */
  clear(): void {
    this.#delays.reset()
  }

  stop(): void {
    this.#delays.disable()
  }
}

/** The histogram holds whole intervals, and 0 as long as it is empty. */
function lagSeconds(intervalNanoseconds: number): number {
  return Math.max(0, intervalNanoseconds / NANOSECONDS - LOOK_MS / 1000)
}
