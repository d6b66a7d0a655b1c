/** What a shard is made from. */
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import type { InHand } from '../stats/in-hand.ts'
import type { Lookout } from '../stats/lookout/lookout.ts'
import type { ShardStats } from '../stats/shard-stats.ts'
import type { ShardAddress } from './connection/making/dial.ts'
import type { Credentials } from './lane.ts'

/** Credentials that expire and are replaced; `Shard.authenticate` is called when they are. */
export interface ExpiringCredentials {
  /** Undefined while none are known that live. */
  readonly current: Credentials | undefined
  /** The shard does not want them. */
  refused(): void
}

/** How a shard is dealt with. A reload may change it, and the shard stays. */
export interface ShardSettings {
  /** For lanes that do not say otherwise. */
  readonly credentials: Credentials | undefined
  /** In place of those. */
  readonly expiring?: ExpiringCredentials | undefined
  /** Shared connections in each lane. */
  readonly connections: number
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
}

export interface ShardOptions {
  readonly name: string
  /** The pool that it is in; of one that is in none `default`. */
  readonly pool?: string
  /** Undefined: its server moves, and `relocate` says where it is. */
  readonly address: ShardAddress | undefined
  /** A server that moves has said or done what a master does not: it may have another one by now. */
  readonly onDoubt?: ((sign: 'readOnly' | 'silent') => void) | undefined
  /** For lanes that do not say otherwise. */
  readonly database: number
  readonly settings: ShardSettings
  /** It is a replica in a cluster, which serves only those who have said that they only read. */
  readonly readOnly?: boolean
  readonly turn: Turn
  readonly stats: ShardStats
  readonly inHand: InHand
  readonly logger: Logger
  /** Where slow requests and big replies are told of; undefined: nowhere. */
  readonly lookout?: Lookout
}
