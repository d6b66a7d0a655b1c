/**
 * Looks inside complete, verified reply frames, as far as merging them needs it: the kind, the
 * integer, where each element of an array begins and ends.
 */
import { CR, parseInteger } from './bytes.ts'
import { ReplyScanner } from './reply-scanner.ts'

const ERROR = 0x2d
const BULK_ERROR = 0x21
const INTEGER = 0x3a
const ARRAY = 0x2a
const SET = 0x7e
const PUSH = 0x3e

export function isError(frame: Uint8Array): boolean {
  return frame[0] === ERROR || frame[0] === BULK_ERROR
}

/** The value of an integer reply, exact to 64 bits, or undefined when it is something else. */
export function integerOf(frame: Buffer): bigint | undefined {
  if (frame[0] !== INTEGER) return undefined
  return BigInt(frame.toString('latin1', 1, frame.length - 2))
}

/** Walks over the elements of an array, set or push frame. */
export class ElementReader {
  /** Number of elements; -1 when the frame is no such aggregate (or a null). */
  readonly count: number
  /** After `next`: the element is `frame[start, end)`. */
  start: number
  end: number
  readonly #frame: Buffer
  readonly #scanner = new ReplyScanner()

  constructor(frame: Buffer) {
    this.#frame = frame
    const kind = frame[0]
    let lineEnd = 1
    while (frame[lineEnd] !== CR) lineEnd++
    const isAggregate = kind === ARRAY || kind === SET || kind === PUSH
    this.count = isAggregate ? (parseInteger(frame, 1, lineEnd) ?? -1) : -1
    this.start = lineEnd + 2
    this.end = lineEnd + 2
  }

  next(): void {
    this.start = this.end
    this.end = this.#scanner.scan(this.#frame, this.start, this.#frame.length)
  }

  /** All elements from here on, as frames. */
  rest(): Buffer[] {
    const elements: Buffer[] = []
    while (this.end < this.#frame.length) {
      this.next()
      elements.push(this.#frame.subarray(this.start, this.end))
    }
    return elements
  }
}
