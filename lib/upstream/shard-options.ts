/** What a shard is made from. */
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import type { Latencies } from '../stats/latencies.ts'
import type { Lookout } from '../stats/lookout/lookout.ts'
import type { ShardStats } from '../stats/shard-stats.ts'
import type { ShardAddress } from './connection/dial.ts'
import type { Credentials } from './lane.ts'

export interface ShardOptions {
  readonly name: string
  readonly address: ShardAddress
  /** For lanes that do not say otherwise. */
  readonly database: number
  readonly credentials: Credentials | undefined
  /** Shared connections in each lane. */
  readonly connections: number
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly turn: Turn
  readonly stats: ShardStats
  readonly latencies: Latencies
  readonly logger: Logger
  /** Where slow requests and big replies are told of; undefined: nowhere. */
  readonly lookout?: Lookout
}
