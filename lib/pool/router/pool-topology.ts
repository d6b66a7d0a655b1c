/**
 * Who owns which key of one pool, by one configuration. It ends with the configuration; the pool goes
 * on.
 */
import type { PoolConfig, ShardConfig } from '../../config/config.ts'
import type { Logger } from '../../logger.ts'
import { Placement } from '../../routing/placement/placement.ts'
import { Ejecting } from '../../topology/ejecting.ts'
import { RingTopology } from '../../topology/ring-topology.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Lanes } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Pool } from '../pool.ts'
import type { MovingPlaces } from './moving-places.ts'

export interface PoolTopologyOptions {
  readonly lanes: Lanes
  /** Keys have other shards: one was ejected, or is back. */
  readonly onChange: () => void
  readonly logger: Logger
}

export class PoolTopology {
  readonly config: PoolConfig
  readonly topology: Topology<Shard>
  /** Undefined: its places stay where they are. */
  readonly moving: MovingPlaces | undefined
  /** The shards at this moment; the same array while the shards stay the same. */
  readonly shards: () => readonly Shard[]
  readonly #ring: Ejecting<Shard> | undefined
  /** From the shards, which may stay. */
  readonly #detach: readonly (() => void)[]

  /** Over the shards that the pool has now. */
  constructor(config: PoolConfig, pool: Pool, options: PoolTopologyOptions) {
    this.config = config
    const { shards, cluster } = pool
    this.#ring = config.ejectShards ? ejectingRing(config, pool, shards, options) : undefined
    this.topology = cluster?.topology ?? this.#ring ?? new RingTopology(placementOf(config), shards)
    this.moving = cluster?.sender
    this.shards = cluster === undefined ? () => shards : () => cluster.shards
    this.#detach = this.#ring === undefined ? [] : tellFailures(shards, this.#ring)
  }

  /** A key always has the same shard. False when each request draws one. */
  get isDecidedByKeys(): boolean {
    return this.config.distribution !== 'random'
  }

  /** From now on nothing refers to it. */
  retire(): void {
    for (const detach of this.#detach) detach()
    this.#ring?.stop()
  }
}

/** The ring over some of the shards, by index; without `live` over all. */
export function placementOf(config: PoolConfig, live?: readonly number[]): Placement {
  const { shards, hash, distribution, hashTag, byteSign } = config
  const servers = live?.map((index) => shards[index] as ShardConfig) ?? shards
  return new Placement({ servers, hash, distribution, hashTag, byteSign })
}

function ejectingRing(
  config: PoolConfig,
  pool: Pool,
  shards: readonly Shard[],
  { lanes, onChange, logger }: PoolTopologyOptions,
): Ejecting<Shard> {
  return new Ejecting<Shard>({
    shards,
    standings: pool.standings,
    ringOf: (live) => placementOf(config, live),
    failureLimit: config.ejectAfterFailures,
    retryMs: config.ejectRetryMs,
    probe: (shard) => shard.probe(lanes.first),
    onChange: ({ name }, ejected) => {
      const facts = { shard: name }
      if (ejected) logger.warn(facts, 'shard ejected, its keys go to the others')
      else logger.info(facts, 'shard restored')
      onChange()
    },
  })
}

/** Returns what ends it, for each shard. */
function tellFailures(shards: readonly Shard[], ring: Ejecting<Shard>): (() => void)[] {
  return shards.map((shard, index) => {
    return shard.observe({ failed: (answered) => ring.failed(index, answered) })
  })
}
