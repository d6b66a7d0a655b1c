/**
 * Fails the requests whose replies will not come, and counts them. Sinks may react by sending again over
 * this very connection, so its state is final before the first sink is told.
 */
import type { Failure, ShardFailures } from '../../failures.ts'
import type { Outbox } from '../../io/outbox.ts'
import { type InHand, NOT_SENT, UNANSWERED } from '../../stats/in-hand.ts'
import type { ShardStats } from '../../stats/shard-stats.ts'
import type { Fifo } from './fifo.ts'

export interface LossesOptions {
  readonly errors: ShardFailures
  readonly stats: ShardStats
  readonly inHand: InHand
}

export class Losses {
  readonly #fifo: Fifo
  readonly #outbox: Outbox
  readonly #options: LossesOptions

  constructor(fifo: Fifo, outbox: Outbox, options: LossesOptions) {
    this.#fifo = fifo
    this.#outbox = outbox
    this.#options = options
  }

  /**
   * The connection is lost, and another follows: what was not sent waits for that. `parting`: what the
   * others hear in place of the usual, which is not counted as a loss then.
   */
  failSent(parting: Failure | undefined): void {
    const { errors, stats, inHand } = this.#options
    inHand.sentMs = UNANSWERED
    const lost = parting ?? errors.lost
    const failed = this.#fifo.failSent(this.#outbox.handedBytes, lost, (position) => {
      this.#outbox.detach(position)
    })
    if (lost === errors.lost) stats.errors.lost += failed
    inHand.sentMs = NOT_SENT
  }

  /** The connection is lost, and none follows at once. */
  failAll(parting: Failure | undefined): void {
    const { errors, stats, inHand } = this.#options
    const { handedBytes } = this.#outbox
    this.#outbox.reset()
    inHand.sentMs = UNANSWERED
    const lost = parting ?? errors.lost
    const failed = this.#fifo.failAll(handedBytes, lost, errors.unavailable)
    inHand.sentMs = NOT_SENT
    if (lost === errors.lost) stats.errors.lost += failed.lost
    stats.errors.unavailable += failed.unsent
  }

  /** Fails the requests whose deadlines have passed. Their replies, if they come, are dropped. */
  expire(nowMs: number): void {
    const { errors, stats, inHand } = this.#options
    inHand.sentMs = UNANSWERED
    stats.errors.timedOut += this.#fifo.expire(nowMs, errors.timedOut)
    inHand.sentMs = NOT_SENT
  }

  /**
   * Fails requests whose deadlines have passed and that were not sent; the others go on waiting.
   */
  expireUnsent(nowMs: number): void {
    const { errors, stats } = this.#options
    stats.errors.unavailable += this.#fifo.expire(nowMs, errors.unavailable)
    this.#fifo.failSent(0, errors.unavailable, (position) => this.#outbox.detach(position))
  }
}
