/**
 * Collects the shards' replies to the fragments of one command and answers once: with the merged
 * reply when all have come, with one error when any failed.
 */
import type { ReplySink, ShardError } from '../../upstream/reply-sink.ts'

/** Who asked: a session, or anything else that takes one reply per tag. It copies what it keeps. */
export interface ReplyTarget {
  reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): void
}

/**
 * The merged reply, or undefined when the shards' replies do not fit together. It may lie in a
 * buffer that is used again: it is valid until the next merge.
 */
export type Finish = (replies: readonly Buffer[]) => Buffer | undefined

export const UNEXPECTED = Buffer.from(
  '-ERR ambassador: shards gave unexpected replies (may have executed)\r\n',
)

export class FanOut implements ReplySink {
  readonly #target: ReplyTarget
  readonly #tag: number
  readonly #readonly: boolean
  readonly #finish: Finish
  readonly #replies: Buffer[]
  /** Earlier parts of replies that come in parts. */
  #parts: Map<number, Buffer[]> | undefined
  #missing: number
  #failed = 0
  #error: ShardError | undefined

  /** `fragments`: how many replies will come, tagged from 0. `readonly`: the command changes nothing. */
  constructor(
    target: ReplyTarget,
    tag: number,
    fragments: number,
    readonly: boolean,
    finish: Finish,
  ) {
    this.#target = target
    this.#tag = tag
    this.#readonly = readonly
    this.#finish = finish
    this.#replies = new Array(fragments)
    this.#missing = fragments
  }

  reply(fragment: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const parts = this.#parts?.get(fragment)
    // The last reply to come is merged from where it lies; the others wait in a copy.
    const merging = last && this.#missing === 1
    const view = bytes.subarray(start, end)
    const piece = merging ? view : Buffer.from(view)
    if (last) {
      this.#replies[fragment] = parts === undefined ? piece : Buffer.concat([...parts, piece])
      this.#settle()
    } else if (parts === undefined) {
      this.#parts ??= new Map()
      this.#parts.set(fragment, [piece])
    } else {
      parts.push(piece)
    }
  }

  failed(_fragment: number, error: ShardError): void {
    this.#failed++
    // Of several errors the one that admits more is the honest one.
    if (this.#error === undefined || error.maybeExecuted) this.#error = error
    this.#settle()
  }

  /** Waits for the others even after a failure: the client must not overtake its own command. */
  #settle(): void {
    if (--this.#missing > 0) return
    const frame =
      this.#error === undefined
        ? this.#merge()
        : failureFrame(this.#error, this.#failed, this.#replies.length, this.#readonly)
    this.#target.reply(this.#tag, frame, 0, frame.length, true)
  }

  #merge(): Buffer {
    return this.#finish(this.#replies) ?? UNEXPECTED
  }
}

/** What the client hears of a command of which `failed` of `fragments` parts got no reply. */
export function failureFrame(
  error: ShardError,
  failed: number,
  fragments: number,
  isReadonly: boolean,
): Buffer {
  if (isReadonly || error.maybeExecuted || failed === fragments) return error.frame
  // This shard was not reached, but the others have done their part of a write.
  return Buffer.from(
    error.frame.toString('latin1').replace('(not sent)', '(may have executed)'),
    'latin1',
  )
}
