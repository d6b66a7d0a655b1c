/** Shards and clusters that are no longer in use and still have something under way. */
import type { Turn } from '../io/turn.ts'
import { RETIRED_SHARD_MS } from '../limits.ts'
import type { Shard } from '../upstream/shard.ts'

/** A shard, or a cluster as a whole. */
export type Retiring = Pick<Shard, 'inFlight' | 'leased' | 'closeLane' | 'close'>

export class Retired {
  readonly #turn: Turn
  readonly #timers = new Map<Retiring, NodeJS.Timeout>()

  constructor(turn: Turn) {
    this.#turn = turn
  }

  get all(): Iterable<Retiring> {
    return this.#timers.keys()
  }

  /** Closes it once it owes nothing, or its time is up; without any time at once. */
  add(left: Retiring, withinMs: number): void {
    if (withinMs === 0) {
      left.close()
      return
    }
    const deadlineMs = this.#turn.now() + withinMs
    const check = (): void => {
      const busy = left.inFlight > 0 || left.leased > 0
      if (busy && this.#turn.now() < deadlineMs) {
        this.#timers.set(left, setTimeout(check, RETIRED_SHARD_MS))
      } else {
        this.#timers.delete(left)
        left.close()
      }
    }
    // Not at once: a client may be in the middle of a transaction there without anything in flight.
    this.#timers.set(left, setTimeout(check, RETIRED_SHARD_MS))
  }

  close(): void {
    for (const [left, timer] of this.#timers) {
      clearTimeout(timer)
      left.close()
    }
    this.#timers.clear()
  }
}
