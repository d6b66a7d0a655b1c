/**
 * The shards in use, and what is known of each whichever configuration it came with: what it can do,
 * how much memory it uses, how it has failed. A reload keeps the shards that are configured as before,
 * opens the new ones, and lets the others end what they have begun.
 */
import type { PoolConfig, ShardConfig } from '../config/config.ts'
import { Learning } from '../control/learning.ts'
import { ShardMemory } from '../control/shard-memory.ts'
import type { KeeperState } from '../credentials/keeper.ts'
import { clusterPlace } from '../credentials/shard-source.ts'
import { timerMs } from '../timer.ts'
import { inGoodStanding, type Standing } from '../topology/ejecting.ts'
import type { Lane } from '../upstream/lane.ts'
import type { ReplicaSet } from '../upstream/replicas/replica-set.ts'
import type { Shard } from '../upstream/shard.ts'
import type { Cluster } from './cluster/cluster.ts'
import { clusterIdentity, clusterSettings, openCluster } from './cluster/open-cluster.ts'
import { Keepers } from './keepers.ts'
import {
  configureMember,
  identity,
  type Member,
  type MemberOptions,
  openMember,
  type PoolOptions,
} from './member.ts'
import { Retired } from './retired.ts'
import { SentinelSets } from './sentinel-sets.ts'

export class Pool {
  readonly learning: Learning
  readonly memory = new ShardMemory()
  readonly sentinelSets: SentinelSets
  readonly keepers: Keepers
  readonly #options: PoolOptions
  /** In the order of the configuration. */
  #members: readonly Member[] = []
  #hasHadSeveral = false
  /** In place of members; and what makes it this one. */
  #cluster: Cluster | undefined
  #clusterIdentity: string | undefined
  #drainTimeoutMs = 0
  readonly #retired: Retired
  /** Who is told when there are other shards, without a reload. */
  readonly #observers = new Set<() => void>()

  constructor(options: PoolOptions) {
    this.#options = options
    this.#retired = new Retired(options.turn)
    this.learning = new Learning(options)
    this.sentinelSets = new SentinelSets(options.logger)
    const { logger, turn } = options
    this.keepers = new Keepers({ logger, now: () => turn.now() })
  }

  /** In the order of the configuration; of a cluster its masters, or who stands for them. At least one. */
  get shards(): readonly Shard[] {
    return this.#cluster?.shards ?? this.#members.map(({ shard }) => shard)
  }

  /** Undefined: the shards stay the same from one reload to the next. */
  get cluster(): Cluster | undefined {
    return this.#cluster
  }

  /** Calls back whenever there are other shards without a reload, until the function returned is called. */
  observe(onShards: () => void): () => void {
    this.#observers.add(onShards)
    return () => this.#observers.delete(onShards)
  }

  /** Of each shard, in the same order; undefined where all is read from the master. */
  get replicaSets(): readonly (ReplicaSet | undefined)[] {
    return this.#members.map(({ replicas }) => replicas?.set)
  }

  /** There are several shards now, or have been. */
  get hasHadSeveral(): boolean {
    return this.#hasHadSeveral
  }

  /** How the credentials of each are that end by themselves, in the same order; undefined: it has none. */
  get credentials(): readonly (KeeperState | undefined)[] {
    const members = this.#cluster?.members ?? this.#members
    return this.shards.map((shard) => members.find((each) => each.shard === shard)?.keeper?.state)
  }

  /** How each has fared, in the same order. */
  get standings(): readonly Standing[] {
    return this.#members.map(({ standing }) => standing)
  }

