/**
 * Dedicated connections to one shard in one lane, for what cannot share one: transactions and
 * blocking commands. A connection goes back only when it is provably clean, and is then used again,
 * so that ten thousand transactions do not make ten thousand connections.
 */
import { LEASE_IDLE_MS, LEASES_IDLE_MAX, LEASES_MAX } from '../limits.ts'
import type { ShardConnection } from './connection/connection.ts'

export class LeasePool {
  /** The shard has last taken MULTI from one of them: commands may follow it without waiting. */
  takesMulti = false
  readonly #open: (onStateChange: () => void) => ShardConnection
  /** Used last, given first: the others may grow old and be closed. */
  readonly #idle: ShardConnection[] = []
  readonly #all = new Set<ShardConnection>()
  #sweepTimer: NodeJS.Timeout | undefined
  /** Connections at the bottom of `#idle` that have not been needed since the last sweep. */
  #unneeded = 0

  constructor(open: (onStateChange: () => void) => ShardConnection) {
    this.#open = open
  }

  /** Connections in use or idle. */
  get size(): number {
    return this.#all.size
  }

  /** Connections that somebody has taken and not given back. */
  get inUse(): number {
    return this.#all.size - this.#idle.length
  }

  /** A connection for the caller alone, perhaps still connecting; undefined when there are too many. */
  take(): ShardConnection | undefined {
    const idle = this.#idle.pop()
    if (idle !== undefined) {
      this.#unneeded = Math.min(this.#unneeded, this.#idle.length)
      return idle
    }
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
    const reusable = clean && connection.state === 'ready' && connection.inFlight === 0
    if (!reusable || this.#idle.length >= LEASES_IDLE_MAX) {
      connection.close()
      this.#all.delete(connection)
      return
    }
    this.#idle.push(connection)
    this.#sweepTimer ??= setTimeout(() => this.#sweep(), LEASE_IDLE_MS)
  }

  close(): void {
    clearTimeout(this.#sweepTimer)
    for (const connection of this.#all) connection.close()
    this.#all.clear()
    this.#idle.length = 0
  }

  #onStateChange(connection: ShardConnection): void {
    if (connection.state !== 'closed') return
    this.#all.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  #sweep(): void {
    this.#sweepTimer = undefined
    for (const connection of this.#idle.splice(0, this.#unneeded)) {
      connection.close()
      this.#all.delete(connection)
    }
    this.#unneeded = this.#idle.length
    if (this.#idle.length > 0) this.#sweepTimer = setTimeout(() => this.#sweep(), LEASE_IDLE_MS)
  }
}
