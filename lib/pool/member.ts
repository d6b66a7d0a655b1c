/** One shard in use, with all that is kept about it as long as it is. */
import type { CommandTable } from '../commands/lookup.ts'
import type { PoolConfig, ShardConfig } from '../config/config.ts'
import { DEFAULT_POOL } from '../config/pool-name.ts'
import type { ControlOptions, RedisAddress } from '../control/ioredis.ts'
import type { Learning } from '../control/learning.ts'
import { ShardControl } from '../control/shard-control.ts'
import type { Keeper } from '../credentials/keeper.ts'
import type { Turn } from '../io/turn.ts'
import type { Logger } from '../logger.ts'
import { shardAddress, tlsKeyOf } from '../shard-address.ts'
import type { Lookout } from '../stats/lookout/lookout.ts'
import { ShardStats } from '../stats/shard-stats.ts'
import type { Stats } from '../stats/stats.ts'
import type { Epochs } from '../topology/cluster/epochs.ts'
import { inGoodStanding, type Standing } from '../topology/ejecting.ts'
import type { Lanes } from '../upstream/lane.ts'
import { Shard } from '../upstream/shard.ts'
import type { ShardOptions, ShardSettings } from '../upstream/shard-options.ts'
import { Follower } from './follower.ts'
import type { Keepers } from './keepers.ts'
import type { ReplicaWatch } from './replica-watch.ts'
import { openReplicas, replicaSettings } from './replicas.ts'
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
  readonly keepers: Keepers
  readonly epochs: Epochs
}

export interface Member {
  /** See `identity`. */
  readonly identity: string
  readonly shard: Shard
  readonly control: ShardControl
  readonly standing: Standing
  /** Of the configuration; must never be shown. */
  password: string | undefined
  /** With certificates; see `certificatesOf`. */
  certificates: string
  /** Undefined: its credentials are the configured ones, for ever. */
  keeper: Keeper | undefined
  /** The keeper tells the shard no more. */
  unobserve: () => void
  /** Where it is and how it is known; undefined for one that has a follower. */
  address: RedisAddress | undefined
  /** Finds its server; undefined for a shard with an address. */
  follower: Follower | undefined
  /** Its replicas; undefined where all is read from the master. */
  replicas: ReplicaWatch | undefined
  /** Ends the reports about the shard. */
  readonly detach: () => void
}

/** As operators know it: names are unique in a pool only. */
function shardNameIn({ name: pool }: PoolConfig, { name }: ShardConfig): string {
  return pool === DEFAULT_POOL ? name : `${pool}/${name}`
}

/** The identity of a shard: its name, server, database and user. */
export function identity(config: ShardConfig): string {
  // Other sentinels may name the same master, and replicas come and go: the shard stays as it is.
  const { weight: _, password: __, replicas: ___, sentinel, ...shard } = config
  return JSON.stringify([shard, sentinel?.master])
}

/** What else decides how connections are made. It holds a key and must never be shown. */
function certificatesOf({ tls }: ShardConfig, config: PoolConfig): string {
  return JSON.stringify(tls ? tlsKeyOf(config) : null)
}

/** Opens a shard and lets `learning` know whenever it comes up. */
export function openMember(
  shardConfig: ShardConfig,
  config: PoolConfig,
  options: MemberOptions,
): Member {
  const name = shardNameIn(config, shardConfig)
  const { learning, onShardChange, keepers } = options
  const keeper = keepers.for(shardConfig, config)
  const address = shardAddress(shardConfig, config)
  const found: Pick<Member, 'address' | 'follower' | 'replicas'> = {
    ...{ address, follower: undefined, replicas: undefined },
  }
  const now = (): RedisAddress | undefined => found.address ?? found.follower?.serverAddress
  const inCluster = config.cluster !== undefined
  const control = new ShardControl(name, now, controlOf(shardConfig, config, keeper), inCluster)
  const onDoubt = (sign: 'readOnly' | 'silent') => found.follower?.doubt(sign)
  const where = address === undefined ? { address, onDoubt } : { address }
  const shard = openShard(shardConfig, config, options, { ...where, keeper })
  const detach = shard.observe({
    changed: (up) => {
      void learning.shardIs(control, up)
      onShardChange(name, up)
    },
    moved: () => found.replicas?.masterMoved(),
  })
  const standing = inGoodStanding()
  const kept = { identity: identity(shardConfig), shard, control, standing, detach }
  const { password } = shardConfig
  const certificates = certificatesOf(shardConfig, config)
  const secrets = { password, certificates, keeper, unobserve: () => {} }
  const member: Member = Object.assign(found, kept, secrets)
  member.unobserve = observe(keeper, member)
  replicate(member, shardConfig, config, options)
  follow(member, shardConfig, config, options)
  return member
}

