/** The part of a transaction that a leased connection has queued. */
import type { Failure } from '../../../failures.ts'
import { requestFrame } from '../../../resp/encode.ts'
import type { ShardConnection } from '../../../upstream/connection/connection.ts'
import { endingOf, OwnReply } from '../../core/lease-sink.ts'
import type { ExecAccount } from '../exec/exec-replies.ts'
import type { Outcome, QueuedPart } from './split-exec.ts'

const EXEC = requestFrame(['EXEC'])
const DISCARD = requestFrame(['DISCARD'])

export class LeasedPart implements QueuedPart {
  readonly #account: ExecAccount
  readonly #lease: ShardConnection
  readonly #giveBack: (clean: boolean) => void

  /** `giveBack`: as in LeasePool. */
  constructor(account: ExecAccount, lease: ShardConnection, giveBack: (clean: boolean) => void) {
    this.#account = account
    this.#lease = lease
    this.#giveBack = giveBack
  }

  exec(done: (outcome: Outcome) => void): void {
    const sink = this.#account.collector((collected) => {
      const reply = collected.ownFrame(0)
      this.#giveBack(reply !== undefined && endingOf(reply, 0) === 'done')
      done(reply ?? (collected.error as Failure))
    })
    this.#lease.send(sink, 0, EXEC, 0, EXEC.length, true)
  }

  discard(): void {
    discardPart(this.#lease, this.#giveBack)
  }
}

export function discardPart(lease: ShardConnection, giveBack: (clean: boolean) => void): void {
  lease.send(new OwnReply(giveBack), 0, DISCARD, 0, DISCARD.length, true)
}
