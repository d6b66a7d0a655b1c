/**
 * What clients see who come in at one entrance, as one configuration has it: the pools that stand behind it as
 * one Redis, and who decides what becomes of requests.
 */
import type { Config, PoolConfig } from '../config/config.ts'
import type { Desk } from '../dispatcher/colleagues/desk.ts'
import type { Client, Decider } from '../dispatcher/core/client.ts'
import type { Dispatcher } from '../dispatcher/core/dispatcher.ts'
import { ApartDatabases } from '../dispatcher/edge/apart-databases.ts'
import { Judge } from '../dispatcher/preflight/judge.ts'
import { Rehearsing } from '../dispatcher/preflight/rehearsing.ts'
import { topicsOver } from '../dispatcher/pubsub/home.ts'
import type { Session } from '../downstream/session.ts'
import type { PoolTopology } from '../pool/router/pool-topology.ts'
import type { Router } from '../pool/router/router.ts'
import type { TopologyView } from '../topology/topology.ts'
import type { Shard } from '../upstream/shard.ts'
import { type Common, type DispatchingOptions, openDispatcher } from './dispatching.ts'
import type { Entrance } from './entrance.ts'
import type { Shared } from './shared.ts'

/** The first one has the keys without a route. */
export type ViewedPools = readonly [PoolTopology, ...PoolTopology[]]

export interface ViewedPlaces {
  readonly topology: TopologyView
  readonly shards: readonly Shard[]
  readonly poolOf: (key: Uint8Array) => PoolConfig
}

export interface ViewOptions extends DispatchingOptions {
  /** Of the configuration those behind the entrance. */
  readonly pools: ViewedPools
  /** Whether a database is a pool or a shard of its own; undefined: none is. */
  readonly isApart: ((database: number) => boolean) | undefined
}

export class View {
  readonly entrance: Entrance
  readonly router: Router
  /** Decides what becomes of clients' requests. */
  readonly decider: Decider
  /** What of it holds in every database. */
  readonly common: Common
  /** Answers what other workers ask. */
  readonly desk: Desk
  readonly #pools: ViewedPools
  readonly #dispatcher: Dispatcher

  constructor(options: ViewOptions) {
    const { config, shared, entrance, pools, router, isApart } = options
    this.entrance = entrance
    this.router = router
    this.#pools = pools
    const { dispatcher, common, desk } = openDispatcher(options)
    this.common = common
    this.desk = desk
    this.#dispatcher = dispatcher
    const decider = deciderOf(config, shared, dispatcher)
    const { table, stats } = shared
    this.decider =
      isApart === undefined
        ? decider
        : new ApartDatabases({ decider, table, inHand: stats.inHand, isApart })
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
