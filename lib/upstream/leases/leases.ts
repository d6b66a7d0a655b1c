/** The dedicated connections to one shard: a pool of them for each lane. */
import type { ShardConnection } from '../connection/connection.ts'
import type { Lane } from '../lane.ts'
import { LeasePool } from './lease-pool.ts'

export class Leases {
  readonly #open: (lane: Lane, onStateChange: () => void) => ShardConnection
  readonly #now: () => number
  /** By lane id. */
  readonly #pools: (LeasePool | undefined)[] = []

  constructor(open: (lane: Lane, onStateChange: () => void) => ShardConnection, now: () => number) {
    this.#open = open
    this.#now = now
  }

  of(lane: Lane): LeasePool {
    const known = this.#pools[lane.id]
    if (known !== undefined) return known
    const pool = new LeasePool((onStateChange) => this.#open(lane, onStateChange), this.#now)
    this.#pools[lane.id] = pool
    return pool
  }

  get connections(): readonly ShardConnection[] {
    return this.#all.flatMap((pool) => [...pool.connections])
  }

  /** Connections that somebody has taken and not given back. */
  get inUse(): number {
    return this.#all.reduce((sum, pool) => sum + pool.inUse, 0)
  }

  /** Closes those that nobody uses and that are meant. */
  endIdle(which: (connection: ShardConnection) => boolean): void {
    for (const pool of this.#all) pool.endIdle(which)
  }

  /** The shard has moved, and `left` are where it was. */
  leave(left: ReadonlySet<ShardConnection>): void {
    for (const pool of this.#all) pool.leave(left)
  }

  /** Another server has the place of the shard's. */
  unblock(): void {
    for (const pool of this.#all) pool.unblock()
  }

  /** The shard has another server. */
  relocate(): void {
    for (const pool of this.#all) pool.relocate()
  }

  /** One opened now would be another than those that there are. */
  outdate(): void {
    for (const pool of this.#all) pool.outdate()
  }

  /** There are other credentials. */
  authenticate(): void {
    for (const pool of this.#all) pool.authenticate()
  }

  /** From now on requests may take so long. */
  allow(requestTimeoutMs: number): void {
    for (const pool of this.#all) pool.allow(requestTimeoutMs)
  }

  closeLane(lane: Lane): void {
    this.#pools[lane.id]?.close()
    this.#pools[lane.id] = undefined
  }

  close(): void {
    for (const pool of this.#all) pool.close()
  }

  get #all(): readonly LeasePool[] {
    return this.#pools.flatMap((pool) => pool ?? [])
  }
}
