/**
 * Turns the byte stream of a shard into replies. A frame that lies whole in what was read is passed
 * on from there; one that is cut waits until it is complete; a large one is passed on in parts, so
 * that a value of 500 MB never lies here as a whole.
 */
import { REPLY_PART_BYTES } from '../../limits.ts'
import { MALFORMED, MORE, ReplyScanner } from '../../resp/reply-scanner.ts'

/** Bytes of (part of) a reply. Returns false to stop cutting for good. */
export type ReplyHandler = (bytes: Buffer, start: number, end: number, last: boolean) => boolean

/** Takes what it likes of the replies that begin at `bytes[at]`, whole ones. Returns where they end, or `at`. */
export type RowHandler = (bytes: Buffer, at: number, limit: number) => number

/** A cut frame is copied into the carry at least this many bytes at a time. */
const CARRY_STEP_BYTES = 4096

const EMPTY = Buffer.alloc(0)

/** RESP3 push frames come unasked, between replies, and answer nothing. */
const PUSH = 0x3e
const ARRAY = 0x2a

export class ReplyCutter {
  readonly #onReply: ReplyHandler
  readonly #onPush: ReplyHandler
  readonly #pushesAsArrays: boolean
  #scanner = new ReplyScanner()
  #carry: Buffer = EMPTY
  #carryUsed = 0
  /** How much of the carry the scanner has understood. */
  #carryScanned = 0
  /** Parts of the frame under way have been passed on. */
  #inParts = false
  #push = false
  /** Is asked first, wherever a reply begins. */
  onRow: RowHandler | undefined

  /** `pushesAsArrays`: pushes are passed on as what they are in RESP2; their first byte is changed. */
  constructor(onReply: ReplyHandler, onPush: ReplyHandler = () => true, pushesAsArrays = false) {
    this.#onReply = onReply
    this.#onPush = onPush
    this.#pushesAsArrays = pushesAsArrays
  }

  /** Forgets a frame under way. */
  reset(): void {
    this.#scanner = new ReplyScanner()
    this.#carry = EMPTY
    this.#carryUsed = 0
    this.#carryScanned = 0
    this.#inParts = false
  }

  /** Takes the next bytes of the stream; false: they are malformed. */
  take(buffer: Buffer, length: number): boolean {
    let at = 0
    while (at < length) {
      const next =
        this.#carryUsed > 0 ? this.#cutCarry(buffer, at, length) : this.#cut(buffer, at, length)
      if (next < 0) return next !== MALFORMED
      at = next
    }
    return true
  }

  /** Returns where to go on, MALFORMED, or MORE to stop. */
  #cut(buffer: Buffer, at: number, length: number): number {
    if (!this.#inParts) {
      const rowEnd = this.onRow === undefined ? at : this.onRow(buffer, at, length)
      if (rowEnd > at) return rowEnd
      this.#push = buffer[at] === PUSH
      if (this.#push && this.#pushesAsArrays) buffer[at] = ARRAY
    }
    const end = this.#scanner.scan(buffer, at, length)
    if (end >= 0) return this.#pass(buffer, at, end, true) ? end : MORE
    if (end === MALFORMED) return MALFORMED
    const understood = this.#scanner.position
    if (!this.#inParts && understood - at < REPLY_PART_BYTES / 2) {
      this.#keep(buffer, at, length)
      this.#carryScanned = understood - at
      return length
    }
    if (understood > at && !this.#pass(buffer, at, understood, false)) return MORE
    this.#keep(buffer, understood, length)
    this.#carryScanned = 0
    return length
  }

  /** As `#cut`, for a frame whose beginning lies in the carry. */
  #cutCarry(buffer: Buffer, at: number, length: number): number {
    const step = Math.min(length - at, CARRY_STEP_BYTES)
    this.#keep(buffer, at, at + step)
    const end = this.#scanner.scan(this.#carry, this.#carryScanned, this.#carryUsed)
    if (end === MALFORMED) return MALFORMED
    if (end >= 0) {
      const beyond = this.#carryUsed - end
      this.#carryUsed = 0
      const goOn = this.#pass(this.#carry, 0, end, true)
      if (this.#carry.length > REPLY_PART_BYTES) this.#carry = EMPTY
      return goOn ? at + step - beyond : MORE
    }
    this.#carryScanned = this.#scanner.position
    const passes = this.#inParts || this.#carryScanned >= REPLY_PART_BYTES
    // Of a long line nothing is understood before its end, and nothing need move meanwhile.
    if (passes && this.#carryScanned > 0) {
      if (!this.#pass(this.#carry, 0, this.#carryScanned, false)) return MORE
      this.#carry.copyWithin(0, this.#carryScanned, this.#carryUsed)
      this.#carryUsed -= this.#carryScanned
      this.#carryScanned = 0
    }
    return at + step
  }

  #pass(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    this.#inParts = !last
    return this.#push
      ? this.#onPush(bytes, start, end, last)
      : this.#onReply(bytes, start, end, last)
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    const needed = this.#carryUsed + (end - start)
    if (needed > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.max(needed, 2 * this.#carry.length, CARRY_STEP_BYTES),
      )
      this.#carry.copy(larger, 0, 0, this.#carryUsed)
      this.#carry = larger
    }
    buffer.copy(this.#carry, this.#carryUsed, start, end)
    this.#carryUsed = needed
  }
}
