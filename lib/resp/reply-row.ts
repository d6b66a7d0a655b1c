/**
 * Replies of the most usual kind in a row: arrays of one element that is a short string or null, as MGET of one key
 * has them. They are verified here, many at a time, at a fraction of what the scanner of all replies costs.
 */
import { ASTERISK, CR, DOLLAR, LF, MINUS, ZERO } from './bytes.ts'

const ONE = 0x31
const NULL = 0x5f

/** `*1` and its line end. */
const HEADER_BYTES = 4
const DIGITS_MAX = 3

/** A reply of a row has fewer bytes. */
export const ROW_REPLY_BYTES_MAX = 1024

export class ReplyRow {
  /** After `scan`: how many replies there were. */
  count = 0

  /** Returns where the row at `bytes[start]` ends, of `countMax` whole replies before `limit` at most. */
  scan(bytes: Uint8Array, start: number, limit: number, countMax: number): number {
    let at = start
    let count = 0
    while (count < countMax) {
      const end = endOfReply(bytes, at, limit)
      if (end === 0) break
      at = end
      count++
    }
    this.count = count
    return at
  }
}

/** 0: it is of another kind, or does not end before `limit`. */
function endOfReply(bytes: Uint8Array, at: number, limit: number): number {
  // The shortest one.
  if (at + HEADER_BYTES + 3 > limit) return 0
  const isOne = bytes[at] === ASTERISK && bytes[at + 1] === ONE && isCrlf(bytes, at + 2)
  if (!isOne) return 0
  const start = at + HEADER_BYTES
  if (bytes[start] === NULL) return isCrlf(bytes, start + 1) ? start + 3 : 0
  if (bytes[start] !== DOLLAR || start + 5 > limit) return 0
  if (bytes[start + 1] === MINUS) {
    return bytes[start + 2] === ONE && isCrlf(bytes, start + 3) ? start + 5 : 0
  }
  return endOfString(bytes, start + 1, limit)
}

/** Of a string whose length is at `at`. */
function endOfString(bytes: Uint8Array, at: number, limit: number): number {
  let length = 0
  let lineEnd = at
  while (lineEnd < at + DIGITS_MAX) {
    const digit = (bytes[lineEnd] as number) - ZERO
    if (digit < 0 || digit > 9) break
    length = 10 * length + digit
    lineEnd++
  }
  const isCanonical = lineEnd === at + 1 || (lineEnd > at && bytes[at] !== ZERO)
  const end = lineEnd + 2 + length + 2
  if (!isCanonical || end > limit) return 0
  return isCrlf(bytes, lineEnd) && isCrlf(bytes, end - 2) ? end : 0
}

function isCrlf(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF
}

/** Where the element at `bytes[at]` ends: that of the reply at `bytes[at - 4]`, which is one of a row. */
export function endOfRowElement(bytes: Uint8Array, at: number): number {
  if (bytes[at] === NULL) return at + 3
  if (bytes[at + 1] === MINUS) return at + 5
  let length = 0
  let lineEnd = at + 1
  while (bytes[lineEnd] !== CR) {
    length = 10 * length + (bytes[lineEnd] as number) - ZERO
    lineEnd++
  }
  return lineEnd + 2 + length + 2
}
