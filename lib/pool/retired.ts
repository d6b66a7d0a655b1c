/** Shards that are no longer in use and still have something under way. */
import type { Turn } from '../io/turn.ts'
import { RETIRED_SHARD_MS } from '../limits.ts'
import type { Shard } from '../upstream/shard.ts'

export class Retired {
  readonly #turn: Turn
  readonly #timers = new Map<Shard, NodeJS.Timeout>()

  constructor(turn: Turn) {
    this.#turn = turn
  }

  get shards(): Iterable<Shard> {
    return this.#timers.keys()
  }

  /** Closes the shard once it owes nothing, or its time is up; without any time at once. */
  add(shard: Shard, withinMs: number): void {
    if (withinMs === 0) {
      shard.close()
      return
    }
    const deadlineMs = this.#turn.now() + withinMs
    const check = (): void => {
      const busy = shard.inFlight > 0 || shard.leased > 0
      if (busy && this.#turn.now() < deadlineMs) {
        this.#timers.set(shard, setTimeout(check, RETIRED_SHARD_MS))
      } else {
        this.#timers.delete(shard)
        shard.close()
      }
    }
    // Not at once: a client may be in the middle of a transaction there without anything in flight.
    this.#timers.set(shard, setTimeout(check, RETIRED_SHARD_MS))
  }

  close(): void {
    for (const [shard, timer] of this.#timers) {
      clearTimeout(timer)
      shard.close()
    }
    this.#timers.clear()
  }
}
