/**
 * Collects the shards' replies to the fragments of a command whose reply has one element for each
 * key (MGET), and answers once: with the elements in the order of the keys, or with one error. The
 * replies wait in lent chunks, and the merged one is never whole anywhere but on its way out.
 */
import { type Piece, shelve, unshelve } from '../../io/shelf.ts'
import { interleave, type MergedOutput } from '../../routing/merge/interleave.ts'
import type { ReplySink, ShardError } from '../../upstream/reply-sink.ts'
import { failureFrame, UNEXPECTED } from './fan-out.ts'

export class SplitRead implements ReplySink {
  readonly #target: MergedOutput
  readonly #tag: number
  readonly #owners: Int32Array
  readonly #readonly: boolean
  readonly #replies: Piece[][] = []
  #missing: number
  #failed = 0
  #error: ShardError | undefined

  /** `owners[i]`: which of the `fragments`, tagged from 0, has key i. */
  constructor(
    target: MergedOutput,
    tag: number,
    owners: Int32Array,
    fragments: number,
    isReadonly: boolean,
  ) {
    this.#target = target
    this.#tag = tag
    this.#owners = owners
    this.#readonly = isReadonly
    for (let i = 0; i < fragments; i++) this.#replies.push([])
    this.#missing = fragments
  }

  reply(fragment: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#replies[fragment]?.push(shelve(bytes, start, end))
    if (last) this.#settle()
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
    if (this.#error !== undefined) {
      const { length } = this.#replies
      this.#answer(failureFrame(this.#error, this.#failed, length, this.#readonly))
    } else if (!interleave(this.#replies, this.#owners, this.#target, this.#tag)) {
      this.#answer(UNEXPECTED)
    }
    for (const pieces of this.#replies) for (const piece of pieces) unshelve(piece)
  }

  #answer(frame: Buffer): void {
    this.#target.reply(this.#tag, frame, 0, frame.length, true)
  }
}
