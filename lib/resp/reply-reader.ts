/**
 * Looks inside complete, verified reply frames as far as merging needs it: the kind, the integer,
 * where each element of an array begins and ends.
 */
import { CR, DOLLAR, parseInteger, ZERO } from './bytes.ts'
import { ReplyScanner } from './reply-scanner.ts'

const ERROR = 0x2d
const BULK_ERROR = 0x21
const INTEGER = 0x3a
const ARRAY = 0x2a
const SET = 0x7e
const PUSH = 0x3e

export function isError(frame: Uint8Array): boolean {
  return isErrorKind(frame[0])
}

/** Whether a frame with this first byte is an error. */
export function isErrorKind(kind: number | undefined): boolean {
  return kind === ERROR || kind === BULK_ERROR
}

/** Whether a frame with this first byte is a list of elements; its header may still be a null's. */
export function isListKind(kind: number | undefined): boolean {
  return kind === ARRAY || kind === SET || kind === PUSH
}

/**
 * Where the element at `start` ends if it is a bulk string shorter than 100 bytes, the usual kind;
 * else 0. The frame is verified, so its header alone tells. The end of an incomplete element may
 * lie beyond `limit`.
 */
export function shortElementEnd(frame: Uint8Array, start: number, limit: number): number {
  if (frame[start] !== DOLLAR || start + 5 >= limit) return 0
  const first = (frame[start + 1] as number) - ZERO
  if (first < 0) return 0
  if (frame[start + 2] === CR) return start + first + 6
  const second = (frame[start + 2] as number) - ZERO
  return frame[start + 3] === CR ? start + 10 * first + second + 7 : 0
}

/** The value of an integer reply, exact to 64 bits, or undefined when it is something else. */
export function integerOf(frame: Buffer): bigint | undefined {
  if (frame[0] !== INTEGER) return undefined
  return BigInt(frame.toString('latin1', 1, frame.length - 2))
}

/** Walks over the elements of an array, set or push frame. */
export class ElementReader {
  /** Number of elements; -1 for a null and for a frame of another kind. */
  readonly count: number
  /** After `next`: the element is `frame[start, end)`. */
  start: number
  end: number
  readonly frame: Buffer
  readonly #scanner = new ReplyScanner()

  constructor(frame: Buffer) {
    this.frame = frame
    const kind = frame[0]
    let lineEnd = 1
    while (frame[lineEnd] !== CR) lineEnd++
    this.count = isListKind(kind) ? (parseInteger(frame, 1, lineEnd) as number) : -1
    this.start = lineEnd + 2
    this.end = lineEnd + 2
  }

  next(): void {
    this.start = this.end
    const short = shortElementEnd(this.frame, this.start, this.frame.length)
    if (short > 0) {
      this.end = short
      return
    }
    this.end = this.#scanner.scan(this.frame, this.start, this.frame.length)
  }

  /** All elements from here on, as frames. */
  rest(): Buffer[] {
    const elements: Buffer[] = []
    while (this.end < this.frame.length) {
      this.next()
      elements.push(this.frame.subarray(this.start, this.end))
    }
    return elements
  }
}
