/**
 * From a key to its place, over all pools of one configuration. With one pool and no routes it is that pool's
 * own topology, and costs nothing.
 */
import type { PoolConfig, RouteConfig } from '../../config/config.ts'
import { RingTopology } from '../../topology/ring-topology.ts'
import { type Route, RoutedTopology } from '../../topology/routed-topology.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { MovingPlaces } from './moving-places.ts'
import { type PoolTopology, placementOf } from './pool-topology.ts'
import { RoutedPlaces } from './routed-places.ts'

export interface Router {
  readonly topology: Topology<Shard>
  /** Undefined: all places stay where they are. */
  readonly moving: MovingPlaces | undefined
  /** The shards of all pools at this moment; the same array while the shards stay the same. */
  readonly shards: () => readonly Shard[]
  /** The pool of a key or a channel. */
  readonly poolOf: (key: Uint8Array) => PoolTopology
}

/** `pools`: the first has the keys without a route. */
export function openRouter(
  pools: readonly [PoolTopology, ...PoolTopology[]],
  routes: readonly RouteConfig[],
): Router {
  const [first, ...others] = pools
  if (others.length === 0 && routes.length === 0) {
    const { topology, moving, shards } = first
    return { topology, moving, shards, poolOf: () => first }
  }
  const configs = pools.map(({ config }) => config)
  const topology = new RoutedTopology<Shard>(
    pools,
    routes.map((route) => routeOf(route, configs)),
  )
  const moves = pools.some(({ moving }) => moving !== undefined)
  return {
    topology,
    moving: moves ? new RoutedPlaces(topology, pools) : undefined,
    shards: union(pools),
    poolOf: (key) => pools[topology.partOf(key)] as PoolTopology,
  }
}

/** Of one shard alone. The configuration has been checked: the pool has it. */
export function openRouterOfShard(pool: PoolTopology, name: string): Router {
  const at = pool.config.shards.findIndex((each) => each.name === name)
  const shards = pool.shards().slice(at, at + 1)
  const topology = new RingTopology(placementOf(pool.config, [at]), shards)
  return { topology, moving: undefined, shards: () => shards, poolOf: () => pool }
}

/** The configuration has been checked: what a route names is there. */
export function routeOf({ prefix, pool, shard }: RouteConfig, pools: readonly PoolConfig[]): Route {
  const part = pools.findIndex(({ name }) => name === pool)
  const shards = pools[part]?.shards ?? []
  const place = shard === undefined ? undefined : shards.findIndex(({ name }) => name === shard)
  return { prefix: Buffer.from(prefix), part, place }
}

function union(pools: readonly PoolTopology[]): () => readonly Shard[] {
  let lists: readonly (readonly Shard[])[] = []
  let all: readonly Shard[] = []
  return () => {
    const now = pools.map(({ shards }) => shards())
    if (now.length !== lists.length || now.some((list, index) => list !== lists[index])) {
      lists = now
      all = now.flat()
    }
    return all
  }
}
