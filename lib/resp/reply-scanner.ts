/**
 * Finds where the replies of a shard end, in RESP2 and RESP3, without decoding them.
 *
 * Nesting costs one counter and no stack: Redis answers up to 7,995 levels deep, and a limit or a
 * recursion here would break a shared connection on a legal reply. The scanner holds no bytes; it
 * remembers how much of the frame under way is still to come and may be given the rest in pieces.
 */
import { REPLY_BULK_BYTES_MAX, REPLY_ELEMENTS_MAX } from '../limits.ts'
import { CR, LF, MINUS, parseInteger, ZERO } from './bytes.ts'

/**
 * Result of `scan`: the frame goes on beyond the bytes given; `position` tells how far
 * they are understood.
 */
export const MORE = -1
/** Result of `scan`: invalid RESP. The connection that sent it can no longer be trusted. */
export const MALFORMED = -2

/** What follows a frame's first byte. */
const LINE = 1
const INTEGER = 2
const NULL = 3
const BOOLEAN = 4
const BULK = 5
const AGGREGATE = 6
const MAP = 7
const ATTRIBUTE = 8

const KIND_BY_BYTE = new Uint8Array(256)
for (const [characters, kind] of [
  ['+-,(', LINE],
  [':', INTEGER],
  ['_', NULL],
  ['#', BOOLEAN],
  ['$!=', BULK],
  ['*~>', AGGREGATE],
  ['%', MAP],
  ['|', ATTRIBUTE],
] as const) {
  for (const character of characters) KIND_BY_BYTE[character.charCodeAt(0)] = kind
}

export class ReplyScanner {
  /** After MORE: `bytes[from, position)` is understood; the next call starts at what follows it. */
  position = 0

  /** Values still to come before the frame is complete; 0 between frames. */
  #values = 0
  /** Bytes of a bulk string still to come, its CRLF included. */
  #bodyBytes = 0
  /** Bytes after `position` known to hold no CR. */
  #searchedBytes = 0

  /**
   * Scans `bytes[from, to)`: the start of a frame or, after MORE, the bytes from `position` on.
   * Returns where the frame ends, MORE or MALFORMED.
   */
  scan(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    if (this.#values === 0) this.#values = 1
    for (;;) {
      if (this.#bodyBytes > 0) {
        const end = at + this.#bodyBytes
        if (end > to) return this.#scanPartOfBody(bytes, at, to)
        if (!this.#endsInCrlf(bytes, at, end)) return MALFORMED
        this.#bodyBytes = 0
        at = end
        if (--this.#values === 0) return end
      }
      const next = this.#scanHeader(bytes, at, to)
      if (next < 0) {
        if (next === MORE) this.position = at
        return next
      }
      at = next
      if (this.#values === 0) return at
    }
  }

  #scanPartOfBody(bytes: Uint8Array, at: number, to: number): number {
    const left = this.#bodyBytes - (to - at)
    // The CR is checked as soon as it is here, for it may be forwarded before the LF comes.
    if (left === 1 && bytes[to - 1] !== CR) return MALFORMED
    this.#bodyBytes = left
    this.position = to
    return MORE
  }

  #endsInCrlf(bytes: Uint8Array, at: number, end: number): boolean {
    return bytes[end - 1] === LF && (end - 2 < at || bytes[end - 2] === CR)
  }

  /** Reads one line; a line that is no bulk header completes a value. Returns where it ends. */
  #scanHeader(bytes: Uint8Array, at: number, to: number): number {
    if (at >= to) return MORE
    const kind = KIND_BY_BYTE[bytes[at] as number] as number
    if (kind === 0) return MALFORMED
    let lineEnd = at + 1 + this.#searchedBytes
    while (lineEnd < to && bytes[lineEnd] !== CR) {
      // A bare LF would end the line for another parser, so it must not stand inside one.
      if (bytes[lineEnd] === LF) return MALFORMED
      lineEnd++
    }
    if (lineEnd + 1 >= to) {
      this.#searchedBytes = lineEnd - at - 1
      return lineEnd - at > REPLY_BULK_BYTES_MAX ? MALFORMED : MORE
    }
    this.#searchedBytes = 0
    if (bytes[lineEnd + 1] !== LF) return MALFORMED
    return this.#take(kind, bytes, at + 1, lineEnd) ? lineEnd + 2 : MALFORMED
  }

  /** Accounts for the line `bytes[start, end)` after a first byte of `kind`; false: malformed. */
  #take(kind: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (kind >= BULK) return this.#takeLength(kind, bytes, start, end)
    this.#values--
    if (kind === LINE) return true
    if (kind === INTEGER) return isInteger(bytes, start, end)
    if (kind === NULL) return start === end
    return end - start === 1 && (bytes[start] === 0x74 || bytes[start] === 0x66)
  }

  #takeLength(kind: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = parseInteger(bytes, start, end)
    if (length === undefined) return false
    if (length < 0) {
      // RESP2's nulls: `$-1` and `*-1`.
      this.#values--
      return length === -1 && kind <= AGGREGATE
    }
    if (kind === BULK) {
      this.#bodyBytes = length + 2
      return length <= REPLY_BULK_BYTES_MAX
    }
    if (length > REPLY_ELEMENTS_MAX) return false
    // An attribute comes before a value and is itself no value.
    this.#values += kind === AGGREGATE ? length - 1 : kind === MAP ? 2 * length - 1 : 2 * length
    return true
  }
}

/** RESP integers are 64 bits with an optional sign; their value is not needed, only their form. */
function isInteger(bytes: Uint8Array, start: number, end: number): boolean {
  const digitsStart = bytes[start] === MINUS || bytes[start] === 0x2b ? start + 1 : start
  for (let i = digitsStart; i < end; i++) {
    const digit = (bytes[i] as number) - ZERO
    if (digit < 0 || digit > 9) return false
  }
  return end > digitsStart && end - digitsStart <= 20
}
