/**
 * How much one client may have in flight: so many requests, and so many bytes of large ones. It
 * grows with each answer, and is small where more would only make others wait.
 */
import { LARGE_BYTES } from '../io/outbox.ts'
import {
  WINDOW_BYTES,
  WINDOW_NEAR_MS,
  WINDOW_REQUEST_BYTES,
  WINDOW_REQUESTS_FIRST,
  WINDOW_REQUESTS_MAX,
  WINDOW_REQUESTS_NEAR_MAX,
} from '../limits.ts'

export class Window {
  #requests = WINDOW_REQUESTS_FIRST
  #requestsMax = WINDOW_REQUESTS_NEAR_MAX
  /** When the client had last to wait; the turn's clock. */
  #waitingSinceMs = 0
  /** Its shards took long to answer when it had last to wait. */
  #isFar = false
  /** Large requests in flight by tag, and the bytes of all of them: they may lie unsent at a shard. */
  #large: Map<number, number> | undefined
  #largeBytes = 0

  /** Requests that may be in flight. */
  get requests(): number {
    return this.#requests
  }

  /** With `inFlight` requests no other may be handled. */
  isFull(inFlight: number): boolean {
    return inFlight >= this.#requests || this.#largeBytes > WINDOW_REQUEST_BYTES
  }

  /** A client that is alone may have more: nobody waits behind it. */
  bound(isAlone: boolean): void {
    this.#requestsMax = this.#isFar || isAlone ? WINDOW_REQUESTS_MAX : WINDOW_REQUESTS_NEAR_MAX
    if (this.#requests > this.#requestsMax) this.#requests = this.#requestsMax
  }

  /** The client has to wait, for its own replies or for something else. */
  waits(nowMs: number): void {
    this.#waitingSinceMs = nowMs
  }

  /** It goes on. Call `bound` next. */
  goesOn(nowMs: number): void {
    this.#isFar = nowMs - this.#waitingSinceMs > WINDOW_NEAR_MS
  }

  /** A request of so many bytes is in flight. */
  opened(tag: number, bytes: number): void {
    if (bytes < LARGE_BYTES) return
    this.#large ??= new Map()
    this.#large.set(tag, bytes)
    this.#largeBytes += bytes
  }

  /** It has been answered at once, without a shard: the window stays as it is. */
  left(tag: number): void {
    if (this.#largeBytes === 0) return
    const bytes = this.#large?.get(tag)
    if (bytes === undefined) return
    this.#large?.delete(tag)
    this.#largeBytes -= bytes
  }

  /** It has been answered. */
  settled(tag: number, largestReplyBytes: number): void {
    this.left(tag)
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
