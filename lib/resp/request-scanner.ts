/**
 * Cuts complete requests out of the bytes that a client sends, however they arrive, and verifies
 * every byte of the framing, so that what is forwarded can never be read differently by a shard.
 *
 * Each byte is looked at once: a frame that is cut short keeps its place and goes on with the next
 * chunk. A frame that lies whole in its chunk is not copied. Memory follows the bytes received,
 * never a length that was only declared.
 *
 * Errors, their texts and limits are Redis's (networking.c, processMultibulkBuffer and
 * processInlineBuffer). Three checks are stricter on purpose, because a forgiving parser lets
 * requests be smuggled: the CRLF after a bulk string, the CRLF after a header, and NUL bytes in an
 * inline line.
 *
 * The framing is one state machine: its fast and its slow ways are read side by side. What a cut frame
 * is kept in (`carry.ts`) and what becomes of inline commands (`inline.ts`) is apart.
 */
import {
  ARGUMENTS_MAX,
  BULK_BYTES_MAX,
  LINE_BYTES_MAX,
  REQUEST_BYTES_MAX,
  UNAUTHENTICATED_ARGUMENTS_MAX,
  UNAUTHENTICATED_BULK_BYTES_MAX,
} from '../limits.ts'
import { ASTERISK, CR, DOLLAR, LF, parseInteger, ZERO } from './bytes.ts'
import { requestFrame } from './encode.ts'
import type { LargeBytes, LargeMemory, Request } from './request.ts'
import { Carry, LARGE_CARRY_BYTES } from './scan/carry.ts'
import { inlineWords, wordsIn } from './scan/inline.ts'

/** The rest of a frame is copied into the carry at least this many bytes at a time. */
const CARRY_STEP_BYTES = 4096

/** Offsets allocated at the start and kept later: two for each of eight arguments. */
const OFFSETS_FIRST = 2 * 8
const OFFSETS_KEPT = 2 * 1024

const EMPTY = Buffer.alloc(0)

/** What `next` found. */
export type ScanResult = 'more' | 'request' | 'error'

export class RequestScanner implements Request {
  bytes: Buffer = EMPTY
  frameStart = 0
  frameEnd = 0
  argc = 0
  offsets = new Int32Array(OFFSETS_FIRST)
  /** After 'error': Redis's text, without `-ERR `. */
  error = ''
  /** `bytes` is not shared with later reads: large arguments may be kept without copying. */
  owned = false
  /** How many requests without an argument have come. They get no reply, but count as requests. */
  emptyRequests = 0
  /** While a password is due, Redis takes small requests only. */
  authenticated = true
  /**
   * The counted memory that `bytes` lie in; `letGoMemory` is due when the request has been handled.
   */
  memory: LargeBytes | undefined
  /** After 'error': the request is larger than memory allows, and not malformed. */
  isTooLarge = false

  #chunk: Buffer = EMPTY
  #chunkAt = 0
  #chunkEnd = 0

  readonly #large: LargeMemory | undefined
  /** Bytes of an incomplete frame, from its start. */
  readonly #carry: Carry
  /** The counted memory that the chunk lies in, if the chunk is a large rest that was kept. */
  #restMemory: LargeBytes | undefined
  #cutFrames = 0

  /** Where the frame under way goes on, in the buffer that holds it. */
  #cursor = 0
  /** The line under way has no CR (inline: no LF) before this place. */
  #searched = 0
  /** Arguments still to come; -1 before the count is known. */
  #missing = -1
  /** Length of the bulk string at the cursor; -1 before its header is read. */
  #bulkBytes = -1

  /** Without `large`, buffers are the garbage collector's. */
  constructor(large?: LargeMemory) {
    this.#large = large
    this.#carry = new Carry(large)
  }

  /** Hands over `chunk[0, length)`. All of an earlier chunk must have been scanned (`next`: 'more'). */
  feed(chunk: Buffer, length: number): void {
    this.#chunk = chunk
    this.#chunkAt = 0
    this.#chunkEnd = length
  }

  /** Bytes that are still unscanned. */
  get restBytes(): number {
    return this.#chunkEnd - this.#chunkAt
  }