  /** From now on these shards are in use; others have so long to end what they have begun. */
  configure(config: PoolConfig, drainTimeoutMs: number): void {
    const before = this.#members
    this.#drainTimeoutMs = drainTimeoutMs
    this.#members = config.shards.map((shard) => this.#memberFor(shard, config))
    this.#configureCluster(config)
    this.#hasHadSeveral ||= this.#members.length > 1 || this.#cluster !== undefined
    this.#askAll()
    for (const { shard, control, standing } of this.#members) {
      if (!config.ejectShards) Object.assign(standing, inGoodStanding())
      // It may have learnt a command since.
      if (shard.lastUp !== undefined) void this.learning.shardIs(control, shard.lastUp)
    }
    for (const member of before) {
      if (!this.#members.includes(member)) this.#retire(member)
    }
    const map = config.cluster && this.keepers.for(clusterPlace(config.cluster), config)
    const members = this.#cluster?.members ?? this.#members
    this.keepers.keepOnly(new Set([map, ...members.map(({ keeper }) => keeper)]))
  }

  /** Of all that are in use. */
  get shardNames(): ReadonlySet<string> {
    const members = this.#cluster?.members ?? this.#members
    return new Set(members.map(({ shard }) => shard.name))
  }

  /** Resolves when the map of a cluster is known, or so many milliseconds later; at once without a cluster. */
  async mapKnown(withinMs: number): Promise<void> {
    const cluster = this.#cluster
    if (cluster === undefined) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timerMs(withinMs))
      cluster.onceKnown(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Asks shards nothing more of its own. */
  stopAsking(): void {
    this.#cluster?.stopAsking()
    this.learning.follow([])
    this.memory.follow([])
  }

  closeLane(lane: Lane): void {
    for (const shard of this.#open) shard.closeLane(lane)
  }

  close(): void {
    this.stopAsking()
    this.keepers.keepOnly(new Set())
    this.#cluster?.close()
    for (const { follower, replicas, shard } of this.#members) {
      follower?.close()
      replicas?.close()
      shard.close()
    }
    this.#retired.close()
  }

  /** All that have connections. */
  get #open(): readonly Shard[] {
    const ours = this.#cluster?.members ?? this.#members
    const replicas = this.#members.flatMap((member) => member.replicas?.servers ?? [])
    return [...ours.map(({ shard }) => shard), ...replicas, ...this.#retired.shards]
  }

  #configureCluster(config: PoolConfig): void {
    const identity = config.cluster && clusterIdentity(config.cluster)
    const options = this.#memberOptions
    if (identity !== this.#clusterIdentity) {
      this.#cluster?.close()
      this.#clusterIdentity = identity
      const retire = (member: Member, withinMs?: number) => this.#retire(member, withinMs)
      const onMasters = () => this.#mastersChanged()
      this.#cluster =
        identity === undefined ? undefined : openCluster(config, options, { retire, onMasters })
    } else {
      this.#cluster?.configure(clusterSettings(config, options))
    }
  }

  #mastersChanged(): void {
    this.#askAll()
    // Nobody is told any more of those that have gone.
    this.#options.stats.keepShards(this.shardNames)
    for (const onShards of this.#observers) onShards()
  }

  #askAll(): void {
    const controls = (this.#cluster?.masters ?? this.#members).map(({ control }) => control)
    this.learning.follow(controls)
    this.memory.follow(controls)
  }

  get #memberOptions(): MemberOptions {
    const { learning, sentinelSets, keepers } = this
    return { ...this.#options, learning, sentinelSets, keepers }
  }

  #memberFor(shard: ShardConfig, config: PoolConfig): Member {
    const wanted = identity(shard)
    const known = this.#members.find((member) => member.identity === wanted)
    if (known !== undefined) configureMember(known, shard, config, this.#memberOptions)
    return known ?? openMember(shard, config, this.#memberOptions)
  }

  #retire(member: Member, withinMs = this.#drainTimeoutMs): void {
    const { shard, follower, replicas, detach, unobserve } = member
    detach()
    unobserve()
    follower?.close()
    // What is under way at a replica goes on at the master, which is given time.
    replicas?.close()
    this.#retired.add(shard, Math.min(withinMs, this.#drainTimeoutMs))
  }
}
