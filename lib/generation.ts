/**
 * What one configuration makes: the rings over the pools' shards, and a view of them for each entrance. A
 * reload makes the next generation. Nothing that outlives a generation may refer to it, so a generation
 * removes its callbacks when it retires.
 */
import type { Config, PoolConfig } from './config/config.ts'
import type { Client, Decider } from './dispatcher/core/client.ts'
import type { Session } from './downstream/session.ts'
import { PoolTopology } from './pool/router/pool-topology.ts'
import type { Topology } from './topology/topology.ts'
import type { Shard } from './upstream/shard.ts'
import type { Shared } from './views/shared.ts'
import { View, type ViewedPlaces, type ViewedPools } from './views/view.ts'

export class Generation {
  readonly config: Config
  readonly pools: ViewedPools
  readonly topology: Topology<Shard>
  /** The view of all pools, which is there whether or not an address leads to it. */
  readonly #whole: View
  /** By pool: for the addresses that lead to it alone. */
  readonly #ofPools: ReadonlyMap<string, View>
  /** Removes the callbacks from the pools, which stay. */
  readonly #detach: () => void

  /** Uses the shards that the pools have now. Every entrance leads to a pool of this configuration. */
  constructor(config: Config, shared: Shared) {
    this.config = config
    const [first, ...others] = shared.pools.all.map((pool, index) => {
      // Channels have moved like keys.
      const options = { ...shared, onChange: () => this.followShards() }
      return new PoolTopology(config.pools[index] as PoolConfig, pool, options)
    })
    this.pools = [first as PoolTopology, ...others]
    const [entrance, ...further] = shared.entrances
    this.#whole = new View(config, shared, entrance, this.pools)
    const views = further.map(
      (each) => new View(config, shared, each, [this.#poolNamed(each.pool)]),
    )
    this.#ofPools = new Map(views.map((view) => [view.entrance.pool as string, view]))
    this.topology = this.#whole.router.topology
    this.#detach = shared.pools.observe({
      mastersChanged: () => this.followShards(),
      slotsMoved: () => {
        for (const view of this.#views()) view.followSlots()
      },
    })
  }

  /** The shards at this moment; with a static configuration always the same. */
  get shards(): readonly Shard[] {
    return this.#whole.router.shards()
  }

  poolOf(key: Uint8Array): PoolConfig {
    return this.#whole.router.poolOf(key).config
  }

  /** Undefined: no address leads to this pool alone. */
  placesBehind(pool: string): ViewedPlaces | undefined {
    return this.#ofPools.get(pool)?.places
  }

  /** Makes the client of a new session. `pool`: the one that its address leads to; undefined: to all. */
  serve(session: Session, pool: string | undefined): Client {
    return this.#viewOf(pool).serve(session)
  }

  deciderFor({ pool }: Client): Decider {
    return this.#viewOf(pool).decider
  }

  /** Topics are subscribed on the shards that there are now. */
  followShards(): void {
    for (const view of this.#views()) view.followShards()
  }

  /** From now on nothing refers to it. */
  retire(): void {
    this.#detach()
    for (const pool of this.pools) pool.retire()
  }

  #views(): readonly View[] {
    return [this.#whole, ...this.#ofPools.values()]
  }

  #viewOf(pool: string | undefined): View {
    return pool === undefined ? this.#whole : (this.#ofPools.get(pool) as View)
  }

  #poolNamed(name: string | undefined): PoolTopology {
    return this.pools.find(({ config }) => config.name === name) as PoolTopology
  }
}
