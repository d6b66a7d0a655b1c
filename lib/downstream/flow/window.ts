/**
 * How many requests a client may have in flight. The window grows with each answer. It grows further for a
 * client that is alone, and for one whose shards are far away, which needs more requests to keep them busy.
 */
import {
  WINDOW_BYTES,
  WINDOW_NEAR_MS,
  WINDOW_REQUESTS_FIRST,
  WINDOW_REQUESTS_MAX,
  WINDOW_REQUESTS_NEAR_MAX,
} from '../../limits.ts'
import type { SoleClient } from './sole-client.ts'

export class Window {
  readonly #soleClient: SoleClient
  #requests = WINDOW_REQUESTS_FIRST
  #requestsMax = WINDOW_REQUESTS_NEAR_MAX
  /** When the client had last to wait; the turn's clock. */
  #waitingSinceMs = 0
  /** Its shards took long to answer when it had last to wait. */
  #isFar = false

  constructor(soleClient: SoleClient) {
    this.#soleClient = soleClient
  }

  /** How many requests may be in flight. */
  get requests(): number {
    return this.#requests
  }

  /** Requests have come, or are gone on with. */
  bound(nowMs: number): void {
    const isWide = this.#isFar || this.#soleClient.isAlone(nowMs)
    this.#requestsMax = isWide ? WINDOW_REQUESTS_MAX : WINDOW_REQUESTS_NEAR_MAX
    if (this.#requests > this.#requestsMax) this.#requests = this.#requestsMax
  }

  /** The client has to wait. */
  waits(nowMs: number): void {
    this.#waitingSinceMs = nowMs
  }

  /** It need not wait any more. */
  goesOn(nowMs: number): void {
    this.#isFar = nowMs - this.#waitingSinceMs > WINDOW_NEAR_MS
    this.bound(nowMs)
  }

  /** A request has its answer. `largestReplyBytes`: of recent ones. */
  answered(largestReplyBytes: number): void {
    this.#requests = windowAfterReply(this.#requests, this.#requestsMax, largestReplyBytes)
  }
}

/**
 * Requests in flight that a client may have after an answer: one more than before, at most
 * `windowMax`, and no more than recent replies of that size would make WINDOW_BYTES.
 */
export function windowAfterReply(
  window: number,
  windowMax: number,
  largestReplyBytes: number,
): number {
  const next = window < windowMax ? window + 1 : windowMax
  // The usual case, without a division.
  if (next * largestReplyBytes <= WINDOW_BYTES) return next
  return Math.max(1, Math.floor(WINDOW_BYTES / largestReplyBytes))
}
