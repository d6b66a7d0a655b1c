/**
 * Opens what reads from one shard's replicas need: connections like the shard's own, and a watch over the
 * replicas.
 */
import type { PoolConfig, ShardConfig } from '../config/config.ts'
import { type ControlOptions, openControl, type RedisAddress } from '../control/ioredis.ts'
import { ReplicationAsker } from '../control/replication.ts'
import type { Turn } from '../io/turn.ts'
import { REPLICA_LAST_IO_S_MAX, REPLICATION_ANSWER_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { serverAddressOf } from '../shard-address.ts'
import type { Lookout } from '../stats/lookout/lookout.ts'
import { ShardStats } from '../stats/shard-stats.ts'
import type { Stats } from '../stats/stats.ts'
import type { Lanes } from '../upstream/lane.ts'
import { Shard } from '../upstream/shard.ts'
import type { ShardSettings } from '../upstream/shard-options.ts'
import { ReplicaWatch } from './replica-watch.ts'

export interface ReplicasOptions {
  readonly shardConfig: ShardConfig
  readonly config: PoolConfig
  readonly settings: ShardSettings
  /** Looked at whenever something is asked. */
  readonly control: () => ControlOptions
  /** Where the master is now; undefined while that is not known. */
  readonly master: () => RedisAddress | undefined
  readonly turn: Turn
  readonly lanes: Lanes
  readonly lookout: Lookout
  readonly stats: Stats
  readonly logger: Logger
}

/** A read that a replica does not answer needs time for another server. */
export function replicaSettings(settings: ShardSettings): ShardSettings {
  return { ...settings, requestTimeoutMs: settings.requestTimeoutMs / 2 }
}

export function openReplicas(options: ReplicasOptions): ReplicaWatch {
  const { shardConfig, config, control, master, turn, logger } = options
  return new ReplicaWatch(config, {
    name: shardConfig.name,
    now: () => turn.now(),
    logger,
    openServer: (address) => openServer(address, options),
    askerOf: (address, asksZone) => {
      const open = () => {
        const place =
          address === undefined ? master() : serverAddressOf(address, shardConfig, config)
        const login = control()
        const timeoutMs = Math.min(login.timeoutMs, REPLICATION_ANSWER_MS)
        return place && openControl(place, { ...login, timeoutMs })
      }
      return new ReplicationAsker({ open, lastIoSecondsMax: REPLICA_LAST_IO_S_MAX, asksZone })
    },
  })
}

function openServer(
  address: { readonly host: string; readonly port: number },
  { shardConfig, config, settings, turn, lanes, lookout, stats }: ReplicasOptions,
): Shard {
  const { name, database } = shardConfig
  const parts = { turn, stats: new ShardStats(), inHand: stats.inHand, lookout }
  return new Shard(
    {
      name,
      address: serverAddressOf(address, shardConfig, config),
      database,
      readOnly: config.cluster !== undefined,
      settings: replicaSettings(settings),
      logger: UNTOLD,
      ...parts,
    },
    lanes.first,
  )
}

/** The watch decides whether a replica serves; open connections alone do not. */
const UNTOLD: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
