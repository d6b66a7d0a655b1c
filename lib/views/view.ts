/**
 * What clients see who come in at one entrance, as one configuration has it: the pools that stand behind it as
 * one Redis, and who decides what becomes of requests.
 */
import type { Config, PoolConfig } from '../config/config.ts'
import type { Client, Decider } from '../dispatcher/core/client.ts'
import type { Dispatcher } from '../dispatcher/core/dispatcher.ts'
import { Judge } from '../dispatcher/preflight/judge.ts'
import { Rehearsing } from '../dispatcher/preflight/rehearsing.ts'
import { topicsOver } from '../dispatcher/pubsub/home.ts'
import type { Session } from '../downstream/session.ts'
import type { PoolTopology } from '../pool/router/pool-topology.ts'
import { openRouter, type Router } from '../pool/router/router.ts'
import type { TopologyView } from '../topology/topology.ts'
import type { Shard } from '../upstream/shard.ts'
import { openDispatcher } from './dispatching.ts'
import type { Entrance } from './entrance.ts'
import type { Shared } from './shared.ts'

/** The first one has the keys without a route. */
export type ViewedPools = readonly [PoolTopology, ...PoolTopology[]]

export interface ViewedPlaces {
  readonly topology: TopologyView
  readonly shards: readonly Shard[]
  readonly poolOf: (key: Uint8Array) => PoolConfig
}

export class View {
  readonly entrance: Entrance
  readonly router: Router
  /** Decides what becomes of clients' requests. */
  readonly decider: Decider
  readonly #pools: ViewedPools
  readonly #dispatcher: Dispatcher

  /** `pools`: of the configuration those behind this entrance. Its routes to others lead nowhere here. */
  constructor(config: Config, shared: Shared, entrance: Entrance, pools: ViewedPools) {
    this.entrance = entrance
    this.#pools = pools
    const names = new Set(pools.map((pool) => pool.config.name))
    const routes = config.routes.filter(({ pool }) => names.has(pool))
    this.router = openRouter(pools, routes)
    const { router } = this
    this.#dispatcher = openDispatcher({ config, shared, entrance, pools, router })
    this.decider = deciderOf(config, shared, this.#dispatcher)
  }

  /** From keys to shards, for people. */
  get places(): ViewedPlaces {
    const { topology, shards, poolOf } = this.router
    return { topology: topology.view, shards: shards(), poolOf: (key) => poolOf(key).config }
  }

  /** Makes the client of a new session. */
  serve(session: Session): Client {
    return this.#dispatcher.serve(session, this.decider, this.entrance.pool)
  }

  /** Topics are subscribed on the shards that there are now. */
  followShards(): void {
    const { subscriptions } = this.entrance
    const poolOf = (name: Buffer): PoolTopology => this.router.poolOf(name)
    const places = topicsOver(this.#pools, poolOf, subscriptions.places)
    subscriptions.follow(this.router.shards(), places)
  }

  /** Slots have moved, and with them the channels that belong to their owners. */
  followSlots(): void {
    if (this.entrance.subscriptions.hasShardChannels) this.followShards()
  }
}

/** Without a rehearsal the dispatcher is asked directly, at no cost. */
function deciderOf(
  { whatIf }: Config,
  { rehearsals, table }: Shared,
  dispatcher: Dispatcher,
): Decider {
  const { current } = rehearsals
  if (whatIf === undefined || current === undefined) return dispatcher
  return new Rehearsing(dispatcher, new Judge({ table, policy: whatIf, ...current }))
}
