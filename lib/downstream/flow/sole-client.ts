/**
 * Whether a client has the ambassador to itself. Then no other client waits behind its requests,
 * and it may have more of them in flight.
 */
import { WINDOW_ALONE_MS } from '../../limits.ts'

export class SoleClient {
  #lastId = 0
  #sinceMs = 0

  /** Client `id` has sent something. */
  heard(id: number, nowMs: number): void {
    if (id === this.#lastId) return
    this.#lastId = id
    this.#sinceMs = nowMs
  }

  /** No two clients have taken turns lately. */
  isAlone(nowMs: number): boolean {
    return nowMs - this.#sinceMs >= WINDOW_ALONE_MS
  }
}
