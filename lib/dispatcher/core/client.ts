/** What is remembered about one client beyond its bytes: lane, name, transaction. */
import type { RequestHandler, ScannedRequest, Session } from '../../downstream/session.ts'
import { Order } from '../../pool/cluster/slot-request.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { SessionReads } from '../../upstream/replicas/session-reads.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { TransactionToCome } from '../preflight/transaction-to-come.ts'
import type { ClientSubscriptions } from '../pubsub/client-subscriptions.ts'
import type { Mode } from './mode.ts'

export type UnblockReason = 'TIMEOUT' | 'ERROR'

export interface Blocked {
  /**
   * The shard on which the client waits, and the number by which that shard knows the waiting
   * connection.
   */
  readonly shard: Shard
  readonly shardClientId: () => string | undefined
  /** What comes from now on ends the wait: nothing is still to be asked of the shards. */
  readonly waits: boolean
  /** CLIENT UNBLOCK is on its way to that connection, so no other client may use it. */
  unblocked: boolean
  /**
   * Ends the wait where the shard does not let us unblock: with the answer that a Redis gives for the
   * reason, unless an element has come before. Then calls back whether it was so ended.
   */
  cutShort(reason: UnblockReason, done: (cutShort: boolean) => void): void
  /** The client is gone: nothing may be popped for it. */
  abandon(): void
}

/** Decides what becomes of clients' requests, by one configuration. */
export interface Decider {
  handle(client: Client, request: ScannedRequest): void
  /** The client is gone. */
  forget(client: Client): void
}

export class Client implements RequestHandler {
  readonly session: Session
  lane: Lane
  /** Of its requests for places that move. */
  readonly order: Order
  /** While set, requests go there first. */
  subscriptions: ClientSubscriptions | undefined
  /** While set, requests go there next: a transaction. */
  mode: Mode | undefined
  /** What the client waits for in a blocking command. */
  blocked: Blocked | undefined
  /** The state that its reads must not fall behind; made when first needed, with `readFrom`. */
  reads: SessionReads | undefined
  /** Its transaction under the configuration that is rehearsed, if there is one. */
  toCome: TransactionToCome | undefined
  name = ''
  libraryName = ''
  libraryVersion = ''
  /** Lower case, with the subcommand: `client|list`. */
  lastCommand = ''
  /** The user that the client has logged in as. */
  user = 'default'
  /** Wrong passwords on this connection. */
  wrongPasswords = 0
  noEvict = false
  noTouch = false
  /** Milliseconds since the epoch. */
  readonly connectedAtMs: number
  /** The one that its address leads to; undefined: to all. */
  readonly pool: string | undefined
  #decider: Decider
  /** Takes over when the transaction is over. */
  #nextDecider: Decider | undefined
  /** Another dispatcher decides since the last request. */
  #moving = false

  constructor(
    session: Session,
    lane: Lane,
    decider: Decider,
    nowMs: number,
    pool: string | undefined,
  ) {
    this.session = session
    this.order = new Order(session)
    this.lane = lane
    this.#decider = decider
    this.connectedAtMs = nowMs
    this.pool = pool
  }

  handle(request: ScannedRequest): void {
    if (this.#moving && !this.#move()) {
      this.session.defer(request)
      return
    }
    this.#decider.handle(this, request)
  }

  /**
   * After a reload: from the next request on another dispatcher decides. An open transaction ends
   * first, on the shards on which it began. A silent client refers only to the newest dispatcher.
   */
  moveTo(decider: Decider): void {
    this.#moving = true
    this.#nextDecider = decider
    if (this.mode === undefined) this.#take()
  }

  /** The client has come to another database: from the next request on this dispatcher decides. */
  follow(decider: Decider): void {
    this.#decider = decider
    this.#nextDecider = undefined
  }

  /**
   * Whether the next request may be handled: it must not overtake requests that the previous
   * dispatcher sent.
   */
  #move(): boolean {
    if (this.mode !== undefined) return true
    this.#take()
    this.#moving = this.session.inFlight > 0
    return !this.#moving
  }

  #take(): void {
    this.#decider = this.#nextDecider ?? this.#decider
    this.#nextDecider = undefined
  }

  closed(): void {
    this.subscriptions?.abandon()
    this.mode?.abandon()
    this.mode = undefined
    this.blocked?.abandon()
    this.#decider.forget(this)
  }
}
