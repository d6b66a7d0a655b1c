/** What the admin pages show: the ambassador as it is at this moment. */
import type { Config } from '../config/config.ts'
import type { Topology } from '../topology/topology.ts'

export interface Snapshot {
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number
  /** The one in use: a reload changes it. */
  readonly config: Config
  readonly topology: Topology
  /** In the order of the configuration. */
  readonly shards: readonly ShardState[]
  readonly clients: number
  readonly lanes: number
  /** It stops: clients are answered what they are owed, and no more are accepted. */
  readonly draining: boolean
}

export interface ShardState {
  readonly name: string
  /** `host:port` or the path of a unix socket; no credentials. */
  readonly address: string
  /** At least one connection takes requests. */
  readonly up: boolean
  /** Requests sent over shared connections and not answered. */
  readonly inFlight: number
  /** Dedicated connections in use. */
  readonly leased: number
  /** Channels and patterns subscribed, once each however many clients have them. */
  readonly topics: number
}

export interface Totals {
  readonly inFlight: number
  readonly leases: number
  readonly topics: number
}

export function totalsOf(shards: readonly ShardState[]): Totals {
  const sum = (of: (shard: ShardState) => number) => {
    return shards.reduce((total, shard) => total + of(shard), 0)
  }
  return {
    inFlight: sum((shard) => shard.inFlight),
    leases: sum((shard) => shard.leased),
    topics: sum((shard) => shard.topics),
  }
}
