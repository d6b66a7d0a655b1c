/**
 * One client's wait on one shard, over a connection that it has to itself. It ends with the shard's
 * reply, with the connection, with the client, or because another client says so.
 */

import type { Session } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import type { Failure } from '../../failures.ts'
import { CUT_SHORT_MS_MAX } from '../../limits.ts'
import { nullArrayFrame } from '../../resp/encode.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { LeasePool } from '../../upstream/leases/lease-pool.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Blocked, Client, UnblockReason } from '../core/client.ts'

/** Redis's own words. */
const UNBLOCKED = errorFrame('UNBLOCKED client unblocked via CLIENT UNBLOCK')

/** The wait is being cut short. */
interface Cut {
  /** What the client gets, unless the shard has answered. */
  readonly frame: Buffer
  readonly done: (cutShort: boolean) => void
  readonly timer: NodeJS.Timeout
  /** The shard did not close in time: whether it has answered is not known. */
  isForced: boolean
}

export class Waiting implements ReplySink, Blocked {
  readonly shard: Shard
  unblocked = false
  readonly #client: Client
  readonly #session: Session
  readonly #pool: LeasePool
  readonly #lease: ShardConnection
  readonly #tag: number
  #hasBegun = false
  #cut: Cut | undefined

  /** From now on the client's later requests wait. */
  constructor(client: Client, shard: Shard, pool: LeasePool, lease: ShardConnection) {
    const { session } = client
    this.shard = shard
    this.#client = client
    this.#session = session
    this.#pool = pool
    this.#lease = lease
    this.#tag = session.open()
    session.untime(this.#tag)
    client.blocked = this
    session.hold(true)
  }

  shardClientId(): string | undefined {
    return this.#lease.shardClientId
  }

  reply(_tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#hasBegun = true
    this.#session.reply(this.#tag, bytes, start, end, last)
    if (last) this.#end(true)
  }

  failed(_tag: number, error: Failure): void {
    const cut = this.#cut
    if (cut === undefined || cut.isForced || this.#hasBegun) this.#session.failed(this.#tag, error)
    else this.#session.settle(this.#tag, cut.frame)
    this.#end(false)
  }

  /**
   * Blocked. Our FIN tells the shard that nobody waits any more. What it has answered before that
   * comes before its own FIN.
   */
  cutShort(reason: UnblockReason, done: (cutShort: boolean) => void): void {
    if (this.#cut !== undefined) {
      done(false)
      return
    }
    const { protocol } = this.#client.lane
    this.unblocked = true
    const cut = {
      frame: reason === 'ERROR' ? UNBLOCKED : nullArrayFrame(protocol),
      done,
      timer: setTimeout(() => {
        cut.isForced = true
        this.#lease.close()
      }, CUT_SHORT_MS_MAX),
      isForced: false,
    }
    this.#cut = cut
    this.#lease.end()
  }

  abandon(): void {
    this.#pool.giveBack(this.#lease, false)
  }

  #end(answered: boolean): void {
    this.#client.blocked = undefined
    this.#pool.giveBack(this.#lease, answered && !this.unblocked)
    this.#session.release()
    if (this.#cut === undefined) return
    clearTimeout(this.#cut.timer)
    this.#cut.done(!answered)
  }
}
