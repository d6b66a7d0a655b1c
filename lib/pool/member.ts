/** One shard in use, with all that is kept about it as long as it is. */
import type { CommandTable } from '../commands/lookup.ts'
import type { Config, ShardConfig } from '../config/config.ts'
import type { RedisAddress } from '../control/ioredis.ts'
import type { Learning } from '../control/learning.ts'
import { ShardControl } from '../control/shard-control.ts'
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import { serverAddressOf, shardAddress } from '../shard-address.ts'
import type { Lookout } from '../stats/lookout/lookout.ts'
import type { Stats } from '../stats/stats.ts'
import { inGoodStanding, type Standing } from '../topology/ejecting.ts'
import type { Lanes } from '../upstream/lane.ts'
import { Shard } from '../upstream/shard.ts'
import type { ShardOptions } from '../upstream/shard-options.ts'
import { Follower } from './follower.ts'
import type { SentinelSets } from './sentinel-sets.ts'

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

export interface MemberOptions extends PoolOptions {
  readonly learning: Learning
  readonly sentinelSets: SentinelSets
}

export interface Member {
  /** What it was opened by; see `identity`. */
  readonly identity: string
  readonly shard: Shard
  readonly control: ShardControl
  readonly standing: Standing
  /** Finds its server; undefined for a shard with an address. */
  follower: Follower | undefined
  /** Tells nobody any more how the shard fares. */
  readonly detach: () => void
}

/** All that decides how a shard is connected to. Holds a password and must never be shown. */
export function identity({ weight: _, sentinel, ...shard }: ShardConfig, config: Config): string {
  const { connectionsPerShard, connectTimeoutMs, requestTimeoutMs } = config
  const tls = shard.tls ? config.shardTls : undefined
  // Other sentinels may name the same master: then the shard stays as it is.
  const place = sentinel?.master
  return JSON.stringify([
    ...[shard, place, tls],
    ...[connectionsPerShard, connectTimeoutMs, requestTimeoutMs],
  ])
}

/** Opens a shard and lets `learning` know whenever it comes up. */
export function openMember(config: ShardConfig, pool: Config, options: MemberOptions): Member {
  const { name, username, password } = config
  const { learning, onShardChange } = options
  const address = shardAddress(config, pool)
  const timeoutMs = pool.connectTimeoutMs
  const member: { follower: Follower | undefined } = { follower: undefined }
  const now = (): RedisAddress | undefined => {
    const found = member.follower?.address
    return address ?? (found && serverAddressOf(found, config, pool))
  }
  const control = new ShardControl(name, now, { username, password, timeoutMs })
  const onDoubt = (sign: 'readOnly' | 'silent') => member.follower?.doubt(sign)
  const shard = openShard(config, pool, options, address === undefined ? onDoubt : undefined)
  const detach = shard.observe({
    changed: (up) => {
      void learning.shardIs(control, up)
      onShardChange(name, up)
    },
  })
  const kept = { shard, control, standing: inGoodStanding(), detach }
  return Object.assign(member, kept, { identity: identity(config, pool) })
}

/** From now on the shard is found as this configuration says; nothing for one with an address. */
export function follow(
  member: Member,
  shardConfig: ShardConfig,
  config: Config,
  { sentinelSets, turn, logger }: MemberOptions,
): void {
  const { sentinel } = shardConfig
  if (sentinel === undefined) return
  const before = member.follower
  member.follower = new Follower({
    shard: member.shard,
    shardConfig,
    config,
    master: sentinel.master,
    sentinels: sentinelSets.for(sentinel, config),
    address: before?.address,
    now: () => turn.now(),
    logger,
  })
  before?.close()
}

function openShard(
  shard: ShardConfig,
  config: Config,
  options: PoolOptions,
  onDoubt: ShardOptions['onDoubt'],
): Shard {
  const { turn, lanes, lookout, stats, logger } = options
  const { name, database, username, password } = shard
  const shardOptions = {
    name,
    address: shardAddress(shard, config),
    onDoubt,
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
