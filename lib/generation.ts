/**
 * What one configuration makes: the rings over the pools' shards, and a view of them for each entrance. A
 * reload makes the next generation. Nothing that outlives a generation may refer to it, so a generation
 * removes its callbacks when it retires.
 */
import type { Config, DatabaseConfig, PoolConfig } from './config/config.ts'
import type { Desk } from './dispatcher/colleagues/desk.ts'
import type { Client, Decider } from './dispatcher/core/client.ts'
import type { Session } from './downstream/session.ts'
import { PoolTopology } from './pool/router/pool-topology.ts'
import { openRouter, openRouterOfShard } from './pool/router/router.ts'
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
  /** By number: for the databases that are a pool or a shard. */
  readonly #ofDatabases: ReadonlyMap<number, View>
  /** By name: the pools that are sent copies. */
  readonly #mirrors: ReadonlyMap<string, PoolTopology>
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
    const mirrors = shared.mirrors.topologies()
    this.#mirrors = mirrors
    const [entrance, ...further] = shared.entrances
    const all = { config, shared, mirrors, isApart: undefined }
    this.#whole = new View({
      ...all,
      ...{ entrance, pools: this.pools, router: openRouter(this.pools, config.routes) },
      ...this.#openings(),
    })
    this.#ofDatabases = new Map(
      config.databases.map((each) => [each.database, this.#openDatabase(each, shared)]),
    )
    const views = further.map((each) => {
      const pool = this.#poolNamed(each.pool)
      const routes = config.routes.filter((route) => route.pool === each.pool)
      return new View({ ...all, entrance: each, pools: [pool], router: openRouter([pool], routes) })
    })
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

  deciderFor({ pool, lane }: Client): Decider {
    if (pool !== undefined) return this.#viewOf(pool).decider
    return this.#viewOfDatabase(lane.database).decider
  }

  /** Who answers other workers about the clients of this entrance. */
  deskOf(pool: string | undefined): Desk {
    return this.#viewOf(pool).desk
  }

  /** Topics are subscribed, and keys waited for, on the shards that there are now. */
  followShards(): void {
    for (const view of this.#views()) {
      view.followShards()
      const viewOf = (database: number | undefined): View =>
        view === this.#whole ? this.#viewOfDatabase(database) : view
      view.entrance.waits.follow((database) => viewOf(database).router.topology)
    }
  }

  /** From now on nothing refers to it. */
  retire(): void {
    this.#detach()
    for (const pool of [...this.pools, ...this.#mirrors.values()]) pool.retire()
  }

  #views(): readonly View[] {
    return [this.#whole, ...this.#ofPools.values()]
  }

  #viewOf(pool: string | undefined): View {
    return pool === undefined ? this.#whole : (this.#ofPools.get(pool) as View)
  }

  #viewOfDatabase(database: number | undefined): View {
    return this.#ofDatabases.get(database ?? 0) ?? this.#whole
  }

  /** What leads from database to database; nothing where none is on servers of its own. */
  #openings() {
    const { databases } = this.config
    if (databases.length === 0) return { isApart: undefined }
    const apart = new Set(databases.map(({ database }) => database))
    return {
      isApart: (database: number) => apart.has(database),
      shardsOf: (database: number | undefined) => this.#viewOfDatabase(database).router.shards(),
    }
  }

  #openDatabase({ pool: name, shard }: DatabaseConfig, shared: Shared): View {
    const pool = this.#poolNamed(name)
    const router = shard === undefined ? openRouter([pool], []) : openRouterOfShard(pool, shard)
    const { entrance, common } = this.#whole
    const options = {
      config: this.config,
      shared,
      mirrors: this.#mirrors,
      entrance,
      pools: [pool] as const,
      router,
      common,
    }
    return new View({ ...options, ...this.#openings() })
  }

  #poolNamed(name: string | undefined): PoolTopology {
    return this.pools.find(({ config }) => config.name === name) as PoolTopology
  }
}
