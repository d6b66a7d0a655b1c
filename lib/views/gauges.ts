/** What is under way, counted over clients and shards. */
import type { Client } from '../dispatcher/core/client.ts'
import type { Shard } from '../upstream/shard.ts'

/** What is under way, as counts. */
export interface Gauges {
  readonly clients: number
  /** Requests sent over shared shard connections and not answered yet, tombstones included. */
  readonly inFlight: number
  /** Dedicated shard connections in use; idle ones do not count. */
  readonly leases: number
  /** Channels and patterns subscribed on shards. Each counts once, by however many clients. */
  readonly topics: number
}

export function gaugesOf(clients: ReadonlyMap<number, Client>, shards: readonly Shard[]): Gauges {
  const sum = (of: (shard: Shard) => number) => shards.reduce((total, each) => total + of(each), 0)
  return {
    clients: clients.size,
    inFlight: sum((shard) => shard.inFlight + (shard.replicas?.inFlight ?? 0)),
    leases: sum((shard) => shard.leased),
    topics: sum((shard) => shard.topics),
  }
}
