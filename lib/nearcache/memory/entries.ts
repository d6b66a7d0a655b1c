/**
 * Replies by the bytes of the requests that they answer. All memory is taken once, at the start: a
 * circular log of requests with their replies, and parallel arrays about them, so that the garbage
 * collector sees a dozen objects for any number of entries.
 *
 * The log's oldest entry makes room for a new one. It is put in front again if it has been hit since it was
 * written (CLOCK, with the log's end as its hand), and forgotten otherwise. What is removed leaves a hole
 * that the hand finds.
 *
 *       hand                              head
 *   ----|==a==|==b==|  hole  |==c==|==d==|-------   the arena
 */
import { NO_RECORD } from './chains.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { HandOut } from './hand-out.ts'
import { Lookup } from './lookup.ts'
import { BOOKKEEPING_BYTES, DEAD, HIT, LIVE, Records, UNTOLD } from './records.ts'

/** Entries in a row that may be put in front again before one is forgotten nevertheless. */
const SECOND_CHANCES_MAX = 64

/** No entry was found. */
export const NO_ENTRY = NO_RECORD

const NOTHING = Buffer.alloc(0)

export class Entries {
  readonly arena: Buffer
  readonly handOut: HandOut
  /** What is known of each record, by its number; that of an entry is its record's. */
  readonly log: Records
  /** Knows the numbers of what is asked for a second time, and of what was kept. */
  readonly doorkeeper: Doorkeeper
  readonly #capacity: number
  readonly #lookup: Lookup
  /** Records in the order of the log, in a ring that begins with the oldest. */
  #oldest = 0
  #records = 0
  /** Where the next record begins. */
  #head = 0
  #count = 0
  #liveBytes = 0
  #evictions = 0
  /** Whether entries have had to make room since it was empty. */
  #isFull = false

  /** `bytes`: of all, the arrays included. */
  constructor(bytes: number) {
    const capacity = Records.countIn(bytes)
    this.doorkeeper = new Doorkeeper(bytes)
    const forArrays = capacity * BOOKKEEPING_BYTES + Lookup.bytesFor(capacity)
    this.#capacity = capacity
    this.arena = Buffer.allocUnsafeSlow(bytes - forArrays - this.doorkeeper.bytes)
    this.handOut = new HandOut(this.arena)
    this.log = new Records(capacity)
    this.#lookup = new Lookup(this.log, capacity)
  }

  /** Entries that may be found. */
  get count(): number {
    return this.#count
  }

  /** Bytes of their requests and replies. */
  get liveBytes(): number {
    return this.#liveBytes
  }

  /** Entries that had to make room for others, since the beginning. */
  get evictions(): number {
    return this.#evictions
  }

  /** Whether there may be an entry of a key with this number. Hardly ever wrong. */
  mayHave(keyHash: number): boolean {
    return this.#lookup.mayHave(keyHash)
  }