  /**
   * Copies what is still unscanned, so that the chunk's buffer may be used again. The copy goes to
   * `room`, which must be large enough and belongs to the scanner until `next` finds nothing more, or
   * else to a new buffer.
   */
  keepRest(room?: Buffer): void {
    if (room !== undefined) {
      const { restBytes } = this
      this.#chunk.copy(room, 0, this.#chunkAt, this.#chunkEnd)
      this.feed(room, restBytes)
      return
    }
    const rest = Buffer.from(this.#chunk.subarray(this.#chunkAt, this.#chunkEnd))
    this.feed(rest, rest.length)
  }

  /** Adds `chunk[0, length)`, copied, behind a rest that was kept. */
  feedMore(chunk: Buffer, length: number): void {
    const kept = this.#chunkEnd - this.#chunkAt
    if (this.#chunkEnd + length > this.#chunk.length) {
      const memory = this.#takeIfLarge(Math.max(kept + length, 2 * kept))
      const larger = memory?.bytes ?? Buffer.allocUnsafeSlow(Math.max(kept + length, 2 * kept))
      this.#chunk.copy(larger, 0, this.#chunkAt, this.#chunkEnd)
      this.#restMemory?.letGo()
      this.#restMemory = memory
      this.feed(larger, kept)
    }
    chunk.copy(this.#chunk, this.#chunkEnd, 0, length)
    this.#chunkEnd += length
    this.#restMemory?.fill(this.#chunkEnd)
  }

  #takeIfLarge(bytes: number): LargeBytes | undefined {
    return bytes > LARGE_CARRY_BYTES ? this.#large?.take(bytes) : undefined
  }

  /** The request has been handled. Callers that need its bytes longer have kept them. */
  letGoMemory(): void {
    this.memory?.letGo()
    this.memory = undefined
    this.bytes = EMPTY
  }

  /** Nothing more is scanned. */
  close(): void {
    this.letGoMemory()
    this.#carry.close()
    this.#letGo()
  }

  /** Bytes that the argument under way lacks, if its length is known. */
  get missingBytes(): number {
    return this.#bulkBytes < 0 ? 0 : this.#knownBytes - this.#carry.used
  }

  /**
   * Bytes that the frame under way is likely to lack: arguments whose length is unknown count as the mean of
   * the others. The one under way is among those: a MSET begins with three bytes and a megabyte.
   */
  get expectedBytes(): number {
    const isLengthKnown = this.#bulkBytes >= 0
    const known = this.argc + (isLengthKnown ? 1 : 0)
    if (known === 0) return 0
    const unknown = Math.max(0, isLengthKnown ? this.#missing - 1 : this.#missing)
    const mean = (isLengthKnown ? this.#knownBytes : this.#cursor) / known
    return this.missingBytes + Math.round(unknown * mean)
  }

  /** Bytes of the frame under way if it is large, else 0. */
  get largeBytes(): number {
    return this.#carry.largeBytes
  }

  /** Bytes held for an incomplete frame or an unscanned rest. */
  get heldBytes(): number {
    return this.#carry.used + (this.#chunkEnd - this.#chunkAt)
  }

  /** A frame has begun and is not complete. */
  get midFrame(): boolean {
    return this.#carry.used > 0
  }

  /**
   * The number of the frame under way among those that came in several pieces, from 1; 0: no such
   * frame.
   */
  get cutFrame(): number {
    return this.#carry.used > 0 ? this.#cutFrames : 0
  }

  /** Looks for the next complete request; 'request' means that this object now describes it. */
  next(): ScanResult {
    while (this.#chunkAt < this.#chunkEnd) {
      const result = this.#carry.used === 0 ? this.#fromChunk() : this.#fromCarry()
      if (result === 'request' && this.argc === 0) {
        this.emptyRequests++
        continue
      }
      if (result !== 'more') return result
    }
    this.#letGo()
    return 'more'
  }

  /** Frees large buffers that are not needed any more, so that an idle client holds little. */
  #letGo(): void {
    this.bytes = EMPTY
    this.#restMemory?.letGo()
    this.#restMemory = undefined
    this.#chunk = EMPTY
    this.#chunkAt = 0
    this.#chunkEnd = 0
    if (this.#carry.used === 0 && this.offsets.length > OFFSETS_KEPT) {
      this.offsets = new Int32Array(OFFSETS_FIRST)
    }
  }

  #fromChunk(): ScanResult {
    const start = this.#chunkAt
    this.bytes = this.#chunk
    this.owned = false
    this.frameStart = start
    this.#cursor = start
    this.#searched = start
    this.#missing = -1
    const result = this.#scan(this.#chunk, this.#chunkEnd)
    if (result === 'request') this.#chunkAt = this.#cursor
    else if (result === 'more') this.#startCarry(start)
    return result
  }

  #startCarry(start: number): void {
    this.#cutFrames++
    this.#cursor -= start
    this.#searched -= start
    const offsets = this.offsets
    for (let i = 0; i < 2 * this.argc; i++) offsets[i] = (offsets[i] as number) - start
    this.#append(this.#chunkEnd - start)
  }

