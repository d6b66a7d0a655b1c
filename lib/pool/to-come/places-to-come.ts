/**
 * Which place a key would have under a future configuration. Only its rules count: none of its servers is
 * connected to, so a Redis Cluster is known only to have slots.
 */
import type { DatabaseConfig, PoolConfig, WhatIf } from '../../config/config.ts'
import { DEFAULT_POOL } from '../../config/pool-name.ts'
import type { Places } from '../../routing/places.ts'
import type { Share } from '../../stats/preflight/loads.ts'
import { SlotTopology } from '../../topology/cluster/slot-topology.ts'
import { RingTopology } from '../../topology/ring-topology.ts'
import { type Part, RoutedTopology } from '../../topology/routed-topology.ts'
import { placementOf } from '../router/pool-topology.ts'
import { routeOf } from '../router/router.ts'
import { PlacesFrom } from './places-from.ts'

/** What stands for the masters of a cluster: Redis gives three of them the slots in equal runs. */
const CLUSTER_MASTERS = 3

/** Those of a database, or of all that are no pool or shard of their own. */
export interface PlacesToCome {
  readonly places: Places
  /** More than one means that what goes to all shards has several. */
  readonly shardCount: number
  readonly hasCluster: boolean
  /** Whether the place is a slot of a cluster. */
  readonly isInCluster: (place: number) => boolean
}

export interface AllToCome extends PlacesToCome {
  /** Of all places, in their order. */
  readonly shares: readonly Share[]
  /** By number: those that are a pool or a shard. Places are numbered as those of all. */
  readonly databases: ReadonlyMap<number, PlacesToCome>
}

export function placesToCome({ pools, routes, databases }: WhatIf): AllToCome {
  const parts = pools.map(partOf) as [Part<string>, ...Part<string>[]]
  const [first] = parts
  const isRouted = parts.length > 1 || routes.length > 0
  const places = isRouted
    ? new RoutedTopology(
        parts,
        routes.map((route) => routeOf(route, pools)),
      )
    : first.topology
  const shares: Share[] = []
  const clusters: { readonly first: number; readonly end: number }[] = []
  const apart = new Map<number, PlacesToCome>()
  for (const [index, pool] of pools.entries()) {
    const begin = shares.reduce((sum, { count }) => sum + count, 0)
    const { placeCount } = (parts[index] as Part<string>).topology
    if (pool.cluster !== undefined) clusters.push({ first: begin, end: begin + placeCount })
    shares.push(...sharesOf(pool, begin, placeCount))
    for (const each of databases) {
      if (each.pool === pool.name) apart.set(each.database, ofDatabase(each, pool, begin))
    }
  }
  return {
    places,
    shares,
    shardCount: shares.length,
    hasCluster: clusters.length > 0,
    isInCluster: (place) => clusters.some((run) => place >= run.first && place < run.end),
    databases: apart,
  }
}

/** `begin`: the first place of its pool, which is no cluster: a cluster has database 0 alone. */
function ofDatabase({ shard }: DatabaseConfig, pool: PoolConfig, begin: number): PlacesToCome {
  const at = pool.shards.findIndex(({ name }) => name === shard)
  const only = shard === undefined ? undefined : [at]
  const shardCount = only === undefined ? pool.shards.length : 1
  const places = new PlacesFrom(
    begin + (only === undefined ? 0 : at),
    placementOf(pool, only),
    shardCount,
  )
  return { places, shardCount, hasCluster: false, isInCluster: () => false }
}

function partOf(pool: PoolConfig): Part<string> {
  if (pool.cluster !== undefined) {
    return { topology: new SlotTopology<string>('nobody'), shards: () => [] }
  }
  const names = pool.shards.map(({ name }) => name)
  return { topology: new RingTopology(placementOf(pool), names), shards: () => names }
}

function sharesOf(pool: PoolConfig, begin: number, placeCount: number): Share[] {
  const named = (name: string) => (pool.name === DEFAULT_POOL ? name : `${pool.name}/${name}`)
  if (pool.cluster === undefined) {
    return pool.shards.map(({ name }, index) => {
      return { name: named(name), first: begin + index, count: 1 }
    })
  }
  return Array.from({ length: CLUSTER_MASTERS }, (_, index) => {
    const [from = 0, to = 0] = [index, index + 1].map((at) => {
      return Math.floor((at * placeCount) / CLUSTER_MASTERS)
    })
    return { name: named(`slots ${from}-${to - 1}`), first: begin + from, count: to - from }
  })
}