  /**
   * The entry of this source for the request `bytes[start, end)`, with `head` before it, or NO_ENTRY. `identity`:
   * the request's number, by which others may go as well.
   */
  find(
    identity: number,
    source: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    head: Buffer = NOTHING,
  ): number {
    let at = this.#lookup.first(identity, source)
    while (at !== NO_RECORD) {
      const isNumbered = this.log.identities[at] === identity && this.log.sources[at] === source
      if (isNumbered && this.#isRequest(at, head, bytes, start, end)) return at
      at = this.#lookup.next(at)
    }
    return NO_ENTRY
  }

  /** The reply is `arena[replyStart(entry), replyEnd(entry))`. */
  replyStart(entry: number): number {
    return (this.log.offsets[entry] as number) + (this.log.frameLengths[entry] as number)
  }

  replyEnd(entry: number): number {
    return this.replyStart(entry) + (this.log.replyLengths[entry] as number)
  }

  /** From this moment on it must not be used. */
  expiresMs(entry: number): number {
    return this.log.expiresMs[entry] as number
  }

  identity(entry: number): number {
    return this.log.identities[entry] as number
  }

  hit(entry: number): void {
    this.log.states[entry] = LIVE | HIT | UNTOLD
  }

  /**
   * Keeps a reply. The caller has seen to it that there is no entry for this request and source, and that
   * both lengths fit into 16 bits.
   */
  put(
    identity: number,
    keyHash: number,
    source: number,
    expiresMs: number,
    frame: Uint8Array,
    reply: Uint8Array,
  ): void {
    const size = frame.length + reply.length
    if (!this.#makeRoom(size)) return
    const at = this.#append(size)
    this.arena.set(frame, this.log.offsets[at] as number)
    this.arena.set(reply, (this.log.offsets[at] as number) + frame.length)
    this.log.frameLengths[at] = frame.length
    this.log.replyLengths[at] = reply.length
    this.log.identities[at] = identity
    this.log.keyHashes[at] = keyHash
    this.log.sources[at] = source
    this.log.expiresMs[at] = expiresMs
    this.log.states[at] = LIVE
    this.#lookup.add(at)
    this.#count++
    this.#liveBytes += size
  }

  /** The number of the request whose entry makes room next, if one must that nobody has asked for again. */
  get victim(): number | undefined {
    if (!this.#isFull || this.#records === 0) return undefined
    const state = this.log.states[this.#oldest] as number
    return (state & (LIVE | HIT)) === LIVE ? this.log.identities[this.#oldest] : undefined
  }

  /**
   * Removes the entries of this source for requests with this number, unless the reply is `bytes[start, end)`
   * or there is no reply to compare with.
   */
  removeUnless(
    identity: number,
    source: number,
    bytes: Buffer | undefined,
    start: number,
    end: number,
  ): void {
    let at = this.#lookup.first(identity, source)
    while (at !== NO_RECORD) {
      const next = this.#lookup.next(at)
      if (this.log.identities[at] === identity && this.log.sources[at] === source) {
        const [from, to] = [this.replyStart(at), this.replyEnd(at)]
        if (bytes?.compare(this.arena, from, to, start, end) !== 0) this.remove(at)
      }
      at = next
    }
  }

  /** Removes all entries of the keys with this number; returns how many there were. */
  removeKey(keyHash: number): number {
    let removed = 0
    let at = this.#lookup.firstOfKey(keyHash)
    while (at !== NO_RECORD) {
      const next = this.#lookup.nextOfKey(at)
      if (this.log.keyHashes[at] === keyHash) {
        this.remove(at)
        removed++
      }
      at = next
    }
    return removed
  }

  remove(entry: number): void {
    this.#lookup.remove(entry)
    this.log.states[entry] = DEAD
    this.#count--
    this.#liveBytes -= this.log.size(entry)
    this.doorkeeper.knows(this.log.identities[entry] as number)
  }

  clear(): void {
    this.#lookup.clear()
    this.log.states.fill(DEAD)
    this.#oldest = 0
    this.#records = 0
    this.#head = 0
    this.#count = 0
    this.#liveBytes = 0
    this.#isFull = false
  }

  #isRequest(at: number, head: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.log.frameLengths[at] !== head.length + end - start) return false
    return this.handOut.holds(this.log.offsets[at] as number, head, bytes, start, end)
  }

  /** Until a record of this size fits in at the head. False: it never will. */
  #makeRoom(size: number): boolean {
    if (size > this.arena.length) return false
    let chances = SECOND_CHANCES_MAX
    for (;;) {
      if (this.#records < this.#capacity && this.#fits(size)) return true
      const isSpared = chances > 0 && ((this.log.states[this.#oldest] as number) & HIT) !== 0
      if (isSpared) {
        chances--
        this.#bringForward()
      } else {
        this.#forget()
      }
    }
  }

  /** Turns to the arena's beginning if that is where there is room. */
  #fits(size: number): boolean {
    if (this.#records === 0) {
      this.#head = 0
      return true
    }
    const hand = this.log.offsets[this.#oldest] as number
    if (this.#head <= hand) return hand - this.#head >= size
    if (this.arena.length - this.#head >= size) return true
    if (hand < size) return false
    this.#head = 0
    return true
  }

  #append(size: number): number {
    let at = this.#oldest + this.#records
    if (at >= this.#capacity) at -= this.#capacity
    this.#records++
    this.log.offsets[at] = this.#head
    this.#head += size
    return at
  }

  #forget(): void {
    if (this.log.states[this.#oldest] !== DEAD) {
      this.remove(this.#oldest)
      this.#evictions++
      this.#isFull = true
    }
    this.#dropOldest()
  }

  #dropOldest(): void {
    if (++this.#oldest === this.#capacity) this.#oldest = 0
    this.#records--
  }

  /** The oldest record becomes the newest. What it leaves is room enough for it, wherever the head is. */
  #bringForward(): void {
    const from = this.#oldest
    const size = this.log.size(from)
    const start = this.log.offsets[from] as number
    const state = this.log.states[from] as number
    this.#lookup.remove(from)
    this.#dropOldest()
    if (this.#head > start && this.arena.length - this.#head < size) this.#head = 0
    const to = this.#append(size)
    this.arena.copyWithin(this.log.offsets[to] as number, start, start + size)
    this.log.copy(from, to)
    // Both are one record if the log has no other left.
    this.log.states[from] = DEAD
    this.log.states[to] = state & ~HIT
    this.#lookup.add(to)
  }
}
