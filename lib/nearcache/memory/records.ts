/** What is known of each record of the log, in parallel arrays. */
import { mix } from './hash.ts'

/** States of a record: no entry, or one with what has become of it. */
export const DEAD = 0
export const LIVE = 1
/** It was hit since it was written, or last put in front. */
export const HIT = 2
/** It was hit since its shard was last told of that. */
export const UNTOLD = 4

/** What the arrays hold about one record, a link in each of two chains included. */
export const BOOKKEEPING_BYTES = 37

/** The average memory of a record, which bounds their number. */
const RECORD_BYTES = 160
const COUNT_MIN = 16

export class Records {
  /** Where the request begins, with the reply behind it. */
  readonly offsets: Int32Array
  readonly frameLengths: Uint16Array
  readonly replyLengths: Uint16Array
  /** Of the request, whatever its source. */
  readonly identities: Int32Array
  readonly keyHashes: Int32Array
  readonly sources: Int32Array
  readonly expiresMs: Float64Array
  readonly states: Uint8Array
  /** Where `tellHits` goes on. */
  #told = 0

  constructor(count: number) {
    this.offsets = new Int32Array(count)
    this.frameLengths = new Uint16Array(count)
    this.replyLengths = new Uint16Array(count)
    this.identities = new Int32Array(count)
    this.keyHashes = new Int32Array(count)
    this.sources = new Int32Array(count)
    this.expiresMs = new Float64Array(count)
    this.states = new Uint8Array(count)
  }

  /** How many there may be in so many bytes, with all that belongs to them. */
  static countIn(bytes: number): number {
    return Math.max(COUNT_MIN, Math.floor(bytes / RECORD_BYTES))
  }

  /** Bytes of request and reply. */
  size(at: number): number {
    return (this.frameLengths[at] as number) + (this.replyLengths[at] as number)
  }

  /** By which it is found. */
  hash(at: number): number {
    return mix(this.identities[at] as number, this.sources[at] as number)
  }

  /**
   * Calls back with the records in the next of so many parts that were hit since they were last told of.
   */
  tellHits(parts: number, tell: (at: number) => void): void {
    const { states } = this
    const from = this.#told
    const to = Math.min(states.length, from + Math.ceil(states.length / parts))
    this.#told = to === states.length ? 0 : to
    for (let at = from; at < to; at++) {
      const state = states[at] as number
      if ((state & UNTOLD) === 0) continue
      states[at] = state & ~UNTOLD
      tell(at)
    }
  }

  /** All but where it is and its state. */
  copy(from: number, to: number): void {
    this.frameLengths[to] = this.frameLengths[from] as number
    this.replyLengths[to] = this.replyLengths[from] as number
    this.identities[to] = this.identities[from] as number
    this.keyHashes[to] = this.keyHashes[from] as number
    this.sources[to] = this.sources[from] as number
    this.expiresMs[to] = this.expiresMs[from] as number
  }
}
