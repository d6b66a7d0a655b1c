/**
 * The part of a transaction that is queued at its shard: MULTI goes ahead of what has been kept for it. Where
 * it is not known whether the shard lets us use MULTI, and where a script has to be on the shard first, the
 * client's next request waits.
 */
import { requestFrame } from '../../resp/encode.ts'
import type { LeasePool } from '../../upstream/leases/lease-pool.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Script } from '../scripts/script-cache.ts'
import type { Transaction } from './transaction.ts'

const MULTI = requestFrame(['MULTI'])

export class ShardQueue {
  readonly #transaction: Transaction
  /** The shard's answer to MULTI has to be waited for. */
  #isTrying = false
  #refusal: Buffer | undefined
  #unqueued = false
  /** Scripts on their way to the shard. */
  #loading = 0

  constructor(transaction: Transaction) {
    this.#transaction = transaction
  }

  /** The next command, or EXEC, may be sent; else the client waits, and is released when it may. */
  get isReady(): boolean {
    return this.#loading === 0 && !this.#isTrying
  }

  /** The shard's error, when it does not let us use MULTI; then nothing has been sent behind it. */
  get refusal(): Buffer | undefined {
    return this.#refusal
  }

  /** MULTI, which used to work there, was refused: what was sent behind it has been executed. */
  get isUnqueued(): boolean {
    return this.#unqueued
  }

  /** Sends MULTI and the early commands over the lease, which has just been taken. */
  open(): void {
    const pool = this.#transaction.lease.pool as LeasePool
    if (!pool.takesMulti) {
      this.#tryMulti(pool)
      return
    }
    this.add(MULTI, (succeeded) => {
      if (succeeded) return
      pool.takesMulti = false
      this.#unqueued = true
    })
    this.#sendEarly()
  }

  /**
   * The first time in this lane. Behind a MULTI that the shard refuses, the commands would be executed
   * one by one: they wait until it has been taken.
   */
  #tryMulti(pool: LeasePool): void {
    const { client, lease } = this.#transaction
    this.#isTrying = true
    client.session.hold()
    this.add(MULTI, (succeeded, error) => {
      this.#isTrying = false
      pool.takesMulti = succeeded
      if (succeeded) {
        this.#sendEarly()
      } else {
        this.#refusal = error
        lease.part()(error !== undefined)
      }
      if (this.#loading === 0) client.session.release()
    })
  }

  #sendEarly(): void {
    const { kept } = this.#transaction
    for (const { frame, script } of kept.early) {
      if (script !== undefined) this.load(script)
      this.add(frame)
    }
    kept.early = []
  }

  /** SCRIPT LOAD would be queued as well: it goes over the shared connection, and is over before EXEC. */
  load(script: Script): void {
    const { client, lease } = this.#transaction
    const { scripts } = this.#transaction.options
    const { session, lane } = client
    const shared = (lease.shard as Shard).connectionFor(lane, session.id)
    if (script.isLoaded(shared)) return
    this.#loading++
    session.hold()
    scripts.load(shared, script, () => {
      if (--this.#loading === 0) session.release()
    })
  }

  /** Queues a command of ours, whose reply is not for the client. */
  add(frame: Buffer, done?: (succeeded: boolean, error?: Buffer) => void): void {
    this.#transaction.lease.sendOwn(frame, (succeeded, error) => {
      if (!succeeded) this.#transaction.failed = true
      done?.(succeeded, error)
    })
  }
}
