/**
 * What shards answer to EXEC where that must be whole before the client can have its answer: of a
 * transaction that is split or has commands of ours in it, or on a slot of a cluster. Bounded, for all clients
 * together.
 */
import { EXEC_OVERLOADED, type Failure } from '../../../failures.ts'
import { EXEC_REPLIES_BYTES_MAX } from '../../../limits.ts'
import { type Budget, Collector, type Finish } from '../../core/collector.ts'

/** What all transactions hold. */
export class ExecReplies {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax = EXEC_REPLIES_BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  /** Of one transaction. */
  open(): ExecAccount {
    return new ExecAccount(this)
  }

  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false
    this.#bytes += bytes
    return true
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }
}

/** Must be closed when the client has its answer. */
export class ExecAccount implements Budget {
  readonly #all: ExecReplies
  #bytes = 0

  constructor(all: ExecReplies) {
    this.#all = all
  }

  /** Collects one shard's answer. When there is no room for it, it has failed. */
  collector(finish: Finish): Collector {
    return new Collector(1, finish, this)
  }

  /** Budget */
  take(bytes: number): Failure | undefined {
    if (!this.#all.take(bytes)) return EXEC_OVERLOADED
    this.#bytes += bytes
    return undefined
  }

  /** Budget: one answer is whole, and is held until the others are. */
  release(): void {}

  close(): void {
    this.#all.release(this.#bytes)
    this.#bytes = 0
  }
}
