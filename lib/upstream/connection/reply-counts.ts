/**
 * Counts the replies on one connection, and how long they took. Those to what was sent at one moment
 * that come in one read are a run: they took equally long, and are counted together when it ends.
 */
import { ASTERISK } from '../../resp/bytes.ts'
import { isError } from '../../stats/error-kinds.ts'
import { type InHand, NOT_SENT } from '../../stats/in-hand.ts'
import type { ShardStats } from '../../stats/shard-stats.ts'
import type { Batch } from './batch.ts'

export class ReplyCounts {
  readonly #stats: ShardStats
  readonly #inHand: InHand
  /** On leased connections requests may wait as their client likes: that is no latency. */
  readonly #isTimed: boolean
  /** What begins with it may have errors in it; -1: nothing but errors is told of. */
  readonly #tellingByte: number
  /** Of the read under way; the turn's clock. */
  #readMs = 0
  /** Of the run under way. */
  #sentMs = NOT_SENT
  #length = 0
  /** The next bytes begin a reply, rather than going on with one. */
  #replyBegins = true

  constructor(stats: ShardStats, inHand: InHand, isTimed: boolean) {
    this.#stats = stats
    this.#inHand = inHand
    this.#isTimed = isTimed
    this.#tellingByte = isTimed ? -1 : ASTERISK
  }

  /** `bytes` bytes have been read. */
  beginRead(bytes: number, nowMs: number): void {
    this.#stats.bytesReceived += bytes
    this.#readMs = nowMs
  }

  /** What comes next, all of a reply if it is the `last` of it, came in one read with another before it. */
  followsAnother(last: boolean): boolean {
    return this.#length > 0 && last && this.#replyBegins
  }

  /**
   * (Part of) the reply to a request of the batch begins at `bytes[start]`. Returns whether an error
   * begins here or, on a leased connection, an array: what EXEC answers may have errors in it.
   * The batch is handed over, and not its `sentMs`: a double as an argument costs an object a reply.
   */
  count(bytes: Buffer, start: number, last: boolean, batch: Pick<Batch, 'sentMs'>): boolean {
    const first = bytes[start]
    const beginsError = isError(first) && this.#replyBegins
    if (beginsError) this.#stats.errors.shard++
    this.#replyBegins = last
    if (batch.sentMs !== this.#sentMs) this.#endRun(batch.sentMs)
    if (last) this.#length++
    return beginsError || first === this.#tellingByte
  }

  /** `count` whole replies have come, none of them an error, to requests of the batch. */
  countMore(count: number, batch: Pick<Batch, 'sentMs'>): void {
    if (batch.sentMs !== this.#sentMs) this.#endRun(batch.sentMs)
    this.#length += count
  }

  endRead(): void {
    this.#endRun(NOT_SENT)
  }

  /** The rest of a reply that has begun will not come. */
  reset(): void {
    this.#replyBegins = true
  }

  #endRun(nextSentMs: number): void {
    if (this.#isTimed && this.#length > 0) {
      this.#stats.latency.record(this.#readMs - this.#sentMs, this.#length)
    }
    this.#length = 0
    this.#sentMs = nextSentMs
    this.#inHand.sentMs = nextSentMs
  }
}
