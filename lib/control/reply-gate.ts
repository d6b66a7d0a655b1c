/**
 * Protects the decoder of a client that we did not write. Only whole, verified RESP2 replies of bounded size pass,
 * one for each question, and messages to patterns where they were asked for. ioredis (6.0.0) throws where nobody can
 * catch it, and so ends the process, when it gets an unasked null or a push without a text; it keeps bytes without a
 * bound until a reply is complete; and it decodes by recursion.
 */
import { CONTROL_REPLY_BYTES_MAX, CONTROL_REPLY_DEPTH_MAX } from '../limits.ts'
import { CR, DOLLAR, MINUS, ZERO } from '../resp/bytes.ts'
import { MALFORMED, MORE, ReplyScanner } from '../resp/reply-scanner.ts'

const ARRAY = 0x2a

/** `+`, `-`, `:`, `$` and `*`. */
const KINDS: ReadonlySet<number | undefined> = new Set([0x2b, 0x2d, 0x3a, DOLLAR, ARRAY])

const EMPTY = Buffer.alloc(0)

/** In place of a reply that is read elsewhere. */
const TAKEN = Buffer.from('+OK\r\n')

export interface ReplyGateOptions {
  /** Messages to subscribed patterns pass, too. */
  readonly messages?: boolean
  /** Replies that are owed at this moment. */
  readonly owed: () => number
  /** Takes one reply. */
  readonly pass: (frame: Buffer) => void
  /** Whether it takes a whole reply, of any kind and depth, itself. Then `TAKEN` passes in its place. */
  readonly take?: (frame: Buffer) => boolean
  /** Called once; nothing passes any more. */
  readonly refuse: (error: Error) => void
}

export class ReplyGate {
  readonly #options: ReplyGateOptions
  readonly #scanner = new ReplyScanner()
  /** The part of the current reply that the scanner has understood. */
  #parts: Buffer[] = []
  #partBytes = 0
  /** The start of a line. */
  #rest: Buffer = EMPTY
  #refused = false

  constructor(options: ReplyGateOptions) {
    this.#options = options
  }

  take(chunk: Buffer): void {
    if (this.#refused) return
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = EMPTY
    for (let at = 0; at < bytes.length && !this.#refused; ) {
      const end = this.#scanner.scan(bytes, at, bytes.length)
      if (end === MALFORMED) {
        this.#refuse('this is no RESP')
      } else if (end === MORE) {
        this.#keep(bytes.subarray(at, this.#scanner.position))
        this.#rest = bytes.subarray(this.#scanner.position)
        if (this.#partBytes + this.#rest.length > CONTROL_REPLY_BYTES_MAX) {
          this.#refuse('the reply is too long')
        }
        return
      } else {
        this.#keep(bytes.subarray(at, end))
        this.#deliver()
        at = end
      }
    }
  }

  #keep(part: Buffer): void {
    this.#parts.push(part)
    this.#partBytes += part.length
  }

  #deliver(): void {
    const frame = Buffer.concat(this.#parts)
    this.#parts = []
    this.#partBytes = 0
    if (this.#options.messages === true && isMessage(frame)) this.#options.pass(frame)
    else if (this.#options.owed() === 0) this.#refuse('a reply to nothing')
    else if (this.#options.take?.(frame) === true) this.#options.pass(TAKEN)
    else if (!isPlain(frame)) this.#refuse('the reply is not RESP2, or nests too deep')
    else this.#options.pass(frame)
  }

  #refuse(why: string): void {
    this.#refused = true
    this.#parts = []
    this.#rest = EMPTY
    this.#options.refuse(new Error(`Protocol error: ${why}`))
  }
}

/** Whether a complete, verified frame has RESP2's kinds only, and nests no deeper than replies of Redis. */
function isPlain(frame: Buffer): boolean {
  /** Values to come, by level. */
  const left: number[] = []
  for (let at = 0; at < frame.length; ) {
    const kind = frame[at]
    if (!KINDS.has(kind)) return false
    // Replies may have hundreds of thousands of lines: no text is made of them.
    const isCounted = kind === DOLLAR || kind === ARRAY
    const length = isCounted ? lengthAt(frame, at + 1) : 0
    at = frame.indexOf(CR, at) + 2
    if (kind === DOLLAR && length >= 0) at += length + 2
    if (kind === ARRAY && length > 0) {
      left.push(length)
      if (left.length > CONTROL_REPLY_DEPTH_MAX) return false
      continue
    }
    while (left.length > 0 && --(left[left.length - 1] as number) === 0) left.pop()
  }
  return true
}

/** The number before the next CR of a verified frame; -1 for any below 0. */
function lengthAt(frame: Buffer, start: number): number {
  if (frame[start] === MINUS) return -1
  let length = 0
  for (let at = start; frame[at] !== CR; at++) length = length * 10 + (frame[at] as number) - ZERO
  return length
}

const MESSAGE_START = Buffer.from('*4\r\n$8\r\npmessage\r\n')

/** Whether a complete, verified frame is `pmessage`, a pattern, a channel and a text, without nulls. */
function isMessage(frame: Buffer): boolean {
  // A frame may be shorter, and `compare` throws over bounds that it has not.
  if (!frame.subarray(0, MESSAGE_START.length).equals(MESSAGE_START)) return false
  let at = MESSAGE_START.length
  for (let texts = 0; texts < 3; texts++) {
    if (frame[at] !== DOLLAR) return false
    const lineEnd = frame.indexOf(CR, at)
    const length = Number(frame.toString('latin1', at + 1, lineEnd))
    if (length < 0) return false
    at = lineEnd + 2 + length + 2
  }
  return at === frame.length
}
