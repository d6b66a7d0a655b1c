/** The part of a transaction that a leased connection has queued. */
import type { Failure } from '../../../failures.ts'
import { requestFrame } from '../../../resp/encode.ts'
import type { ShardConnection } from '../../../upstream/connection/connection.ts'
import { Collector } from '../../core/collector.ts'
import { endingOf, OwnReply } from '../../core/lease-sink.ts'
import type { Outcome, QueuedPart } from './split-exec.ts'

const EXEC = requestFrame(['EXEC'])
const DISCARD = requestFrame(['DISCARD'])

export class LeasedPart implements QueuedPart {
  readonly #lease: ShardConnection
  readonly #giveBack: (clean: boolean) => void

  /** `giveBack`: as in LeasePool. */
  constructor(lease: ShardConnection, giveBack: (clean: boolean) => void) {
    this.#lease = lease
    this.#giveBack = giveBack
  }

  exec(done: (outcome: Outcome) => void): void {
    const sink = new Collector(1, (collected) => {
      const reply = collected.frame(0)
      this.#giveBack(reply !== undefined && endingOf(reply, 0) === 'done')
      done(reply === undefined ? (collected.error as Failure) : Buffer.from(reply))
    })
    this.#lease.send(sink, 0, EXEC, 0, EXEC.length, true)
  }

  discard(): void {
    this.#lease.send(new OwnReply(this.#giveBack), 0, DISCARD, 0, DISCARD.length, true)
  }
}
