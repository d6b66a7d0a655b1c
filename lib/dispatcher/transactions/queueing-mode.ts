/**
 * The mode of a client between MULTI and EXEC: its commands are queued, by their shard or here. Where places
 * stay where they are, shards queue them as they come; where places move they are kept until EXEC.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { errorFrame } from '../../errors.ts'
import { OVERLOADED } from '../../failures.ts'
import { KeptRequest } from '../../resp/kept-request.ts'
import type { Client } from '../core/client.ts'
import type { Mode } from '../core/mode.ts'
import { AtShards } from './at-shards.ts'
import type { Queue } from './queue.ts'
import { queueingOf } from './queueing.ts'
import { QUEUED, Transaction, type TransactionOptions } from './transaction.ts'
import { TransactionLease } from './transaction-lease.ts'
import { UntilExec } from './until-exec.ts'

const NESTED = errorFrame('ERR MULTI calls can not be nested')
const WATCH_INSIDE = errorFrame('ERR WATCH inside MULTI is not allowed')

/** What WATCH has left. */
export interface Watched {
  readonly lease: TransactionLease
  /** It is lost, and with it what it watched. */
  readonly isLost: boolean
  /** In a cluster: a key is not watched, and the client does not know. */
  readonly isBroken: boolean
}

export class QueueingMode implements Mode {
  readonly #transaction: Transaction
  #queue: Queue

  constructor(client: Client, options: TransactionOptions, watched?: Watched) {
    const { moving } = options.sender
    const lease = watched?.lease ?? new TransactionLease(client, options.lanes, moving)
    const transaction = new Transaction(client, options, lease)
    transaction.failed = watched?.isLost === true
    this.#transaction = transaction
    this.#queue =
      moving === undefined
        ? new AtShards(transaction)
        : new UntilExec(transaction, watched?.isBroken === true, () => this.#keepNoMore())
  }

  get queued(): number {
    return this.#transaction.queued
  }

  /** `request`: MULTI. */
  begin(request: ScannedRequest): void {
    this.#queue.begin(request)
  }

  refused(row?: CommandRow): void {
    if (row?.name === 'exec') this.#queue.drop()
    else this.#transaction.failed = true
  }

  abandon(): void {
    this.#queue.abandon()
  }

  handle(request: ScannedRequest, row: CommandRow): boolean {
    const { client } = this.#transaction
    if (client.subscriptions?.handle(request, row)) return true
    switch (row.name) {
      case 'quit':
      case 'reset':
        return false
      case 'multi':
        client.session.answer(NESTED)
        break
      case 'watch':
        client.session.answer(WATCH_INSIDE)
        break
      case 'exec':
        this.#queue.exec(request)
        break
      case 'discard':
        this.#queue.discard(request)
        break
      default:
        this.#add(request, row)
    }
    return true
  }

  #add(request: ScannedRequest, row: CommandRow): void {
    const { sender, refusedSetting } = this.#transaction.options
    const { shards, policy } = sender
    const queueing = queueingOf(row, shards.length, policy.allowAdmin)
    const why =
      queueing === 'shard' && row.handling === 'admin' ? refusedSetting(request, row) : undefined
    if (why !== undefined) this.#transaction.refuse(why)
    else if (queueing === 'shard') this.#queue.add(request, row)
    else if (queueing === 'here') this.#addHere(request, row)
    else this.#transaction.refuse(queueing)
  }

  /** A command that is answered here waits here. What it will do to the lease waits at the shard. */
  #addHere(request: ScannedRequest, row: CommandRow): void {
    const transaction = this.#transaction
    const { kept, client, options } = transaction
    const twin = options.leaseTwin(request, row)
    if (twin !== undefined && !this.#queue.canAddChange()) return
    if (!kept.takeRoom(request)) {
      transaction.refuse(OVERLOADED)
      return
    }
    const hasTwin = twin !== undefined
    const place = transaction.queued++
    kept.own.push({ place, request: new KeptRequest(request), row, hasTwin })
    if (twin !== undefined) this.#queue.addChange(twin)
    client.session.answer(QUEUED)
  }

  /** It is too large for that: the shard gets what is kept, and then the commands as they come. */
  #keepNoMore(): AtShards {
    const queue = new AtShards(this.#transaction)
    this.#queue = queue
    return queue
  }
}