/** The shard goes on with its new configuration. */
export function configureMember(
  member: Member,
  shardConfig: ShardConfig,
  config: PoolConfig,
  options: MemberOptions,
): void {
  const { shard, control } = member
  const before = { ...member }
  const keeper = options.keepers.for(shardConfig, config)
  member.keeper = keeper
  member.password = shardConfig.password
  member.certificates = certificatesOf(shardConfig, config)
  member.unobserve()
  member.unobserve = observe(keeper, member)
  shard.configure(settingsOf(shardConfig, config, keeper))
  control.configure(controlOf(shardConfig, config, keeper))
  const isReachedAnew = member.certificates !== before.certificates
  const hasOtherLogin = member.password !== before.password || keeper !== before.keeper
  // Few, and idle when nobody reads: to open them again is simpler than to teach them.
  if (isReachedAnew || hasOtherLogin) endReplicas(member)
  replicate(member, shardConfig, config, options)
  follow(member, shardConfig, config, options)
  if (isReachedAnew) {
    member.address = shardAddress(shardConfig, config)
    shard.reconnect(member.address ?? member.follower?.serverAddress)
  } else if (hasOtherLogin) {
    shard.authenticate()
  }
}

/** Lets the shard and its replicas know of other credentials, until the function returned is called. */
function observe(keeper: Keeper | undefined, member: Member): () => void {
  const onOthers = (): void => {
    member.shard.authenticate()
    for (const server of member.replicas?.servers ?? []) server.authenticate()
  }
  return keeper?.observe(onOthers) ?? (() => {})
}

/** From now on the shard is found as this configuration says; nothing for one with an address. */
function follow(
  member: Member,
  shardConfig: ShardConfig,
  config: PoolConfig,
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
    login: () => member.keeper?.current ?? shardConfig,
    address: before?.address,
    onReplicas: (replicas) => member.replicas?.follow(replicas),
    now: () => turn.now(),
    logger,
  })
  before?.close()
}

/** From now on its replicas are read from as this configuration says. */
function replicate(
  member: Member,
  shardConfig: ShardConfig,
  config: PoolConfig,
  options: MemberOptions,
): void {
  if (config.readFrom === 'master') {
    endReplicas(member)
    return
  }
  const settings = settingsOf(shardConfig, config, member.keeper)
  const control = controlOf(shardConfig, config, member.keeper)
  const parts = { ...options, shardConfig, config, settings, control }
  const master = () => member.address ?? member.follower?.serverAddress
  member.replicas?.configure(config, replicaSettings(settings))
  member.replicas ??= openReplicas({ ...parts, master })
  member.shard.replicas = member.replicas.set
  if (shardConfig.sentinel === undefined) member.replicas.follow(shardConfig.replicas)
}

function endReplicas(member: Member): void {
  member.replicas?.close()
  member.replicas = undefined
  member.shard.replicas = undefined
}

/** Stands in for shards whose servers are unknown: requests wait until their time is up. */
export function openNobody(
  config: PoolConfig,
  { turn, lanes, lookout, stats, logger }: PoolOptions,
): Shard {
  const name = config.name === DEFAULT_POOL ? 'cluster' : config.name
  const settings = settingsOf({ username: undefined, password: undefined }, config, undefined)
  const parts = { turn, stats: new ShardStats(), inHand: stats.inHand, logger, lookout }
  const where = { pool: config.name, address: undefined, database: 0 }
  return new Shard({ name, ...where, settings, ...parts }, lanes.first)
}

function openShard(
  shardConfig: ShardConfig,
  config: PoolConfig,
  { turn, lanes, lookout, stats, logger }: PoolOptions,
  { keeper, ...where }: Pick<ShardOptions, 'address' | 'onDoubt'> & Pick<Member, 'keeper'>,
): Shard {
  const { database } = shardConfig
  const name = shardNameIn(config, shardConfig)
  const { inHand } = stats
  const settings = settingsOf(shardConfig, config, keeper)
  const parts = { turn, stats: stats.shard(name), inHand, logger, lookout }
  return new Shard({ name, pool: config.name, ...where, database, settings, ...parts }, lanes.first)
}

function settingsOf(
  { username, password }: Pick<ShardConfig, 'username' | 'password'>,
  config: PoolConfig,
  expiring: Keeper | undefined,
): ShardSettings {
  return {
    expiring,
    credentials: password === undefined ? undefined : { username, password },
    connections: config.connectionsPerShard,
    connectTimeoutMs: config.connectTimeoutMs,
    requestTimeoutMs: requestTimeoutMs(config),
  }
}

/** Looked at whenever something is asked: with credentials that end, these are others each time. */
function controlOf(
  shardConfig: ShardConfig,
  { connectTimeoutMs: timeoutMs }: PoolConfig,
  keeper: Keeper | undefined,
): () => ControlOptions {
  return () => {
    const { username, password } = keeper?.current ?? shardConfig
    return { username, password, timeoutMs }
  }
}

/** Infinity: requests may take for ever. */
export function requestTimeoutMs(config: PoolConfig): number {
  return config.requestTimeoutMs === 0 ? Number.POSITIVE_INFINITY : config.requestTimeoutMs
}
