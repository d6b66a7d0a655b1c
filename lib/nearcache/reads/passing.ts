/**
 * An MGET on its way past what is kept of its keys. Its reply may be newer than that: announcements come over
 * another connection in RESP2, and of some changes (SWAPDB) not at all. What differs must be gone before the
 * client has the reply.
 */
import type { Failure } from '../../failures.ts'
import { ASTERISK, CR, DOLLAR, parseInteger } from '../../resp/bytes.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Entries } from '../memory/entries.ts'

/** `_`, the null of RESP3, and its length. */
const NULL = 0x5f
const NULL_BYTES = 3

export class Passing implements ReplySink {
  readonly #entries: Entries
  readonly #source: number
  /** The numbers of the GETs of its keys. */
  readonly #identities: Int32Array
  readonly #sink: ReplySink
  #hasBegun = false

  /** `source`: the number of the source when it was sent. `sink` gets the reply, by the same tag. */
  constructor(entries: Entries, source: number, identities: Int32Array, sink: ReplySink) {
    this.#entries = entries
    this.#source = source
    this.#identities = identities
    this.#sink = sink
  }

  /** ReplySink */
  reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true
      this.#compare(bytes, start, last ? end : start)
    }
    this.#sink.reply(tag, bytes, start, end, last)
  }

  /** ReplySink */
  failed(tag: number, failure: Failure): void {
    this.#sink.failed(tag, failure)
  }

  /** What cannot be compared, since it has not come yet or is not as usual, is not kept either. */
  #compare(bytes: Buffer, start: number, end: number): void {
    let at = firstElement(bytes, start, end, this.#identities.length)
    for (const identity of this.#identities) {
      const next = at < 0 ? -1 : bulkEnd(bytes, at, end)
      const known = next < 0 ? undefined : bytes
      this.#entries.removeUnless(identity, this.#source, known, at, next)
      at = next
    }
  }
}

/** Where the elements of the array begin; -1 for another frame or another number of elements. */
function firstElement(bytes: Buffer, start: number, end: number, count: number): number {
  const line = bytes.indexOf(CR, start)
  if (start >= end || bytes[start] !== ASTERISK || line < 0 || line >= end) return -1
  return parseInteger(bytes, start + 1, line) === count ? line + 2 : -1
}

/** Where the bulk string or null at `start` ends, or -1. */
function bulkEnd(bytes: Buffer, start: number, end: number): number {
  if (bytes[start] === NULL) return start + NULL_BYTES
  const line = bytes.indexOf(CR, start)
  if (start >= end || bytes[start] !== DOLLAR || line < 0 || line >= end) return -1
  const length = parseInteger(bytes, start + 1, line)
  if (length === undefined) return -1
  const next = length < 0 ? line + 2 : line + 2 + length + 2
  return next <= end ? next : -1
}
