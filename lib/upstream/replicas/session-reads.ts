/**
 * What one session must not fall behind: what it has written, and what it has read. Exists only with
 * `readFrom`.
 */
import { NEVER } from './coverage.ts'
import type { ReadLine } from './read-line.ts'
import type { ReplicaSet } from './replica-set.ts'

/** Hears of each reply that goes to the client, in the order of the requests. */
export interface Replied {
  settled(openedMs: number, sentMs: number): void
}

export interface SessionReadsOptions {
  readonly sessionId: number
  /** The next receiver of these calls. */
  readonly replied: Replied
  /** Requests of the session that are not answered. */
  readonly inFlight: () => number
  readonly isClosed: () => boolean
  /** The turn's clock. */
  readonly now: () => number
}

/** The last request of a kind: by its number, until it is answered, and then by that moment. */
class Last {
  /** Numbers count from 0 in the order of requests; -1: none. */
  number = -1
  answeredMs = NEVER
}

export class SessionReads implements Replied {
  readonly sessionId: number
  readonly isClosed: () => boolean
  /** Reads that are under way at a replica, or wait for their turn there. */
  onReplicas = 0
  /** Who has kept count so far. */
  keeper: object | undefined
  /** Sets come and go with the masters of a cluster. */
  readonly lines = new WeakMap<ReplicaSet, ReadLine>()
  readonly #options: SessionReadsOptions
  readonly #replied: Replied
  readonly #write = new Last()
  /** The last request that the master answered without being asked to by a `ReadLine`: SCAN, for one. */
  readonly #seen = new Last()
  /** Replies so far: the number of the request that is answered next. */
  #settled = 0
  #settledMs = NEVER
  /** Requests have gone to a transaction, past those who number them. */
  #wasInTransaction = false

  constructor(options: SessionReadsOptions) {
    this.#options = options
    this.#replied = options.replied
    this.sessionId = options.sessionId
    this.isClosed = options.isClosed
  }

  /** Replied */
  settled(openedMs: number, sentMs: number): void {
    this.#replied.settled(openedMs, sentMs)
    this.#settledMs = this.#options.now()
    if (this.#settled === this.#write.number) this.#write.answeredMs = this.#settledMs
    if (this.#settled === this.#seen.number) this.#seen.answeredMs = this.#settledMs
    this.#settled++
  }

  /** The request under way, which is not opened yet, may write. */
  writes(): void {
    this.#write.number = this.#next
  }

  /** The request under way, which is not opened yet, shows what the master has. */
  sees(): void {
    this.#seen.number = this.#next
  }

  /** As `sees`, of a request that has just been opened. */
  seesNow(): void {
    this.#seen.number = this.#next - 1
  }

  /** ReadingSession */
  sawElsewhere(): void {
    this.#seen.answeredMs = this.#options.now()
  }

  /** It may have seen and written whatever there is by now: nobody has kept count until now. */
  hasPast(): void {
    this.#settledMs = this.#options.now()
    this.entersTransaction()
  }

  /** From here on requests may go to a transaction. */
  entersTransaction(): void {
    this.#wasInTransaction = true
  }

  /** What it asked the master for is answered, and its own last write was longer ago than this. */
  mayLeaveMaster(readAfterWriteMs: number): boolean {
    if (this.#wasInTransaction) this.#leaveTransaction()
    if (this.#write.number >= this.#settled || this.#seen.number >= this.#settled) return false
    return this.#options.now() - this.#write.answeredMs >= readAfterWriteMs
  }

  /** What the master had executed by then is known to the client; `readAfterWriteMs` 0: but its own writes. */
  floorMs(readAfterWriteMs: number): number {
    if (readAfterWriteMs === 0) return this.#seen.answeredMs
    return Math.max(this.#write.answeredMs, this.#seen.answeredMs)
  }

  get #next(): number {
    return this.#settled + this.#options.inFlight()
  }

  /** Each of the requests so far may have been its EXEC. */
  #leaveTransaction(): void {
    this.#wasInTransaction = false
    for (const last of [this.#write, this.#seen]) {
      last.number = this.#next - 1
      if (last.number < this.#settled) last.answeredMs = this.#settledMs
    }
  }
}
