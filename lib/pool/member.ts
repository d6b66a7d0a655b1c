/** One shard in use, with all that is kept about it as long as it is. */
import type { CommandTable } from '../commands/lookup.ts'
import type { Config, ShardConfig } from '../config/config.ts'
import type { Learning } from '../control/learning.ts'
import { ShardControl } from '../control/shard-control.ts'
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import { shardAddress } from '../shard-address.ts'
import type { Lookout } from '../stats/lookout/lookout.ts'
import type { Stats } from '../stats/stats.ts'
import { inGoodStanding, type Standing } from '../topology/ejecting.ts'
import type { Lanes } from '../upstream/lane.ts'
import { Shard } from '../upstream/shard.ts'

export interface PoolOptions {
  readonly turn: Turn
  readonly lanes: Lanes
  readonly table: CommandTable
  readonly lookout: Lookout
  readonly stats: Stats
  /** A shard has gone or is back. */
  readonly onShardChange: (name: string, up: boolean) => void
  readonly logger: Logger
}

export interface Member {
  /** What it was opened by; see `identity`. */
  readonly identity: string
  readonly shard: Shard
  readonly control: ShardControl
  readonly standing: Standing
  /** Tells nobody any more how the shard fares. */
  readonly detach: () => void
}

/** All that decides how a shard is connected to. Holds a password and must never be shown. */
export function identity({ weight: _, ...shard }: ShardConfig, config: Config): string {
  const { connectionsPerShard, connectTimeoutMs, requestTimeoutMs } = config
  const tls = shard.tls ? config.shardTls : undefined
  return JSON.stringify([shard, tls, connectionsPerShard, connectTimeoutMs, requestTimeoutMs])
}

/** Opens a shard and lets `learning` know whenever it comes up. */
export function openMember(
  config: ShardConfig,
  pool: Config,
  options: PoolOptions,
  learning: Learning,
): Member {
  const { name, username, password } = config
  const address = shardAddress(config, pool)
  const timeoutMs = pool.connectTimeoutMs
  const control = new ShardControl(name, address, { username, password, timeoutMs })
  const shard = openShard(config, pool, options)
  const detach = shard.observe({
    changed: (up) => {
      void learning.shardIs(control, up)
      options.onShardChange(name, up)
    },
    moved: () => void learning.shardIs(control, true),
  })
  return { identity: identity(config, pool), shard, control, standing: inGoodStanding(), detach }
}

function openShard(shard: ShardConfig, config: Config, options: PoolOptions): Shard {
  const { turn, lanes, lookout, stats, logger } = options
  const { name, database, username, password } = shard
  const shardOptions = {
    name,
    address: shardAddress(shard, config),
    database,
    credentials: password === undefined ? undefined : { username, password },
    connections: config.connectionsPerShard,
    connectTimeoutMs: config.connectTimeoutMs,
    requestTimeoutMs: requestTimeoutMs(config),
    turn,
    stats: stats.shard(name),
    latencies: stats.latencies,
    logger,
    lookout,
  }
  return new Shard(shardOptions, lanes.first)
}

/** Infinity: requests may take for ever. */
export function requestTimeoutMs(config: Config): number {
  return config.requestTimeoutMs === 0 ? Number.POSITIVE_INFINITY : config.requestTimeoutMs
}
