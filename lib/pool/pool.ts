/**
 * The shards of one pool, and what is known of each, across reloads. A reload keeps the shards that are
 * configured as before, opens the new ones, and lets the others end what they have begun.
 */
import type { PoolConfig, ShardConfig } from '../config/config.ts'
import type { ShardControl } from '../control/shard-control.ts'
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
import { configureMember, identity, type Member, type MemberOptions, openMember } from './member.ts'
import type { Retiring } from './retired.ts'

/** What a pool shares with the others. */
export interface SharedOptions extends Omit<MemberOptions, 'keepers'> {
  /** Closes it once it owes nothing, or its time is up. */
  readonly retire: (left: Retiring, withinMs: number) => void
  /** Without a reload there are other shards. */
  readonly onMasters: () => void
  /** Slots have moved between them. */
  readonly onSlots: () => void
}

export class Pool {
  readonly name: string
  readonly #options: SharedOptions & MemberOptions
  readonly #keepers: Keepers
  /** In the order of the configuration. */
  #members: readonly Member[] = []
  /** In place of members; and what makes it this one. */
  #cluster: Cluster | undefined
  #clusterIdentity: string | undefined
  #drainTimeoutMs = 0

  constructor(name: string, options: SharedOptions) {
    this.name = name
    const { logger, turn } = options
    this.#keepers = new Keepers({ logger, now: () => turn.now() })
    this.#options = { ...options, keepers: this.#keepers }
  }

  /** In the order of the configuration; of a cluster its masters, or who stands for them. At least one. */
  get shards(): readonly Shard[] {
    return this.#cluster?.shards ?? this.#members.map(({ shard }) => shard)
  }

  /** Undefined: the shards stay the same from one reload to the next. */
  get cluster(): Cluster | undefined {
    return this.#cluster
  }

  /** Undefined where all is read from the master. */
  replicasOf(master: Shard): ReplicaSet | undefined {
    const members = this.#cluster?.members ?? this.#members
    return members.find(({ shard }) => shard === master)?.replicas?.set
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

  /** What asks each, in the same order. */
  get controls(): readonly ShardControl[] {
    return (this.#cluster?.masters ?? this.#members).map(({ control }) => control)
  }

  /**
   * From now on these shards are in use; others have `drainTimeoutMs` to end what they have begun.
   */
  configure(config: PoolConfig, drainTimeoutMs: number): void {
    const before = this.#members
    this.#drainTimeoutMs = drainTimeoutMs
    this.#members = config.shards.map((shard) => this.#memberFor(shard, config))
    this.#configureCluster(config)
    for (const { standing } of this.#members) {
      if (!config.ejectShards) Object.assign(standing, inGoodStanding())
    }
    for (const member of before) {
      if (!this.#members.includes(member)) this.#retire(member)
    }
    const map = config.cluster && this.#keepers.for(clusterPlace(config.cluster), config)
    const members = this.#cluster?.members ?? this.#members
    this.#keepers.keepOnly(new Set([map, ...members.map(({ keeper }) => keeper)]))
  }

  /** Shards that have learnt a command since are read again. */
  tellLearning(): void {
    const { learning } = this.#options
    for (const { shard, control } of this.#members) {
      if (shard.lastUp !== undefined) void learning.shardIs(control, shard.lastUp)
    }
  }

  /** It is no longer configured. */
  end(drainTimeoutMs: number): void {
    this.#drainTimeoutMs = drainTimeoutMs
    for (const member of this.#members) this.#retire(member)
    this.#members = []
    this.#endCluster()
    this.#keepers.keepOnly(new Set())
  }

  /** Of all that are in use. */
  get shardNames(): readonly string[] {
    const members = this.#cluster?.members ?? this.#members
    return members.map(({ shard }) => shard.name)
  }

  /**
   * Resolves when the map of a cluster is known, and at the latest after `withinMs` milliseconds; at once
   * without a cluster.
   */
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
  }

  closeLane(lane: Lane): void {
    const members = this.#cluster?.members ?? this.#members
    const replicas = members.flatMap((member) => member.replicas?.servers ?? [])
    for (const shard of [...members.map((member) => member.shard), ...replicas]) {
      shard.closeLane(lane)
    }
  }

  close(): void {
    this.#keepers.keepOnly(new Set())
    this.#cluster?.close()
    for (const { follower, replicas, shard } of this.#members) {
      follower?.close()
      replicas?.close()
      shard.close()
    }
  }

  #configureCluster(config: PoolConfig): void {
    const identity = config.cluster && clusterIdentity(config.cluster)
    const options = this.#options
    if (identity !== this.#clusterIdentity) {
      this.#endCluster()
      this.#clusterIdentity = identity
      const retire = (member: Member, withinMs?: number) => this.#retire(member, withinMs)
      const { onMasters, onSlots } = options
      this.#cluster =
        identity === undefined
          ? undefined
          : openCluster(config, options, { retire, onMasters, onSlots })
    } else {
      this.#cluster?.configure(clusterSettings(config, options))
    }
  }

  /** It goes on looking for the owners of slots until its requests have their replies. */
  #endCluster(): void {
    if (this.#cluster !== undefined) this.#options.retire(this.#cluster, this.#drainTimeoutMs)
    this.#cluster = undefined
  }

  #memberFor(shard: ShardConfig, config: PoolConfig): Member {
    const wanted = identity(shard)
    const known = this.#members.find((member) => member.identity === wanted)
    if (known !== undefined) configureMember(known, shard, config, this.#options)
    return known ?? openMember(shard, config, this.#options)
  }

  #retire(member: Member, withinMs = this.#drainTimeoutMs): void {
    const { shard, follower, replicas, detach, unobserve } = member
    detach()
    unobserve()
    follower?.close()
    // What is under way at a replica goes on at the master, which is given time.
    replicas?.close()
    this.#options.retire(shard, Math.min(withinMs, this.#drainTimeoutMs))
  }
}
