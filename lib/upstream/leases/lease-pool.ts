/**
 * Dedicated connections to one shard in one lane, for what cannot share one: transactions and
 * blocking commands. A connection goes back only when it is provably clean, and is then used again,
 * so that ten thousand transactions do not make ten thousand connections.
 */
import { UNBLOCKED } from '../../failures.ts'
import { LEASE_FRESH_MS, LEASE_IDLE_MS, LEASES_IDLE_MAX, LEASES_MAX } from '../../limits.ts'
import type { ShardConnection } from '../connection/connection.ts'

export class LeasePool {
  /** The shard has last taken MULTI from one of them: commands may follow it without waiting. */
  takesMulti = false
  readonly #open: (onStateChange: () => void) => ShardConnection
  readonly #now: () => number
  /** Used last, given first: the others may grow old and be closed. */
  readonly #idle: ShardConnection[] = []
  readonly #all = new Set<ShardConnection>()
  /** In use by requests that may wait for ever. */
  readonly #blocking = new Set<ShardConnection>()
  /** Logged in with credentials that others have followed. AUTH is no command of a transaction. */
  readonly #loginDue = new Set<ShardConnection>()
  #sweepTimer: NodeJS.Timeout | undefined
  /** What was opened before is not used again. */
  #outdatedMs = Number.NEGATIVE_INFINITY
  /** Connections at the bottom of `#idle` that have not been needed since the last sweep. */
  #unneeded = 0

  /** `now`: the clock by which connections know when they last heard something. */
  constructor(open: (onStateChange: () => void) => ShardConnection, now: () => number) {
    this.#open = open
    this.#now = now
  }

  get connections(): Iterable<ShardConnection> {
    return this.#all
  }

  /** Connections in use or idle. */
  get size(): number {
    return this.#all.size
  }

  /** Connections that somebody has taken and not given back. */
  get inUse(): number {
    return this.#all.size - this.#idle.length
  }

  /**
   * A connection for the caller alone, perhaps still connecting; undefined when there are too many.
   * `blocks`: what is sent over it may wait for ever.
   */
  take(blocks: boolean): ShardConnection | undefined {
    const connection = this.#takeIdle() ?? this.#openAnother()
    if (blocks && connection !== undefined) this.#blocking.add(connection)
    return connection
  }

  #takeIdle(): ShardConnection | undefined {
    const idle = this.#idle.pop()
    this.#unneeded = Math.min(this.#unneeded, this.#idle.length)
    if (idle !== undefined && this.#now() - idle.lastReadMs > LEASE_FRESH_MS) idle.probe()
    return idle
  }

  #openAnother(): ShardConnection | undefined {
    if (this.#all.size >= LEASES_MAX) return undefined
    const connection = this.#open(() => this.#onStateChange(connection))
    this.#all.add(connection)
    connection.connect()
    return connection
  }

  /**
   * Ends a lease. `clean`: the connection is in no transaction and watches no key. It is kept if it
   * also owes no reply, and closed otherwise.
   */
  giveBack(connection: ShardConnection, clean: boolean): void {
    this.#blocking.delete(connection)
    const isReusable = connection.isFree && connection.openedMs > this.#outdatedMs
    if (!clean || !isReusable || this.#idle.length >= LEASES_IDLE_MAX) {
      this.#end(connection)
      return
    }
    this.#authenticate(connection)
    this.#idle.push(connection)
    this.#sweepTimer ??= setTimeout(() => this.#sweep(), LEASE_IDLE_MS)
  }

  /**
   * The shard has moved, and `left` are where it was. Idle ones are closed; those in use take no more
   * requests and are closed when they have answered what they owe; requests that may wait for ever
   * are told to wait no longer.
   */
  leave(left: ReadonlySet<ShardConnection>): void {
    this.takesMulti = false
    this.endIdle((connection) => left.has(connection))
    for (const connection of this.#all) {
      if (!left.has(connection)) continue
      if (this.#blocking.has(connection)) connection.hangUp(UNBLOCKED)
      else connection.retire()
    }
  }

  /** Requests that may wait for ever are told to wait no longer: another server has the place of this one. */
  unblock(): void {
    for (const connection of this.#blocking) connection.hangUp(UNBLOCKED)
  }

  /** The shard has another server: those that are connected are closed, and what is under way there is lost. */
  relocate(): void {
    this.endIdle(() => true)
    for (const connection of this.#all) {
      const blocks = this.#blocking.has(connection)
      const waitsThere = connection.state === 'ready' && connection.unsentBytes === 0
      if (blocks && waitsThere) connection.hangUp(UNBLOCKED, false)
      // A request that was not handed over goes to the new one.
      else connection.relocate(blocks ? UNBLOCKED : undefined)
    }
  }

  /** A connection opened now would differ: the present ones end after what they are doing. */
  outdate(): void {
    this.#outdatedMs = this.#now()
    this.endIdle(() => true)
  }

  /** There are other credentials: those that nobody uses yet log in at once, the others when given back. */
  authenticate(): void {
    for (const connection of this.#all) {
      if (connection.state === 'connecting') connection.authenticate()
      else this.#loginDue.add(connection)
    }
    for (const connection of this.#idle) this.#authenticate(connection)
  }

  #authenticate(connection: ShardConnection): void {
    if (this.#loginDue.delete(connection)) connection.authenticate()
  }

  /** From now on requests may take so long, but for those that may wait for ever. */
  allow(requestTimeoutMs: number): void {
    for (const connection of this.#all) {
      connection.allow(requestTimeoutMs, this.#blocking.has(connection))
    }
  }

  close(): void {
    clearTimeout(this.#sweepTimer)
    for (const connection of this.#all) connection.close()
    this.#all.clear()
    this.#loginDue.clear()
    this.#idle.length = 0
  }

  #onStateChange(connection: ShardConnection): void {
    if (connection.state !== 'closed') return
    this.#all.delete(connection)
    this.#loginDue.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  /** Closes those that nobody uses and that are meant. */
  endIdle(isMeant: (connection: ShardConnection) => boolean): void {
    const idle = this.#idle.splice(0)
    for (const connection of idle) {
      if (isMeant(connection)) this.#end(connection)
      else this.#idle.push(connection)
    }
    this.#unneeded = Math.min(this.#unneeded, this.#idle.length)
  }

  #end(connection: ShardConnection): void {
    connection.close()
    this.#all.delete(connection)
    this.#loginDue.delete(connection)
  }

  #sweep(): void {
    this.#sweepTimer = undefined
    for (const connection of this.#idle.splice(0, this.#unneeded)) this.#end(connection)
    this.#unneeded = this.#idle.length
    if (this.#idle.length > 0) this.#sweepTimer = setTimeout(() => this.#sweep(), LEASE_IDLE_MS)
  }
}
