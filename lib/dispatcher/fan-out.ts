/**
 * Collects the shards' replies to the fragments of one command and answers once: with the merged
 * reply when all have come, with one error when any failed.
 */
import type { ReplySink, ShardError } from '../upstream/reply-sink.ts'

/** Who asked: a session, or anything else that takes one reply per tag. */
export interface ReplyTarget {
  replyFrame(tag: number, frame: Buffer): void
}

/** The merged reply, or undefined when the shards' replies do not fit together. */
export type Finish = (replies: readonly Buffer[]) => Buffer | undefined

const UNEXPECTED = Buffer.from('-ERR ambassador: shards gave unexpected replies (may have executed)\r\n')

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
  constructor(target: ReplyTarget, tag: number, fragments: number, readonly: boolean, finish: Finish) {
    this.#target = target
    this.#tag = tag
    this.#readonly = readonly
    this.#finish = finish
    this.#replies = new Array(fragments)
    this.#missing = fragments
  }

  reply(fragment: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const piece = Buffer.allocUnsafeSlow(end - start)
    bytes.copy(piece, 0, start, end)
    const parts = this.#parts?.get(fragment)
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
    this.#target.replyFrame(this.#tag, this.#error === undefined ? this.#merge() : this.#failure(this.#error))
  }

  #merge(): Buffer {
    return this.#finish(this.#replies) ?? UNEXPECTED
  }

  #failure(error: ShardError): Buffer {
    const othersAnswered = this.#failed < this.#replies.length
    if (this.#readonly || error.maybeExecuted || !othersAnswered) return error.frame
    // This shard was not reached, but the others have done their part of a write.
    return Buffer.from(error.frame.toString('latin1').replace('(not sent)', '(may have executed)'), 'latin1')
  }
}
