/**
 * The places of all pools behind one entrance, with each pool that is mirrored replaced by its mirror. Keys go
 * by prefix as they do among the pools; a route to one shard ends at the mirror's own rules.
 */
import type { RouteConfig } from '../../config/config.ts'
import type { MirrorCounts } from '../../stats/mirror/mirror-counts.ts'
import { RoutedTopology } from '../../topology/routed-topology.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { PoolTopology } from '../router/pool-topology.ts'
import { routeOf } from '../router/router.ts'

/** Where the copies of one pool's requests go. */
export interface Mirror {
  readonly to: PoolTopology
  readonly percent: number
  readonly writesOnly: boolean
  readonly counts: MirrorCounts
}

export interface MirroredPlaces {
  readonly topology: RoutedTopology<Shard>
  /** By part of the topology; undefined: this pool has no mirror. */
  readonly mirrors: readonly (Mirror | undefined)[]
}

/** Undefined: none of these pools has a mirror. `mirrors`: by name. */
export function mirroredPlaces(
  pools: readonly [PoolTopology, ...PoolTopology[]],
  routes: readonly RouteConfig[],
  mirrors: ReadonlyMap<string, PoolTopology>,
  countsOf: (pool: string) => MirrorCounts,
): MirroredPlaces | undefined {
  const configs = pools.map(({ config }) => config)
  const all = configs.map(({ name, mirror }): Mirror | undefined => {
    const to = mirror && mirrors.get(mirror.pool)
    return to && { to, ...mirror, counts: countsOf(name) }
  })
  if (all.every((mirror) => mirror === undefined)) return undefined
  const [first, ...others] = pools.map((pool, part) => all[part]?.to ?? pool)
  const inUse = routes.filter(({ pool }) => configs.some(({ name }) => name === pool))
  const topology = new RoutedTopology<Shard>(
    [first as PoolTopology, ...others],
    inUse.map((route) => routeOf({ ...route, shard: undefined }, configs)),
  )
  return { topology, mirrors: all }
}
