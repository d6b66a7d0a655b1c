/**
 * The pools that are sent copies. They stand apart from those that clients see: what their servers can do, how
 * they fare and what they answer is neither learnt from nor counted with the others.
 */
import { CommandTable } from '../../commands/lookup.ts'
import { builtInCommands } from '../../commands/table.ts'
import type { Config, PoolConfig } from '../../config/config.ts'
import type { Turn } from '../../io/turn.ts'
import type { Logger } from '../../logger.ts'
import { Lookout } from '../../stats/lookout/lookout.ts'
import { MirrorCounts, type MirrorState } from '../../stats/mirror/mirror-counts.ts'
import { Stats } from '../../stats/stats.ts'
import type { Lane, Lanes } from '../../upstream/lane.ts'
import { Pools } from '../pools.ts'
import { PoolTopology } from '../router/pool-topology.ts'

export interface MirrorsOptions {
  readonly turn: Turn
  readonly lanes: Lanes
  readonly logger: Logger
}

export class Mirrors {
  readonly #options: MirrorsOptions
  /** Made when first needed. */
  #pools: Pools | undefined
  #configs: readonly PoolConfig[] = []
  #mirrored: readonly PoolConfig[] = []
  /** By the pool that is mirrored. */
  readonly #counts = new Map<string, MirrorCounts>()

  constructor(options: MirrorsOptions) {
    this.#options = options
  }

  /** From now on these are in use; the others end what they have begun. */
  configure({
    pools,
    mirrors,
    process: { drainTimeoutMs },
  }: Pick<Config, 'pools' | 'mirrors' | 'process'>): void {
    this.#mirrored = pools.filter(({ mirror }) => mirror !== undefined)
    const names = new Set(this.#mirrored.map(({ name }) => name))
    for (const name of this.#counts.keys()) if (!names.has(name)) this.#counts.delete(name)
    // Nobody waits for their replies, so none is read from a replica.
    this.#configs = mirrors.map((config) => ({ ...config, readFrom: 'master' }))
    if (mirrors.length > 0) this.#pools ??= this.#open()
    this.#pools?.configure(this.#configs, drainTimeoutMs)
  }

  /** By name: the topology of each, over the shards that it has now. The caller retires them. */
  topologies(): ReadonlyMap<string, PoolTopology> {
    const options = { ...this.#options, onChange: () => {} }
    return new Map(
      (this.#pools?.all ?? []).map((pool, index) => {
        const config = this.#configs[index] as PoolConfig
        return [pool.name, new PoolTopology(config, pool, options)]
      }),
    )
  }

  /** Of a pool that is mirrored. They outlive a reload. */
  countsOf(pool: string): MirrorCounts {
    const known = this.#counts.get(pool) ?? new MirrorCounts()
    this.#counts.set(pool, known)
    return known
  }

  /** In the order of the pools that are mirrored. */
  get states(): readonly MirrorState[] {
    return this.#mirrored.flatMap(({ name, mirror }) => {
      if (mirror === undefined) return []
      const shards = this.#pools?.named(mirror.pool)?.shards ?? []
      const { pool, ...how } = mirror
      return [{ pool: name, mirror: pool, ...how, counts: this.countsOf(name), shards }]
    })
  }

  stopAsking(): void {
    this.#pools?.stopAsking()
  }

  closeLane(lane: Lane): void {
    this.#pools?.closeLane(lane)
  }

  close(): void {
    this.#pools?.close()
  }

  #open(): Pools {
    const stats = new Stats(this.#options.turn)
    return new Pools({
      ...this.#options,
      stats,
      table: new CommandTable(builtInCommands()),
      lookout: new Lookout({ inHand: stats.inHand }),
      onShardChange: () => {},
    })
  }
}
