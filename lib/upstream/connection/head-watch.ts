/**
 * Sees which request keeps its connection waiting. Redis answers a connection's requests one after the
 * other, so a slow one delays all behind it; only the one at the head is to blame, from the moment it
 * got there. Sees big replies as well.
 */
import { UNKNOWN_COMMAND } from '../../stats/command-counts.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import type { Ending } from '../../stats/lookout/slow-log.ts'
import type { Fifo } from './fifo.ts'

export class HeadWatch {
  readonly #lookout: Lookout
  readonly #shard: string
  readonly #fifo: Fifo
  /** Since when nothing stands before the request that is at the head now; the turn's clock. */
  #freeSinceMs = 0
  /** What was entered last may wait as long as its client likes: it is never late. */
  #blocks = false
  /** Bytes of the reply under way. */
  #replyBytes = 0

  constructor(lookout: Lookout, shard: string, fifo: Fifo) {
    this.#lookout = lookout
    this.#shard = shard
    this.#fifo = fifo
  }

  /** A request was entered into the FIFO. */
  entered(): void {
    const { inHand } = this.#lookout
    this.#fifo.keep(inHand)
    // Such a request has the connection to itself, so there is no other.
    this.#blocks = inHand.blocks
  }

  /** A whole reply of fewer bytes, in one read with another before it, is no news. */
  get newsBytes(): number {
    return this.#lookout.bigBytes
  }

  ready(nowMs: number): void {
    this.#freeSinceMs = nowMs
    this.#replyBytes = 0
  }

  /** `bytes` bytes of the head's reply have been read; the FIFO gets them next. */
  replied(bytes: number, last: boolean, nowMs: number): void {
    this.#replyBytes += bytes
    if (!last) return
    if (this.#replyBytes >= this.#lookout.bigBytes) this.#tellBigReply()
    this.#replyBytes = 0
    if (nowMs - this.#freeSinceMs >= this.#lookout.slowMs && this.#isSlow(nowMs)) {
      this.#tellSlow(nowMs, 'answered')
    }
    this.#freeSinceMs = nowMs
  }

  /** The head's deadline has passed; it becomes a tombstone next. */
  timedOut(nowMs: number): void {
    const isWatched = this.#lookout.slowMs !== Number.POSITIVE_INFINITY
    if (isWatched && this.#fifo.headWaits) this.#tellSlow(nowMs, 'timed out')
  }

  /** The connection is gone, and with it the reply to what was sent; the FIFO is told next. */
  lost(nowMs: number): void {
    if (this.#isSlow(nowMs)) this.#tellSlow(nowMs, 'lost')
  }

  #isSlow(nowMs: number): boolean {
    const fifo = this.#fifo
    if (!fifo.headWaits) return false
    return nowMs - Math.max(fifo.headEnteredMs, this.#freeSinceMs) >= this.#lookout.slowMs
  }

  #tellSlow(nowMs: number, ending: Ending): void {
    const { notes, headAt, headEnteredMs } = this.#fifo
    const command = notes.commandAt(headAt)
    if (command === UNKNOWN_COMMAND || this.#blocks) return
    this.#lookout.slowLog.add({
      atMs: Date.now(),
      command: this.#lookout.nameOf(command),
      keyHash: notes.keyHashAt(headAt),
      key: notes.keyAt(headAt),
      shard: this.#shard,
      totalMs: nowMs - headEnteredMs,
      shardMs: Math.max(0, nowMs - this.#fifo.headSentMs),
      ending,
    })
  }

  #tellBigReply(): void {
    const { notes, headAt } = this.#fifo
    const command = notes.commandAt(headAt)
    // A stray reply, or the reply to a request of our own.
    if (this.#fifo.length === 0 || command === UNKNOWN_COMMAND) return
    this.#lookout.bigReplies.add({
      atMs: Date.now(),
      command: this.#lookout.nameOf(command),
      keyHash: notes.keyHashAt(headAt),
      key: notes.keyAt(headAt),
      shard: this.#shard,
      bytes: this.#replyBytes,
    })
  }
}
