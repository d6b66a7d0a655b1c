/** What the admin pages show: the ambassador as it is at this moment. */
import type { Config, PoolConfig } from '../../config/config.ts'
import type { KeeperState } from '../../credentials/keeper.ts'
import type { ClusterState } from '../../stats/cluster-state.ts'
import type { Lookout } from '../../stats/lookout/lookout.ts'
import type { MirrorState } from '../../stats/mirror/mirror-counts.ts'
import type { NearCacheState } from '../../stats/near-cache-stats.ts'
import type { PreflightReport } from '../../stats/preflight/rehearsal.ts'
import type { ShardStats } from '../../stats/shard-stats.ts'
import type { Stats } from '../../stats/stats.ts'
import type { TopologyView } from '../../topology/topology.ts'

export interface Snapshot {
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number
  /** The one in use: a reload changes it. */
  readonly config: Config
  /** Of all pools as one Redis. */
  readonly topology: TopologyView
  /** Of what stands behind addresses that lead to this pool alone; undefined: no address does. */
  readonly placesBehind: (pool: string) => KeyPlaces | undefined
  /** The pool of a key, as it is configured. */
  readonly poolOf: (key: Uint8Array) => PoolConfig
  /** In the order of the configuration. */
  readonly shards: readonly ShardState[]
  /** Undefined where shards are no Redis Cluster. */
  readonly cluster: ClusterState | undefined
  readonly clients: number
  readonly lanes: number
  /** It stops: clients are answered what they are owed, and no more are accepted. */
  readonly draining: boolean
  readonly lookout: Lookout
  /** Undefined: nothing is rehearsed. */
  readonly preflight: () => PreflightReport | undefined
  readonly stats: Stats
  /** Name of the command whose row has this id; none for requests that no row fits. */
  readonly commandName: (command: number) => string | undefined
  /**
   * For each shard the bytes of its data, as the shard last told. A call also lets the shards be
   * asked again.
   */
  readonly usedMemory: () => readonly (number | undefined)[]
  /** For each shard the state of its expiring credentials; undefined: it has none. */
  readonly credentials: () => readonly (KeeperState | undefined)[]
  /** Of the pools that are mirrored. */
  readonly mirrors: () => readonly MirrorState[]
  /** Undefined: the near-cache is off. */
  readonly nearCache: () => NearCacheState | undefined
  /** Of all clients. Asked once for each page, since it looks at every one of them. */
  readonly clientQueues: () => ClientQueues
}

/** From keys to shards, and how. */
export interface KeyPlaces {
  readonly topology: TopologyView
  readonly poolOf: (key: Uint8Array) => PoolConfig
  readonly shards: readonly ShardState[]
}

export interface ClientQueues {
  /** Requests that have come in and are not answered. */
  readonly inFlight: number
  /** Bytes of requests that are incomplete or wait. */
  readonly inputBytes: number
  /** Bytes of replies that wait for their turn or for the client to read them. */
  readonly outputBytes: number
}

export interface ShardState {
  readonly name: string
  /** The pool that it is in. */
  readonly pool: string
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
  /** Open or being opened, of every kind. */
  readonly connections: number
  /** Bytes of requests that wait for the shard to take them, on shared connections. */
  readonly unsentBytes: number
  readonly stats: ShardStats
  readonly history: ServerHistory
  /** Undefined where all is read from the master. */
  readonly replicas: ReplicasState | undefined
}

/** Times in milliseconds since the epoch. */
export interface ServerHistory {
  /** Since when the server is where it is. */
  readonly sinceMs: number
  /** How often another server has taken over. */
  readonly moves: number
  /** `tookMs` counts from the moment in which the previous server stopped serving. */
  readonly lastMove: { readonly atMs: number; readonly tookMs: number } | undefined
}

export interface ReplicaState {
  readonly address: string
  /** It is read from. */
  readonly serves: boolean
  /** Why it is not read from. */
  readonly ailment: string | undefined
  readonly lagBytes: number | undefined
  /** Since when it serves, or does not. */
  readonly sinceMs: number
}

export interface ReplicasState {
  readonly list: readonly ReplicaState[]
  readonly serving: number
  readonly reads: number
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

export function queuesOf(clients: Iterable<{ readonly session: ClientQueues }>): ClientQueues {
  const queues = { inFlight: 0, inputBytes: 0, outputBytes: 0 }
  for (const { session } of clients) {
    queues.inFlight += session.inFlight
    queues.inputBytes += session.inputBytes
    queues.outputBytes += session.outputBytes
  }
  return queues
}
