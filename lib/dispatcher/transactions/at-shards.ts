/**
 * A transaction whose commands are queued by shards as they come. The first key says which shard begins; until
 * then MULTI and keyless commands are kept here. A key of another shard is refused, and the transaction with
 * it, as Redis does for errors while queueing; with `transactions: split`, that shard queues a part of it.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import {
  CROSSSLOT,
  type Failure,
  OVERLOADED,
  TRANSACTION_CROSSSLOT,
  UNEXPECTED_REPLIES,
} from '../../failures.ts'
import { OK, requestFrame } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import type { Whereabouts } from '../../routing/plan.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { Shard } from '../../upstream/shard.ts'
import { NO_ELEMENTS } from './exec/replay.ts'
import type { Queue } from './queue.ts'
import { ShardQueue } from './shard-queue.ts'
import { LeasedPart } from './split/leased-part.ts'
import { ShardParts } from './split/shard-parts.ts'
import type { Transaction } from './transaction.ts'

const DISCARD = requestFrame(['DISCARD'])

export class AtShards implements Queue {
  readonly #transaction: Transaction
  readonly #there: ShardQueue
  /** Keys are watched on the lease. */
  readonly #watches: boolean
  /** A shard has answered a command with an error instead of QUEUED. */
  #hasError = false
  /** What other shards queue of it; there once there is one. */
  #others: ShardParts | undefined

  constructor(transaction: Transaction) {
    this.#transaction = transaction
    this.#there = new ShardQueue(transaction)
    this.#watches = transaction.lease.shard !== undefined
  }

  begin(request: ScannedRequest): void {
    if (this.#usableLease() === undefined) this.#transaction.client.session.answer(OK)
    else this.#send(request)
  }

  add(request: ScannedRequest, row: CommandRow): void {
    const { lease, options } = this.#transaction
    const where = this.#transaction.locate(request, row)
    const { place } = options.sender.plan
    const isBegun = lease.shard !== undefined
    if (where === 'several' || (where === 'one' && isBegun && place !== lease.place)) {
      this.#addElsewhere(request, row, where)
    } else if (!isBegun && where === 'none') {
      this.#keep(request, row)
    } else if (!isBegun) {
      this.startOn(place, request, row)
    } else if (this.#usableLease() === undefined) {
      this.#transaction.refuse(this.#refusal)
    } else {
      this.#addFirst(request, row)
    }
  }

  /** The place is known: what has been kept goes there, and the request behind it. */
  startOn(place: number, request: ScannedRequest, row: CommandRow): void {
    if (this.#isStartedOn(place, request)) this.#addFirst(request, row)
  }

  /** False: the request is deferred, or refused. */
  #isStartedOn(place: number, request: ScannedRequest): boolean {
    const { client, options } = this.#transaction
    // What the client sent before, over shared connections, must have been executed.
    if (client.session.inFlight > 0) client.session.defer(request)
    else if (!this.#open(options.sender.topology.shardAt(place), place)) {
      this.#transaction.failed = true
    } else if (!this.#there.isReady) client.session.defer(request)
    else return true
    return false
  }

  /** Leases a connection and sends MULTI and the early commands; false: refused, and answered. */
  #open(shard: Shard, place: number | undefined): boolean {
    if (!this.#transaction.lease.take(shard, place)) return false
    this.#there.open()
    return true
  }

  #keep(request: ScannedRequest, row: CommandRow): void {
    const transaction = this.#transaction
    if (transaction.keep(request, row)) return
    const { publishPlace } = transaction
    if (publishPlace === undefined) transaction.refuse(OVERLOADED)
    else this.startOn(publishPlace, request, row)
  }

  /** The shard where the transaction has begun queues it. */
  #addFirst(request: ScannedRequest, row: CommandRow): void {
    const { options } = this.#transaction
    this.#transaction.queued++
    this.#others?.addFirst()
    const script = options.scripts.scriptOf(request, row)
    if (script !== undefined) this.#there.load(script)
    this.#transaction.note(request, row)
    this.#send(request)
  }

  #send(request: Request): void {
    this.#transaction.lease.pass(request, (ending) => {
      if (ending === 'lost') this.#transaction.failed = true
      else if (ending === 'error') this.#hasError = true
    })
  }

  /** Keys of the request that was located last are not where the transaction has begun. */
  #addElsewhere(request: ScannedRequest, row: CommandRow, where: Whereabouts): void {
    const { splits, sender } = this.#transaction.options
    const canBeSplit = where === 'one' || row.handling === 'split'
    if (!splits || !canBeSplit) {
      this.#transaction.refuse(canBeSplit ? TRANSACTION_CROSSSLOT : CROSSSLOT)
    } else if (sender.moving !== undefined) {
      // What was too large to be kept is on its way to one place.
      this.#transaction.refuse(OVERLOADED)
    } else {
      this.#addToOthers(request, row, where)
    }
  }

  #addToOthers(request: ScannedRequest, row: CommandRow, where: Whereabouts): void {
    const transaction = this.#transaction
    const { place, groups } = transaction.options.sender.plan
    const isUnbegun = transaction.lease.shard === undefined
    if (isUnbegun && !this.#isStartedOn(groups.places[0] as number, request)) return
    const lease = this.#usableLease()
    if (lease === undefined) {
      transaction.refuse(this.#refusal)
      return
    }
    this.#others ??= this.#openOthers(lease)
    if (where === 'one' && this.#others.isFirst(place)) {
      this.#addFirst(request, row)
      return
    }
    const isQueued =
      where === 'one'
        ? this.#others.queue(request, row, place)
        : this.#others.queueSplit(request, row)
    if (!isQueued) return
    transaction.note(request, row)
    transaction.queued++
  }

  #openOthers(connection: ShardConnection): ShardParts {
    const { client, options, lease, kept, queued, changes } = this.#transaction
    const shard = lease.shard as Shard
    return new ShardParts({
      client,
      sender: options.sender,
      scripts: options.scripts,
      first: { place: lease.place as number, shard, lease: connection },
      queued: queued - kept.own.length + changes.length,
      changes,
    })
  }

  canAddChange(): boolean {
    const isBegun = this.#transaction.lease.shard !== undefined
    if (!isBegun || this.#usableLease() !== undefined) return true
    this.#transaction.refuse(this.#refusal)
    return false
  }

  addChange(frame: Buffer): void {
    const { lease, kept } = this.#transaction
    if (lease.shard === undefined) {
      kept.early.push({ frame, script: undefined })
    } else {
      this.#there.add(frame)
      this.#others?.addChange(frame)
    }
  }

  exec(request: ScannedRequest): void {
    const { lease, failed, queued } = this.#transaction
    if (this.#others !== undefined) {
      this.#execSplit(request, this.#others)
    } else if (this.#there.isUnqueued) {
      // The shard says it best: there is nothing to discard.
      this.#finishWith(request)
    } else if (failed || (lease.shard !== undefined && this.#usableLease() === undefined)) {
      this.#abort()
    } else if (lease.shard !== undefined) {
      this.#finishWith(request, true)
    } else if (queued === 0) {
      this.#transaction.endWith(NO_ELEMENTS)
    } else {
      this.#execEarly(request)
    }
  }

  /** No key has said where. */
  #execEarly(request: ScannedRequest): void {
    const transaction = this.#transaction
    const { client, kept, publishPlace } = transaction
    if (client.session.inFlight > 0) client.session.defer(request)
    else if (kept.early.length === 0) transaction.executeHere(request)
    else if (!this.#open(this.#shardOfEarly(), publishPlace)) transaction.end()
    else if (!this.#there.isReady) client.session.defer(request)
    else this.#finishWith(request, true)
  }

  /** For a transaction without keys: where what it publishes has its home, or any. */
  #shardOfEarly(): Shard {
    const { options, publishPlace: place } = this.#transaction
    return place === undefined ? options.sender.anyShard() : options.sender.topology.shardAt(place)
  }

  #execSplit(request: ScannedRequest, others: ShardParts): void {
    const transaction = this.#transaction
    const { session } = transaction.client
    // All must have been queued.
    if (session.inFlight > 0) {
      session.defer(request)
      return
    }
    const lease = this.#usableLease()
    if (this.#there.isUnqueued || others.unqueued) {
      session.refuse(UNEXPECTED_REPLIES)
      this.drop()
    } else if (transaction.failed || this.#hasError || others.failed || lease === undefined) {
      this.#abort()
    } else {
      const { execution, kept } = transaction
      const giveBack = transaction.lease.part(kept.changesConnection)
      const own = new LeasedPart(execution.account, lease, giveBack)
      const parts = [own, ...others.handOver(execution.account)]
      transaction.end()
      execution.sendToShards(request, { parts, watches: this.#watches, merge: others.merge })
    }
  }

  discard(request: ScannedRequest): void {
    if (this.#usableLease() === undefined) {
      this.#transaction.client.session.answer(OK)
      this.#end()
    } else {
      this.#others?.discard()
      this.#finishWith(request)
    }
  }

  #abort(): void {
    this.#transaction.abort()
    this.drop()
  }

  /** The connections serve others when the shards have forgotten it too. */
  drop(): void {
    this.#others?.discard()
    this.#transaction.lease.end(DISCARD)
    this.#end()
  }

  /** Sends the request that ends it all. `executes`: it is EXEC, and what is kept for that is due. */
  #finishWith(request: ScannedRequest, executes = false): void {
    const transaction = this.#transaction
    const { lease, kept } = transaction
    const exec = executes && kept.mustReplay ? transaction.execution : undefined
    if (this.#usableLease() === undefined) transaction.client.session.answer(OK)
    else lease.passLast(request, kept.changesConnection, exec)
    this.#end()
  }

  /** The connection, unless it is gone, and with it what it watched and queued. */
  #usableLease(): ShardConnection | undefined {
    const { lease } = this.#transaction
    if (lease.isLost) {
      this.#transaction.failed = true
      this.abandon()
    }
    return lease.connection
  }

  get #refusal(): Buffer | Failure {
    return this.#there.refusal ?? (this.#transaction.lease.shard as Shard).refusal()
  }

  abandon(): void {
    this.#others?.abandon()
    this.#transaction.abandon()
  }

  #end(): void {
    this.#others?.abandon()
    this.#transaction.end()
  }
}
