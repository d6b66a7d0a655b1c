/**
 * How long requests took, and how much of that was the shards' part. The clock is read twice in a
 * turn, when it begins and when its bytes have been handed to the sockets, and never for one
 * request. Requests with equal times are counted together.
 *
 *   total: from the turn in which the request came in to the end of the turn that answers it
 *   shard: from the end of the turn that sends it to the turn in which the reply is read
 *   own:   the rest
 */
import { Histogram } from './histogram.ts'
import { NOT_SENT, UNANSWERED } from './in-hand.ts'

export interface TurnWatcher {
  /** All that was written in the turn has been handed to the sockets. Monotonic milliseconds. */
  turnEnded(startedMs: number, endedMs: number): void
}

/** The part of a turn that is needed here. */
export interface TurnEnds {
  /** Calls `turnEnded` once when the turn under way ends. */
  watchEnd(watcher: TurnWatcher): void
}

/** In place of the time of arrival: the client itself chose how long the request takes (BLPOP). */
export const UNTIMED = -1

/** Requests whose times are all equal, and their number. */
class Run {
  openedMs = 0.5
  sentMs = 0.5
  times = 0
}

export class Latencies implements TurnWatcher {
  readonly total = new Histogram()
  readonly shard = new Histogram()
  readonly own = new Histogram()
  readonly #turn: TurnEnds
  /** Requests settled in this turn, equal ones together. The first `#runsUsed` of the list are in use. */
  readonly #runs: Run[] = []
  #runsUsed = 0
  /** The run begun last. */
  #run = new Run()

  constructor(turn: TurnEnds) {
    this.#turn = turn
  }

  /** The reply to a request that came in at `openedMs` goes to its client in this turn. */
  settled(openedMs: number, sentMs: number): void {
    const run = this.#run
    if (run.times > 0 && run.openedMs === openedMs && run.sentMs === sentMs) run.times++
    else if (openedMs !== UNTIMED) this.#begin(openedMs, sentMs)
  }

  turnEnded(startedMs: number, endedMs: number): void {
    for (let i = 0; i < this.#runsUsed; i++) {
      const run = this.#runs[i] as Run
      const { openedMs, sentMs, times } = run
      run.times = 0
      const totalMs = endedMs - openedMs
      const shardMs = Math.max(0, startedMs - (sentMs === UNANSWERED ? openedMs : sentMs))
      const isSent = sentMs !== NOT_SENT
      this.total.record(totalMs, times)
      if (isSent) this.shard.record(shardMs, times)
      this.own.record(isSent ? totalMs - shardMs : totalMs, times)
    }
    this.#runsUsed = 0
  }

  /** There are as many runs at most as requests are in flight. */
  #begin(openedMs: number, sentMs: number): void {
    if (this.#runsUsed === 0) this.#turn.watchEnd(this)
    if (this.#runsUsed === this.#runs.length) this.#runs.push(new Run())
    const run = this.#runs[this.#runsUsed++] as Run
    run.openedMs = openedMs
    run.sentMs = sentMs
    run.times = 1
    this.#run = run
  }
}
