/**
 * The largest replies of the last hour, one entry for each command and key: a reply that is read
 * over and over does not hide the others.
 */
import { BIG_REPLIES_LENGTH, BIG_REPLY_MS } from '../../limits.ts'

export interface BigReply {
  /** Ascending, never used again. */
  readonly id: number
  /** When it came last, milliseconds since the epoch. */
  readonly atMs: number
  readonly command: string
  readonly keyHash: number
  readonly key: string | undefined
  readonly shard: string
  /** The largest of them. */
  readonly bytes: number
  /** How often it came. */
  readonly times: number
}

export class BigReplies {
  #entries: BigReply[] = []
  #nextId: number

  /** `idsFrom`: the id of the first entry. */
  constructor(idsFrom = 0) {
    this.#nextId = idsFrom
  }

  add(reply: Omit<BigReply, 'id' | 'times'>): void {
    const { command, keyHash, key, shard, atMs, bytes } = reply
    const at = this.#entries.findIndex((known) => {
      return (
        known.keyHash === keyHash &&
        known.command === command &&
        known.key === key &&
        known.shard === shard
      )
    })
    const known = this.#entries[at]
    if (known !== undefined) {
      const largest = Math.max(known.bytes, bytes)
      this.#entries[at] = { ...known, atMs, bytes: largest, times: known.times + 1 }
    } else if (this.#entries.length < BIG_REPLIES_LENGTH || this.#makeRoom(bytes, atMs)) {
      this.#entries.push({ ...reply, id: this.#nextId++, times: 1 })
    }
  }

  /** Those of the last hour, largest first. */
  largest(nowMs: number): BigReply[] {
    this.#entries = this.#entries.filter(({ atMs }) => nowMs - atMs <= BIG_REPLY_MS)
    return [...this.#entries].sort((one, other) => other.bytes - one.bytes)
  }

  reset(): void {
    this.#entries = []
  }

  /** Leaves the smallest out, unless the new one is smaller still. */
  #makeRoom(bytes: number, nowMs: number): boolean {
    const largest = this.largest(nowMs)
    if (largest.length < BIG_REPLIES_LENGTH) return true
    const smallest = largest.pop()
    if (smallest === undefined || smallest.bytes >= bytes) return false
    this.#entries = largest
    return true
  }
}
