/**
 * The mode of a client between WATCH and MULTI: keys are watched on a lease, and commands are executed one by
 * one, over the lease or over shared connections. Their order must not depend on which, so that each waits
 * for the reply to the one before it. At MULTI every WATCH has its reply, and queueing takes over the lease.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { CROSSSLOT } from '../../failures.ts'
import { RESEND_MS_MAX } from '../../limits.ts'
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import { OK, requestFrame } from '../../resp/encode.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import type { Mode } from '../core/mode.ts'
import { PUBLISHES } from './queueing.ts'
import { QueueingMode } from './queueing-mode.ts'
import { watchReply } from './slot-refusals.ts'
import type { TransactionOptions } from './transaction.ts'
import { sendOver, TransactionLease } from './transaction-lease.ts'

const UNWATCH = requestFrame(['UNWATCH'])

/** They move the client to another lane; a lease follows, since the watched keys stay watched. */
const MOVES_LANE = new Set(['select', 'auth', 'hello'])

export class WatchingMode implements Mode {
  readonly #client: Client
  readonly #options: TransactionOptions
  readonly #lease: TransactionLease
  /** The lease is lost, and with it what it watched. */
  #isLost = false
  /** In a cluster: a WATCH was refused, and the client does not know. */
  #isBroken = false
  /** Until when a WATCH waits for a connection; undefined: none does. `performance.now()`. */
  #leaseUntilMs: number | undefined

  constructor(client: Client, options: TransactionOptions) {
    this.#client = client
    this.#options = options
    this.#lease = new TransactionLease(client, options.lanes, options.sender.moving)
  }

  refused(row?: CommandRow): void {
    if (row?.name !== 'exec') return
    this.#lease.end(UNWATCH)
    this.#end()
  }

  abandon(): void {
    this.#lease.part()(false)
  }

  handle(request: ScannedRequest, row: CommandRow): boolean {
    if (this.#client.subscriptions?.handle(request, row)) return true
    if (row.name === 'quit' || row.name === 'reset') return false
    const { session } = this.#client
    if (session.inFlight > 0) {
      session.defer(request)
      return true
    }
    if (this.#lease.isLeftBehind && this.#isLeaseUsable()) {
      this.#lease.follow(() => this.#lose())
      session.defer(request)
      return true
    }
    if (MOVES_LANE.has(row.name)) {
      this.#lease.clientLeaves()
      return false
    }
    return this.#handle(request, row)
  }

  #handle(request: ScannedRequest, row: CommandRow): boolean {
    switch (row.name) {
      case 'watch':
        this.#watch(request, row)
        return true
      case 'unwatch':
        if (this.#isLeaseUsable()) this.#lease.passLast(request)
        else this.#client.session.answer(OK)
        this.#end()
        return true
      case 'multi':
        this.#queue(request)
        return true
      case 'exec':
      case 'discard':
        return false
      default:
        return this.#passIfHere(request, row)
    }
  }

  /** From now on commands are queued. */
  #queue(request: ScannedRequest): void {
    const watched = { lease: this.#lease, isLost: this.#isLost, isBroken: this.#isBroken }
    const queueing = new QueueingMode(this.#client, this.#options, watched)
    this.#client.mode = queueing
    queueing.begin(request)
  }

  /** Sends a command over the lease if all its keys live on the lease's shard. */
  #passIfHere(request: ScannedRequest, row: CommandRow): boolean {
    const { sender } = this.#options
    const keyed = row.handling === 'single' || row.handling === 'split'
    if (!keyed || PUBLISHES.has(row.name) || !this.#isLeaseUsable()) return false
    // Where places move it follows them on the usual way.
    if (sender.moving !== undefined) return false
    if (sender.locate(request, row) !== 'one' || sender.plan.place !== this.#lease.place) {
      return false
    }
    this.#pass(request, row)
    return true
  }

  #watch(request: ScannedRequest, row: CommandRow): void {
    const { sender } = this.#options
    const { session } = this.#client
    const where = sender.locate(request, row)
    const { place } = sender.plan
    const watched = this.#lease.place
    if (where !== 'one' || (watched !== undefined && place !== watched)) {
      session.answer(CROSSSLOT)
      if (this.#lease.shard === undefined) this.#end()
    } else if (this.#isLost) {
      session.refuse((this.#lease.shard as Shard).refusal())
    } else if (
      this.#lease.connection === undefined &&
      sender.waitsFor(this.#client, request, place)
    ) {
      // It comes again.
    } else if (!this.#lease.take(sender.shardOfPlan(), place)) {
      this.#end()
    } else if (sender.moving === undefined) {
      this.#pass(request, row)
    } else if (!this.#waitsForLease(request, sender.moving)) {
      this.#watchOnSlot(sender.moving, request, place)
    }
  }

  /**
   * In a cluster: whether the request waits for its connection, and is then handled again. Over one that cannot be
   * made nothing was sent: the next goes to the same node, or to its heir.
   */
  #waitsForLease(request: ScannedRequest, { requestTimeoutMs }: MovingPlaces): boolean {
    const connection = this.#lease.connection as ShardConnection
    if (connection.state !== 'connecting') return false
    const { session } = this.#client
    const untilMs = this.#leaseUntilMs ?? performance.now() + requestTimeoutMs
    this.#leaseUntilMs = untilMs
    session.defer(request)
    session.hold()
    connection.onceSettled(() => {
      if (session.closed) return
      const isMade = connection.state === 'ready'
      if (isMade) this.#leaseUntilMs = undefined
      if (isMade || performance.now() >= untilMs) session.release()
      else setTimeout(() => this.#waitForAnother(), RESEND_MS_MAX)
    })
    return true
  }

  #waitForAnother(): void {
    if (this.#client.session.closed) return
    this.abandon()
    this.#client.session.release()
  }

  #watchOnSlot(places: MovingPlaces, request: ScannedRequest, slot: number): void {
    const { shard, connection } = this.#lease
    const sink = watchReply(this.#client, shard as Shard, places, slot, () => {
      this.#isBroken = true
    })
    sendOver(connection as ShardConnection, request, sink)
  }

  #pass(request: ScannedRequest, row: CommandRow): void {
    const { scripts } = this.#options
    const connection = this.#lease.connection as ShardConnection
    const script = scripts.scriptOf(request, row)
    if (script !== undefined && !script.isSent(connection)) scripts.load(connection, script)
    const lesson = scripts.lessonOf(request, row)
    if (lesson !== undefined) scripts.learn(lesson)
    this.#lease.pass(request, (ending) => {
      if (ending === 'lost') this.#isLost = true
    })
  }

  #isLeaseUsable(): boolean {
    if (this.#lease.isLost) this.#lose()
    return this.#lease.connection !== undefined
  }

  #lose(): void {
    this.#isLost = true
    this.abandon()
  }

  #end(): void {
    this.abandon()
    this.#client.mode = undefined
  }
}
