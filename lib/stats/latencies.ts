/**
 * How long requests took, and how much of that was the shards' part. The clock is read twice in a
 * turn, when it begins and when its bytes have been handed to the sockets, and never for one
 * request; requests of which all three moments are the same are counted together.
 *
 *   total: from the turn in which the request came in to the end of the turn that answers it
 *   shard: from the end of the turn that sends it to the turn in which the reply is read
 *   own:   the rest
 */
import { Histogram } from './histogram.ts'

export interface TurnWatcher {
  /** All that was written in the turn has been handed to the sockets. Monotonic milliseconds. */
  turnEnded(startedMs: number, endedMs: number): void
}

/** The part of a turn that is needed here. */
export interface TurnEnds {
  /** Calls `turnEnded` once when the turn under way ends. */
  watchEnd(watcher: TurnWatcher): void
}

/** Instead of the moment of sending: no shard was asked. */
export const NOT_SENT = 0
/** The same: a shard was asked and did not answer, so that the wait was for it. */
export const UNANSWERED = -1
/** Instead of the moment of coming in: how long it takes is the client's own choice (BLPOP). */
export const UNTIMED = -1

const RUNS_FIRST = 64

export class Latencies implements TurnWatcher {
  readonly total = new Histogram()
  readonly shard = new Histogram()
  readonly own = new Histogram()
  /** When the request was sent whose reply is just being handed on, or NOT_SENT, or UNANSWERED. */
  sentMs = NOT_SENT
  readonly #turn: TurnEnds
  /** Requests settled in this turn, equal ones together. */
  #openedMs = new Float64Array(RUNS_FIRST)
  #sentMs = new Float64Array(RUNS_FIRST)
  #times = new Float64Array(RUNS_FIRST)
  #runs = 0

  constructor(turn: TurnEnds) {
    this.#turn = turn
  }

  /** The reply to a request that came in at `openedMs` goes to its client in this turn. */
  settled(openedMs: number, sentMs: number): void {
    const last = this.#runs - 1
    if (last >= 0 && this.#openedMs[last] === openedMs && this.#sentMs[last] === sentMs) {
      this.#times[last] = (this.#times[last] as number) + 1
    } else if (openedMs !== UNTIMED) {
      this.#begin(openedMs, sentMs)
    }
  }

  turnEnded(startedMs: number, endedMs: number): void {
    for (let run = 0; run < this.#runs; run++) {
      const openedMs = this.#openedMs[run] as number
      const times = this.#times[run] as number
      const sentMs = this.#sentMs[run] as number
      const totalMs = endedMs - openedMs
      const shardMs = Math.max(0, startedMs - (sentMs === UNANSWERED ? openedMs : sentMs))
      const isSent = sentMs !== NOT_SENT
      this.total.record(totalMs, times)
      if (isSent) this.shard.record(shardMs, times)
      this.own.record(isSent ? totalMs - shardMs : totalMs, times)
    }
    this.#runs = 0
  }

  #begin(openedMs: number, sentMs: number): void {
    const run = this.#runs++
    if (run === 0) this.#turn.watchEnd(this)
    else if (run === this.#times.length) this.#grow()
    this.#openedMs[run] = openedMs
    this.#sentMs[run] = sentMs
    this.#times[run] = 1
  }

  /** As many at most as requests are in flight. */
  #grow(): void {
    this.#openedMs = doubled(this.#openedMs)
    this.#sentMs = doubled(this.#sentMs)
    this.#times = doubled(this.#times)
  }
}

function doubled(numbers: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * numbers.length)
  larger.set(numbers)
  return larger
}
