/** What is remembered about one client beyond its bytes: lane, name, transaction. */
import type { RequestHandler, ScannedRequest, Session } from '../../downstream/session.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { ClientSubscriptions } from '../pubsub/client-subscriptions.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Mode } from './mode.ts'

export interface Blocked {
  /** Where, and by which number the shard knows the connection that waits. */
  readonly shard: Shard
  readonly shardClientId: () => string | undefined
  /** CLIENT UNBLOCK is on its way to that connection, which nobody else may wait on then. */
  unblocked: boolean
  /** The client is gone: nothing may be popped for it. */
  abandon(): void
}

export class Client implements RequestHandler {
  readonly session: Session
  lane: Lane
  /** While set, requests go there first. */
  subscriptions: ClientSubscriptions | undefined
  /** While set, requests go there next: a transaction. */
  mode: Mode | undefined
  /** What the client waits for in a blocking command. */
  blocked: Blocked | undefined
  name = ''
  libraryName = ''
  libraryVersion = ''
  /** Lower case, with the subcommand: `client|list`. */
  lastCommand = ''
  /** Whom the client has authenticated as. */
  user = 'default'
  /** Wrong passwords on this connection. */
  wrongPasswords = 0
  noEvict = false
  noTouch = false
  /** Milliseconds since the epoch. */
  readonly connectedAtMs: number
  #dispatcher: Dispatcher
  /** Takes over as soon as nothing binds the client to the one before. */
  #nextDispatcher: Dispatcher | undefined
  readonly #onClosed: (() => void)[] = []

  constructor(session: Session, lane: Lane, dispatcher: Dispatcher, nowMs: number) {
    this.session = session
    this.lane = lane
    this.#dispatcher = dispatcher
    this.connectedAtMs = nowMs
  }

  handle(request: ScannedRequest): void {
    if (this.#nextDispatcher !== undefined && this.mode === undefined) {
      this.#dispatcher = this.#nextDispatcher
      this.#nextDispatcher = undefined
    }
    this.#dispatcher.handle(this, request)
    // What is sent before the next request is the ambassador's own.
    this.#dispatcher.lookout.note.end()
  }

  /**
   * From the next request on another dispatcher decides, after a reload; a transaction that is open
   * ends first, on the shards on which it began.
   */
  moveTo(dispatcher: Dispatcher): void {
    this.#nextDispatcher = dispatcher
  }

  /** Calls back when the connection is gone, last registered first. */
  onClosed(callback: () => void): void {
    this.#onClosed.push(callback)
  }

  closed(): void {
    this.subscriptions?.abandon()
    this.mode?.abandon()
    this.mode = undefined
    this.blocked?.abandon()
    for (const callback of this.#onClosed.reverse()) callback()
    this.#dispatcher.forget(this)
  }
}
