/**
 * A transaction that is kept here until EXEC, since its place moves: it goes where the place is then. With
 * `transactions: split`, commands of other places wait with it. What is too large for that goes out early.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { CROSSSLOT, OVERLOADED, TOO_MANY_PLACES, TRANSACTION_CROSSSLOT } from '../../failures.ts'
import { nullArrayFrame, OK, requestFrame } from '../../resp/encode.ts'
import { KeptRequest } from '../../resp/kept-request.ts'
import type { Whereabouts } from '../../routing/plan.ts'
import type { AtShards } from './at-shards.ts'
import { NO_ELEMENTS } from './exec/replay.ts'
import type { Watching } from './exec/slot-exec.ts'
import type { Queue } from './queue.ts'
import { fragmentsOf } from './split/fragments.ts'
import { SlotParts } from './split/slot-parts.ts'
import { QUEUED, type Transaction } from './transaction.ts'

const UNWATCH = requestFrame(['UNWATCH'])

export class UntilExec implements Queue {
  readonly #transaction: Transaction
  /** A key is not watched, and the client does not know: EXEC has no effect. */
  readonly #isBroken: boolean
  readonly #keepNoMore: () => AtShards
  /** What all keys must share, unless they may be split; undefined before a key has named it. */
  #place: number | undefined
  /** What will go to other places; there once there is something. */
  #parts: SlotParts | undefined

  /** `keepNoMore`: from now on the transaction is queued by a shard, which this is asked for once. */
  constructor(transaction: Transaction, isBroken: boolean, keepNoMore: () => AtShards) {
    this.#transaction = transaction
    this.#isBroken = isBroken
    this.#keepNoMore = keepNoMore
    this.#place = transaction.lease.place
  }

  begin(): void {
    this.#transaction.client.session.answer(OK)
  }

  add(request: ScannedRequest, row: CommandRow): void {
    const transaction = this.#transaction
    const where = transaction.locate(request, row)
    const { place } = transaction.options.sender.plan
    const isElsewhere = where === 'one' && this.#place !== undefined && place !== this.#place
    if (where === 'several' || isElsewhere) {
      this.#addElsewhere(request, row, where)
    } else if (transaction.keep(request, row)) {
      if (where === 'one') this.#place ??= place
      this.#parts?.addFirst()
    } else {
      this.#sendEarly(request, row, where)
    }
  }

  /** There is no room for the request: a shard gets it and what is kept, unless several places are to. */
  #sendEarly(request: ScannedRequest, row: CommandRow, where: Whereabouts): void {
    const { lease, options, publishPlace } = this.#transaction
    const isBegun = lease.shard !== undefined
    const placeOfKeys = where === 'one' ? options.sender.plan.place : this.#place
    const place = isBegun ? publishPlace : (placeOfKeys ?? publishPlace)
    if (this.#parts !== undefined || place === undefined) this.#transaction.refuse(OVERLOADED)
    else this.#keepNoMore().startOn(place, request, row)
  }

  /** Keys of the request that was located last are not where the transaction has begun. */
  #addElsewhere(request: ScannedRequest, row: CommandRow, where: Whereabouts): void {
    const transaction = this.#transaction
    const canBeSplit = where === 'one' || row.handling === 'split'
    if (!transaction.options.splits || !canBeSplit) {
      transaction.refuse(canBeSplit ? TRANSACTION_CROSSSLOT : CROSSSLOT)
    } else if (!transaction.kept.takeRoomElsewhere(request)) {
      transaction.refuse(OVERLOADED)
    } else if (this.#isKept(request, row, where)) {
      transaction.note(request, row)
      transaction.queued++
      transaction.client.session.answer(QUEUED)
    } else {
      transaction.refuse(TOO_MANY_PLACES)
    }
  }

  #isKept(request: ScannedRequest, row: CommandRow, where: Whereabouts): boolean {
    const { kept, changes, options } = this.#transaction
    const { plan } = options.sender
    const fragments = where === 'several' ? fragmentsOf(request, row, plan) : undefined
    const place = fragments?.frames[0]?.place ?? plan.place
    this.#place ??= place
    this.#parts ??= new SlotParts(this.#place, kept.early, changes)
    if (fragments !== undefined) return this.#parts.queueSplit(fragments)
    const frame = new KeptRequest(request).bytes
    return this.#parts.queue(place, { frame, script: options.scripts.scriptOf(request, row) })
  }

  canAddChange(): boolean {
    return true
  }

  addChange(frame: Buffer): void {
    this.#transaction.kept.early.push({ frame, script: undefined })
    this.#parts?.addChange(frame)
  }

  exec(request: ScannedRequest): void {
    const transaction = this.#transaction
    const { client, lease, kept, failed } = transaction
    const isWatching = lease.connection !== undefined
    if (failed) {
      transaction.abort()
      this.drop()
    } else if (client.session.inFlight > 0) {
      client.session.defer(request)
    } else if (this.#isBroken || lease.isLost) {
      transaction.endWith(nullArrayFrame(client.lane.protocol))
    } else if (isWatching || kept.early.length > 0 || this.#parts !== undefined) {
      this.#execThere(request)
    } else if (transaction.queued === 0) {
      transaction.endWith(NO_ELEMENTS)
    } else {
      transaction.executeHere(request)
    }
  }

  #execThere(request: ScannedRequest): void {
    const { options, publishPlace, execution } = this.#transaction
    const slot = this.#place ?? publishPlace ?? options.sender.topology.keylessPlace
    const watching = this.#handOver()
    this.#transaction.end()
    if (this.#parts === undefined) execution.sendToSlot(request, slot, watching)
    else execution.sendToSlots(request, this.#parts, watching)
  }

  /** The connection on which keys are watched is no longer ours. */
  #handOver(): Watching | undefined {
    const { lease, kept } = this.#transaction
    const { connection, shard } = lease
    if (connection === undefined || shard === undefined) return undefined
    return { lease: connection, shard, giveBack: lease.part(kept.changesConnection) }
  }

  discard(): void {
    this.#transaction.client.session.answer(OK)
    this.drop()
  }

  drop(): void {
    this.#transaction.lease.end(UNWATCH)
    this.#transaction.end()
  }

  abandon(): void {
    this.#transaction.abandon()
  }
}
