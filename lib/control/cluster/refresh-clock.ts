/**
 * When a cluster's map is looked at: at once after a sign, but one look at a time and not too often; by
 * itself from time to time, and often while something is missing.
 */
import { CLUSTER_AWAY_MS, CLUSTER_REFRESH_MS_MIN, CLUSTER_URGENT_MS } from '../../limits.ts'
import { timerMs } from '../../timer.ts'

/** Why the map is looked at. */
export const REFRESH_CAUSES = [
  'start',
  'periodic',
  'moved',
  'lost',
  'timeout',
  'clusterdown',
  'readonly',
  'unblocked',
  'unsubscribed',
  'replicas',
  'connected',
  'uncovered',
] as const

export type RefreshCause = (typeof REFRESH_CAUSES)[number]

/** Whether all slots have owners that are there. */
export type Finding = 'whole' | 'lacking'

export interface RefreshClockOptions {
  readonly look: (cause: RefreshCause) => Promise<Finding>
  /** Between looks without a sign, milliseconds, a fifth more or less: a fleet must not ask in step. */
  readonly refreshMs: number
  /** Monotonic, milliseconds. */
  readonly now: () => number
}

const SPREAD = 0.4

export class RefreshClock {
  readonly #options: RefreshClockOptions
  #timer: NodeJS.Timeout | undefined
  #isLooking = false
  #beganMs = Number.NEGATIVE_INFINITY
  #wanted: RefreshCause | undefined
  /** Since when something is missing. */
  #lackingSinceMs: number | undefined
  #closed = false

  constructor(options: RefreshClockOptions) {
    this.#options = options
  }

  /** There is a sign that the map is old. */
  want(cause: RefreshCause): void {
    if (this.#wanted !== undefined) return
    this.#wanted = cause
    if (!this.#isLooking) this.#arm(0, cause)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #arm(delayMs: number, cause: RefreshCause): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    const spacedMs = this.#beganMs + CLUSTER_REFRESH_MS_MIN - this.#options.now()
    const waitMs = Math.max(delayMs, spacedMs)
    this.#timer = setTimeout(() => void this.#look(cause), timerMs(waitMs))
    this.#timer.unref()
  }

  async #look(cause: RefreshCause): Promise<void> {
    this.#wanted = undefined
    this.#isLooking = true
    this.#beganMs = this.#options.now()
    const finding = await this.#options.look(cause)
    this.#isLooking = false
    if (finding === 'whole') this.#lackingSinceMs = undefined
    else this.#lackingSinceMs ??= this.#options.now()
    if (this.#wanted !== undefined) this.#arm(0, this.#wanted)
    else if (finding === 'whole') this.#arm(this.#pauseMs(), 'periodic')
    else this.#arm(this.#urgentMs(), 'uncovered')
  }

  #pauseMs(): number {
    return this.#options.refreshMs * (1 - SPREAD / 2 + SPREAD * Math.random())
  }

  /** Often at first, for a failover may be under way; less often when something stays missing. */
  #urgentMs(): number {
    const nowMs = this.#options.now()
    const isLong = nowMs - (this.#lackingSinceMs ?? nowMs) > CLUSTER_URGENT_MS
    return isLong ? CLUSTER_AWAY_MS : CLUSTER_REFRESH_MS_MIN
  }
}
