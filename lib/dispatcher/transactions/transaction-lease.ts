/**
 * The connection that a transaction has for itself: taken with its first key, led after its client from
 * lane to lane, and given back when the shard has forgotten the transaction.
 */
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import { requestFrame } from '../../resp/encode.ts'
import type { Request } from '../../resp/request.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import { change } from '../../upstream/connection/making/handshake.ts'
import type { Lane, Lanes } from '../../upstream/lane.ts'
import type { LeasePool } from '../../upstream/leases/lease-pool.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import { takeLease } from '../blocking/blocking.ts'
import type { Client } from '../core/client.ts'
import { ClientReply, type DeclinedIn, type Ending, OwnReply } from '../core/lease-sink.ts'
import type { Exec } from './exec/exec.ts'
import { declinedBy } from './slot-refusals.ts'

export class TransactionLease {
  readonly #client: Client
  readonly #lanes: Lanes
  readonly #moving: MovingPlaces | undefined
  #connection: ShardConnection | undefined
  #shard: Shard | undefined
  #pool: LeasePool | undefined
  #place: number | undefined
  /** The lane in whose state the connection is. */
  #at: Lane | undefined
  /** The connection's own, which the client has left; without users it would be closed. */
  #left: Lane | undefined

  /** `moving`: where places move. */
  constructor(client: Client, lanes: Lanes, moving: MovingPlaces | undefined) {
    this.#client = client
    this.#lanes = lanes
    this.#moving = moving
  }

  /** Undefined before it is taken, and from `part` on. */
  get connection(): ShardConnection | undefined {
    return this.#connection
  }

  /** Where it is or was; undefined before it is taken. */
  get shard(): Shard | undefined {
    return this.#shard
  }

  /** For which it was taken: all keys must share it. Undefined for a transaction without keys, too. */
  get place(): number | undefined {
    return this.#place
  }

  /** Where it comes from. */
  get pool(): LeasePool | undefined {
    return this.#pool
  }

  /** Its connection is gone, and with it what it watched and queued. */
  get isLost(): boolean {
    const state = this.#connection?.state
    return state !== undefined && state !== 'ready' && state !== 'connecting'
  }

  /** The client is on another lane. */
  get isLeftBehind(): boolean {
    return this.#at !== this.#client.lane
  }

  /** False: refused, and the client has been told. One that there is stays as it is. */
  take(shard: Shard, place: number | undefined): boolean {
    if (this.#connection !== undefined) return true
    const { lane } = this.#client
    this.#pool = shard.leases(lane)
    this.#connection = takeLease(this.#client, shard, this.#pool, false)
    if (this.#connection === undefined) return false
    this.#at = lane
    this.#shard = shard
    this.#place = place
    return true
  }

  /** The client is about to leave its lane. */
  clientLeaves(): void {
    if (this.#connection !== undefined) this.#left ??= this.#lanes.enter(this.#client.lane)
  }

  /**
   * Goes where the client is; it waits for that. What is watched stays watched, on its old database too.
   * `failed`: commands would be executed in the wrong state.
   */
  follow(failed: () => void): void {
    const { session, lane } = this.#client
    const steps = change(this.#at as Lane, lane)
    this.#at = lane
    let missing = steps.length
    if (missing > 0) session.hold()
    for (const step of steps) {
      this.sendOwn(requestFrame(step), (succeeded) => {
        if (!succeeded) failed()
        if (--missing === 0) session.release()
      })
    }
  }

  /**
   * Forgets the connection. The caller gives it back with the result, now or later, as in LeasePool.
   * `isChanged`: a command has changed the connection itself, which must not serve another client.
   */
  part(isChanged = false): (clean: boolean) => void {
    const connection = this.#connection
    const pool = this.#pool
    const left = this.#left
    const isAsBefore = !isChanged && (left === undefined || left === this.#at)
    this.#connection = undefined
    this.#left = undefined
    return (clean) => {
      if (connection !== undefined) pool?.giveBack(connection, clean && isAsBefore)
      if (left !== undefined) this.#lanes.leave(left)
    }
  }

  /** Sends a request of the client's, which hears the reply. Not for a lease that there is no more. */
  pass(request: Request, done: (ending: Ending) => void): void {
    const { session } = this.#client
    const sink = new ClientReply(session, session.open(), done, this.#declinedIn)
    sendOver(this.#connection as ShardConnection, request, sink)
  }

  /**
   * Sends the client's request that ends it all, and parts from the connection; whatever comes next waits for
   * the reply. `exec` sees to that reply if there is more to do than to pass it on.
   */
  passLast(request: Request, isChanged = false, exec?: Exec): void {
    const { session } = this.#client
    const connection = this.#connection as ShardConnection
    const giveBack = this.part(isChanged)
    const done = (ending: Ending): void => {
      giveBack(ending === 'done')
      session.release()
    }
    const ticket = session.open()
    session.hold()
    const sink =
      exec?.replySink(request, ticket, done) ??
      new ClientReply(session, ticket, done, this.#declinedIn)
    sendOver(connection, request, sink)
  }

  /** Sends `frame`, which makes the shard forget the transaction, and gives the connection back after its reply. */
  end(frame: Buffer): void {
    const connection = this.#connection
    if (connection === undefined || this.isLost) return
    connection.send(new OwnReply(this.part()), 0, frame, 0, frame.length, false)
  }

  get #declinedIn(): DeclinedIn | undefined {
    if (this.#moving === undefined || this.#shard === undefined) return undefined
    return declinedBy(this.#shard, this.#moving, this.#place ?? 0)
  }

  /** Sends a request of ours; `done` as in OwnReply. */
  sendOwn(frame: Buffer, done: (succeeded: boolean, error?: Buffer) => void): void {
    const sink = new OwnReply(done)
    if (this.#connection === undefined) sink.failed()
    else this.#connection.send(sink, 0, frame, 0, frame.length, false)
  }
}

/** Sends a client's request over a connection that is leased. */
export function sendOver(connection: ShardConnection, request: Request, sink: ReplySink): void {
  connection.send(sink, 0, request.bytes, request.frameStart, request.frameEnd, false)
}
