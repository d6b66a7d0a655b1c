/**
 * The pools in use, by name, and what is known of all their shards. A reload keeps the pools that it still
 * names, opens new ones, and lets the others end what they have begun.
 */
import type { PoolConfig } from '../config/config.ts'
import { Learning } from '../control/learning.ts'
import { ShardMemory } from '../control/shard-memory.ts'
import type { KeeperState } from '../credentials/keeper.ts'
import type { ClusterState } from '../stats/cluster-state.ts'
import { Epochs } from '../topology/cluster/epochs.ts'
import type { Lane } from '../upstream/lane.ts'
import type { PoolOptions } from './member.ts'
import { Pool } from './pool.ts'
import { Retired } from './retired.ts'
import { SentinelSets } from './sentinel-sets.ts'

/** Is told of changes in clusters. */
export interface PoolsObserver {
  /** There are other shards. */
  mastersChanged(): void
  /** Slots have other owners among them. */
  slotsMoved(): void
}

export class Pools {
  readonly learning: Learning
  readonly memory = new ShardMemory()
  readonly #options: PoolOptions
  readonly #sentinelSets: SentinelSets
  readonly #epochs = new Epochs()
  readonly #retired: Retired
  /** In the order of the configuration. */
  #pools: readonly Pool[] = []
  #hasHadSeveral = false
  readonly #observers = new Set<PoolsObserver>()

  constructor(options: PoolOptions) {
    this.#options = options
    this.learning = new Learning(options)
    this.#sentinelSets = new SentinelSets(options.logger)
    this.#retired = new Retired(options.turn)
  }

  /** In the order of the configuration. */
  get all(): readonly Pool[] {
    return this.#pools
  }

  named(name: string): Pool | undefined {
    return this.#pools.find((pool) => pool.name === name)
  }

  /** There are several shards now, or have been. */
  get hasHadSeveral(): boolean {
    return this.#hasHadSeveral
  }

  /** From now on these are in use; shards that are in none have so long to end what they have begun. */
  configure(configs: readonly PoolConfig[], drainTimeoutMs: number): void {
    const before = this.#pools
    this.#pools = configs.map(({ name }) => {
      return before.find((pool) => pool.name === name) ?? this.#open(name)
    })
    for (const [index, pool] of this.#pools.entries()) {
      pool.configure(configs[index] as PoolConfig, drainTimeoutMs)
    }
    for (const pool of before) if (!this.#pools.includes(pool)) pool.end(drainTimeoutMs)
    const counts = configs.map(({ shards, cluster }) => (cluster === undefined ? shards.length : 2))
    this.#hasHadSeveral ||= counts.reduce((sum, count) => sum + count, 0) > 1
    this.#askAll()
    for (const pool of this.#pools) pool.tellLearning()
  }

  /** Tells the observer what changes without a reload, until the function returned is called. */
  observe(observer: PoolsObserver): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /** How the credentials of each shard are that end by themselves, in order; undefined: it has none. */
  get credentials(): readonly (KeeperState | undefined)[] {
    return this.#pools.flatMap((pool) => pool.credentials)
  }

  /** Of the first pool that is a Redis Cluster. */
  get clusterState(): ClusterState | undefined {
    return this.#pools.find(({ cluster }) => cluster !== undefined)?.cluster?.state
  }

  /** Of all that are in use. */
  get shardNames(): ReadonlySet<string> {
    return new Set(this.#pools.flatMap((pool) => pool.shardNames))
  }

  /**
   * Resolves when the maps of all clusters are known, and at the latest after `withinMs`
   * milliseconds.
   */
  async mapsKnown(withinMs: number): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.mapKnown(withinMs)))
  }

  /** Asks shards nothing more of its own. */
  stopAsking(): void {
    for (const pool of this.#pools) pool.stopAsking()
    this.learning.follow([])
    this.memory.follow([])
  }

  closeLane(lane: Lane): void {
    for (const pool of this.#pools) pool.closeLane(lane)
    for (const left of this.#retired.all) left.closeLane(lane)
  }

  close(): void {
    this.stopAsking()
    for (const pool of this.#pools) pool.close()
    this.#retired.close()
  }

  #open(name: string): Pool {
    return new Pool(name, {
      ...this.#options,
      learning: this.learning,
      sentinelSets: this.#sentinelSets,
      epochs: this.#epochs,
      retire: (left, withinMs) => this.#retired.add(left, withinMs),
      onMasters: () => this.#mastersChanged(),
      onSlots: () => {
        for (const { slotsMoved } of this.#observers) slotsMoved()
      },
    })
  }

  #mastersChanged(): void {
    this.#askAll()
    // Nobody is told any more of those that have gone.
    this.#options.stats.keepShards(this.shardNames)
    for (const { mastersChanged } of this.#observers) mastersChanged()
  }

  #askAll(): void {
    const controls = this.#pools.flatMap((pool) => pool.controls)
    this.learning.follow(controls)
    this.memory.follow(controls)
  }
}
