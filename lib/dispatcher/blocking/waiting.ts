/**
 * One client's wait on one shard, over a connection that it has to itself. It ends with the shard's
 * reply, with the connection, with the client, or because another client says so.
 */

import type { Session } from '../../downstream/session.ts'
import type { Failure } from '../../failures.ts'
import { CUT_SHORT_MS_MAX } from '../../limits.ts'
import { MINUS } from '../../resp/bytes.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { LeasePool } from '../../upstream/leases/lease-pool.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Blocked, Client, UnblockReason } from '../core/client.ts'
import { unblockedFrame } from './unblocked.ts'

/** The wait is being cut short. */
interface Cut {
  /** What the client gets, unless the shard has answered. */
  readonly frame: Buffer
  readonly done: (cutShort: boolean) => void
  readonly timer: NodeJS.Timeout
  /** The shard did not close in time: whether it has answered is not known. */
  isForced: boolean
}

/** Lets the client wait on another node of a cluster when its node will not answer. */
export interface WaitElsewhere {
  /**
   * The node has answered with this error. Returns a function that lets the client wait on; undefined: the error is
   * the answer.
   */
  refused(bytes: Buffer, start: number, end: number): (() => void) | undefined
  /** As `refused`, when there will be no answer. */
  failed(failure: Failure): (() => void) | undefined
  /** The client waits no more. */
  over(): void
}

export class Waiting implements ReplySink, Blocked {
  /** Where it waits, or did last. */
  shard: Shard
  readonly waits = true
  unblocked = false
  readonly #client: Client
  readonly #session: Session
  readonly #elsewhere: WaitElsewhere | undefined
  #pool: LeasePool | undefined
  #lease: ShardConnection | undefined
  readonly #tag: number
  #hasBegun = false
  #cut: Cut | undefined

  /** From now on the client's later requests wait. */
  constructor(client: Client, shard: Shard, elsewhere?: WaitElsewhere) {
    const { session } = client
    this.shard = shard
    this.#client = client
    this.#session = session
    this.#elsewhere = elsewhere
    this.#tag = session.open()
    session.untime(this.#tag)
    client.blocked = this
    session.hold(true)
  }

  /** From now on it waits there, with the next thing that is sent over `lease`. */
  blockOn(shard: Shard, pool: LeasePool, lease: ShardConnection): void {
    this.shard = shard
    this.#pool = pool
    this.#lease = lease
  }

  shardClientId(): string | undefined {
    return this.#lease?.shardClientId
  }

  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (!this.#hasBegun && bytes[start] === MINUS && this.#cut === undefined) {
      if (this.#waitOn(this.#elsewhere?.refused(bytes, start, end))) return
    }
    this.#hasBegun = true
    this.#session.reply(this.#tag, bytes, start, end, last)
    if (last) this.#end(true)
  }

  failed(_ticket: number, error: Failure): void {
    const cut = this.#cut
    const mayWaitOn = cut === undefined && !this.#hasBegun
    if (mayWaitOn && this.#waitOn(this.#elsewhere?.failed(error))) return
    this.giveUp(error)
  }

  #waitOn(wait: (() => void) | undefined): boolean {
    if (wait === undefined) return false
    this.#giveBack(false)
    wait()
    return true
  }

  /** There is nowhere to wait any more. */
  giveUp(error: Failure): void {
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
    const frame = unblockedFrame(reason, protocol)
    this.unblocked = true
    const lease = this.#lease
    if (lease === undefined) {
      this.#session.settle(this.#tag, frame)
      this.#end(false)
      done(true)
      return
    }
    const cut = {
      frame,
      done,
      timer: setTimeout(() => {
        cut.isForced = true
        lease.close()
      }, CUT_SHORT_MS_MAX),
      isForced: false,
    }
    this.#cut = cut
    lease.end()
  }

  abandon(): void {
    this.#elsewhere?.over()
    this.#giveBack(false)
  }

  #giveBack(clean: boolean): void {
    const lease = this.#lease
    this.#lease = undefined
    if (lease !== undefined) this.#pool?.giveBack(lease, clean)
  }

  #end(answered: boolean): void {
    this.#client.blocked = undefined
    this.#elsewhere?.over()
    this.#giveBack(answered && !this.unblocked)
    this.#session.release()
    if (this.#cut === undefined) return
    clearTimeout(this.#cut.timer)
    this.#cut.done(!answered)
  }
}
