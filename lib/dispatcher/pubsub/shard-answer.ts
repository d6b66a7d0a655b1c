/** A shard's answer to one SUBSCRIBE of ours. It may come in parts: the name in it is long. */

import type { Failure } from '../../failures.ts'
import { isError } from '../../resp/reply-reader.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Subscription } from './subscription.ts'

/** Who has asked a shard for a topic. One of these is called, once. */
export interface Asker {
  confirmed(subscription: Subscription): void
  /** `refused`: by the shard, whose frame `error` is. Else there was no answer, and `error` says why. */
  missed(subscription: Subscription, error: Buffer, refused: boolean): void
}

export class ShardAnswer implements ReplySink {
  readonly #asker: Asker
  readonly #subscription: Subscription
  #hasBegun = false

  constructor(asker: Asker, subscription: Subscription) {
    this.#asker = asker
    this.#subscription = subscription
  }

  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const isWhole = last && !this.#hasBegun
    this.#hasBegun = true
    if (!last) return
    // Errors are short: they come whole.
    const frame = bytes.subarray(start, end)
    if (isWhole && isError(frame)) this.#asker.missed(this.#subscription, Buffer.from(frame), true)
    else this.#asker.confirmed(this.#subscription)
  }

  failed(_ticket: number, error: Failure): void {
    this.#asker.missed(this.#subscription, error.frame, false)
  }
}