  /**
   * A lower bound of the bytes of the frame under way; 0 before the length of its argument is known.
   */
  get #knownBytes(): number {
    return this.#bulkBytes < 0 ? 0 : this.#cursor + this.#bulkBytes + 2
  }

  #fromCarry(): ScanResult {
    const known = this.#bulkBytes < 0 ? this.#carry.used : this.#cursor + this.#bulkBytes
    if (this.#carry.exceedsMemory(known)) {
      this.isTooLarge = true
      return this.#tooBig()
    }
    const available = this.#chunkEnd - this.#chunkAt
    this.#append(Math.min(available, Math.max(this.missingBytes, CARRY_STEP_BYTES)))
    this.bytes = this.#carry.bytes
    this.frameStart = 0
    const result = this.#scan(this.#carry.bytes, this.#carry.used)
    if (result !== 'request') return result
    // What was copied beyond the frame's end is read again from the chunk.
    this.#chunkAt -= this.#carry.used - this.#cursor
    this.owned = this.bytes !== this.#carry.bytes || !this.#carry.isReused
    this.memory = this.#carry.end()
    // The memory ends with the request, unless it is kept.
    if (this.memory !== undefined) this.owned = false
    return 'request'
  }

  #append(length: number): void {
    this.#carry.append(this.#chunk, this.#chunkAt, length, this.#knownBytes)
    this.#chunkAt += length
  }

  /** Goes on with the frame under way in `bytes[0, limit)`. */
  #scan(bytes: Buffer, limit: number): ScanResult {
    if (this.#missing < 0) {
      this.argc = 0
      this.#bulkBytes = -1
      if (bytes[this.#cursor] !== ASTERISK) return this.#scanInline(bytes, limit)
      const result = this.#scanCount(bytes, limit)
      if (result !== 'request') return result
    }
    while (this.#missing > 0) {
      if (this.#bulkBytes < 0) {
        const result = this.#scanBulkHeader(bytes, limit)
        if (result !== 'request') return result
      }
      const start = this.#cursor
      const end = start + this.#bulkBytes
      if (end + 2 > limit)
        return end - this.frameStart > REQUEST_BYTES_MAX ? this.#tooBig() : 'more'
      if (!isCrlf(bytes, end)) {
        return this.#fail('expected CRLF after bulk string')
      }
      this.#pushArgument(start, end)
      this.#cursor = end + 2
      this.#searched = end + 2
      this.#bulkBytes = -1
      this.#missing--
    }
    this.frameEnd = this.#cursor
    this.#missing = -1
    return 'request'
  }

  #pushArgument(start: number, end: number): void {
    const at = 2 * this.argc
    if (at === this.offsets.length) {
      const larger = new Int32Array(2 * at)
      larger.set(this.offsets)
      this.offsets = larger
    }
    this.offsets[at] = start
    this.offsets[at + 1] = end
    this.argc++
  }

  /** `*<count>\r\n`; 'request' means that the count was read. */
  #scanCount(bytes: Buffer, limit: number): ScanResult {
    const at = this.#cursor
    // Fast path for the usual header, one digit and complete, without a search or a call.
    if (at + 3 < limit && bytes[at + 2] === CR && bytes[at + 3] === LF) {
      const count = (bytes[at + 1] as number) - ZERO
      if (count >= 0 && count <= 9) {
        this.#missing = count
        this.#cursor = at + 4
        this.#searched = at + 4
        return 'request'
      }
    }
    return this.#scanAnyCount(bytes, limit)
  }

  #scanAnyCount(bytes: Buffer, limit: number): ScanResult {
    const lineEnd = this.#findLineEnd(bytes, limit)
    if (this.#lineTooLong) return this.#fail('too big mbulk count string')
    if (lineEnd < 0) return 'more'
    const count = parseInteger(bytes, this.#cursor + 1, lineEnd)
    if (count === undefined || count > ARGUMENTS_MAX || !isCrlf(bytes, lineEnd)) {
      return this.#fail('invalid multibulk length')
    }
    if (!this.authenticated && count > UNAUTHENTICATED_ARGUMENTS_MAX) {
      return this.#fail('unauthenticated multibulk length')
    }
    // `*0` and negative counts are empty requests: no reply, the connection stays open.
    this.#missing = Math.max(count, 0)
    this.#cursor = lineEnd + 2
    this.#searched = lineEnd + 2
    return 'request'
  }

  /** `$<length>\r\n`; 'request' means that the length was read. */
  #scanBulkHeader(bytes: Buffer, limit: number): ScanResult {
    const at = this.#cursor
    if (at >= limit) return 'more'
    // Fast path for the usual header, one or two digits and complete, without a search or a call.
    if (bytes[at] === DOLLAR && at + 4 < limit) {
      const first = (bytes[at + 1] as number) - ZERO
      if (first >= 0 && first <= 9) {
        if (bytes[at + 2] === CR && bytes[at + 3] === LF) {
          this.#bulkBytes = first
          this.#cursor = at + 4
          return 'request'
        }
        const second = (bytes[at + 2] as number) - ZERO
        if (
          first > 0 &&
          second >= 0 &&
          second <= 9 &&
          bytes[at + 3] === CR &&
          bytes[at + 4] === LF
        ) {
          this.#bulkBytes = 10 * first + second
          this.#cursor = at + 5
          return 'request'
        }
      }
    }
    return this.#scanAnyBulkHeader(bytes, limit)
  }

  #scanAnyBulkHeader(bytes: Buffer, limit: number): ScanResult {
    const lineEnd = this.#findLineEnd(bytes, limit)
    if (this.#lineTooLong) return this.#fail('too big bulk count string')
    if (lineEnd < 0) return 'more'
    const at = this.#cursor
    if (bytes[at] !== DOLLAR) {
      return this.#fail(`expected '$', got '${String.fromCharCode(bytes[at] as number)}'`)
    }
    const length = parseInteger(bytes, at + 1, lineEnd)
    if (length === undefined || length < 0 || length > BULK_BYTES_MAX || !isCrlf(bytes, lineEnd)) {
      return this.#fail('invalid bulk length')
    }
    if (!this.authenticated && length > UNAUTHENTICATED_BULK_BYTES_MAX) {
      return this.#fail('unauthenticated bulk length')
    }
    this.#bulkBytes = length
    this.#cursor = lineEnd + 2
    return 'request'
  }

  /**
   * Where the line at the cursor ends: its CR, once the byte after that is there too, or a bare LF,
   * which the caller refuses (to wait for a CR behind it would swallow what follows); else -1.
   */
  #findLineEnd(bytes: Buffer, limit: number): number {
    let at = this.#searched
    while (at < limit && bytes[at] !== CR && bytes[at] !== LF) at++
    this.#searched = at
    return at + 1 < limit || (at < limit && bytes[at] === LF) ? at : -1
  }

  /** Only the line's length decides, however the line was cut: equal bytes give equal errors. */
  get #lineTooLong(): boolean {
    return this.#searched - this.#cursor > LINE_BYTES_MAX
  }

  #scanInline(bytes: Buffer, limit: number): ScanResult {
    const lineEnd = bytes.subarray(0, limit).indexOf(LF, this.#searched)
    const lineBytes = (lineEnd < 0 ? limit : lineEnd) - this.#cursor
    if (lineBytes > LINE_BYTES_MAX) return this.#fail('too big inline request')
    if (lineEnd < 0) {
      this.#searched = limit
      return 'more'
    }
    const words = inlineWords(bytes.subarray(this.#cursor, lineEnd))
    if (typeof words === 'string') return this.#fail(words)
    this.#cursor = lineEnd + 1
    this.#describeWords(words)
    return 'request'
  }

  /** Puts an inline command into canonical form and describes that. */
  #describeWords(words: Buffer[]): void {
    const frame = requestFrame(words)
    this.bytes = frame
    this.owned = true
    this.frameStart = 0
    this.frameEnd = frame.length
    for (const { start, end } of wordsIn(words)) this.#pushArgument(start, end)
  }

  #tooBig(): ScanResult {
    return this.#fail('too big request')
  }

  #fail(error: string): ScanResult {
    this.error = `Protocol error: ${error}`
    return 'error'
  }
}

function isCrlf(bytes: Buffer, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF
}
