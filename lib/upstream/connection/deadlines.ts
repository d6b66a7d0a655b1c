/**
 * The timers of the requests on one connection: when the next deadline passes, and when a shard
 * that has let deadlines pass and stays silent is given up.
 */
import type { Turn } from '../../io/turn.ts'
import { STALLED_MS } from '../../limits.ts'
import { timerMs } from '../../timer.ts'
import type { Entry } from './batch.ts'
import type { Fifo } from './fifo.ts'

/** Who is told. */
export interface DeadlineOwner {
  /** When the shard last said something; the turn's clock. */
  readonly lastReadMs: number
  /** A deadline in the FIFO is not after `nowMs`. */
  deadlinePassed(nowMs: number): void
  /** Requests have expired, and the shard has been silent for STALLED_MS. */
  stalled(): void
}

export class Deadlines {
  readonly #fifo: Fifo
  readonly #turn: Turn
  readonly #owner: DeadlineOwner
  #timer: NodeJS.Timeout | undefined
  /** The deadline that the timer is for; Infinity while there is none. */
  #dueMs = Number.POSITIVE_INFINITY
  /** Set while tombstones are left. Apart, for the next request's deadline is earlier. */
  #stallTimer: NodeJS.Timeout | undefined

  constructor(fifo: Fifo, turn: Turn, owner: DeadlineOwner) {
    this.#fifo = fifo
    this.#turn = turn
    this.#owner = owner
  }

  /**
   * A request was entered into the FIFO. It is the earliest when those before it,
   * which were allowed more, have their replies.
   */
  entered(entry: Pick<Entry, 'deadlineMs'>): void {
    if (entry.deadlineMs < this.#dueMs) this.watch(this.#turn.now())
  }

  /** Waits for the earliest deadline in the FIFO, if there is one. */
  watch(nowMs: number): void {
    const { nextDeadlineMs } = this.#fifo
    if (nextDeadlineMs !== Number.POSITIVE_INFINITY) this.#arm(nextDeadlineMs, nowMs)
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#dueMs = Number.POSITIVE_INFINITY
    clearTimeout(this.#stallTimer)
    this.#stallTimer = undefined
  }

  #arm(dueMs: number, nowMs: number): void {
    clearTimeout(this.#timer)
    this.#dueMs = dueMs
    this.#timer = setTimeout(
      () => {
        // Timers run before sockets are read. After a stall of ours, replies may lie there unread:
        // they get this turn's poll phase to arrive before anything is called late.
        setImmediate(() => this.#check())
      },
      timerMs(dueMs - nowMs),
    )
  }

  #check(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#dueMs = Number.POSITIVE_INFINITY
    const nowMs = this.#turn.now()
    if (this.#fifo.nextDeadlineMs <= nowMs) this.#owner.deadlinePassed(nowMs)
    if (this.#fifo.tombstones > 0) {
      if (this.#isSilent(nowMs)) {
        this.#owner.stalled()
        return
      }
      this.#stallTimer ??= setTimeout(() => this.#checkStall(), STALLED_MS)
    }
    this.watch(nowMs)
  }

  #checkStall(): void {
    this.#stallTimer = undefined
    if (this.#fifo.tombstones === 0) return
    if (this.#isSilent(this.#turn.now())) this.#owner.stalled()
    else this.#stallTimer = setTimeout(() => this.#checkStall(), STALLED_MS)
  }

  #isSilent(nowMs: number): boolean {
    return nowMs - this.#owner.lastReadMs > STALLED_MS
  }
}
