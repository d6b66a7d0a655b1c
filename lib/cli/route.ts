/**
 * `route KEY...`: which shard owns each key, and why. Contacts only a Redis Cluster, whose nodes alone know
 * who has a slot.
 */

import type {
  ClusterConfig,
  Config,
  PoolConfig,
  RouteConfig,
  ShardConfig,
} from '../config/config.ts'
import { addressText, shardAddressText } from '../config/values/address.ts'
import { ownerAt } from '../control/cluster/view.ts'
import { addressKey } from '../control/server-address.ts'
import { clusterMapOf } from '../doctor/cluster/look.ts'
import { HashTag } from '../routing/placement/hash-tag.ts'
import { slotOf } from '../routing/placement/slot.ts'
import { Prefixes } from '../routing/prefixes.ts'
import { columns } from './columns.ts'
import { placementOf } from './ring.ts'

/** With several pools a table for each that has a key; and again for each to which an address leads alone. */
export async function routeText(config: Config, keys: readonly string[]): Promise<string> {
  const { pools, routes, edge } = config
  const texts: string[] = []
  const addressesTo = (name?: string) => edge.listen.filter(({ pool }) => pool === name)
  if (addressesTo().length > 0) texts.push(await tablesOf(pools, routes, keys))
  for (const pool of pools) {
    const addresses = addressesTo(pool.name)
    if (addresses.length === 0) continue
    const own = routes.filter((route) => route.pool === pool.name)
    const heading = `at ${addresses.map(addressText).join(', ')}: pool ${pool.name}\n`
    texts.push(heading + (await tablesOf([pool], own, keys)))
  }
  return texts.join('\n')
}

type Pools = readonly [PoolConfig, ...PoolConfig[]]

/** Of what stands behind one address. */
async function tablesOf(
  pools: Pools,
  routes: readonly RouteConfig[],
  keys: readonly string[],
): Promise<string> {
  const destinationOf = destinationsOf(pools, routes)
  const destinations = keys.map((key) => destinationOf(Buffer.from(key)))
  const isOne = pools.length === 1
  const tables: string[] = []
  for (const pool of pools) {
    const own = keys.filter((_, index) => destinations[index]?.pool === pool)
    if (own.length === 0) continue
    const { cluster } = pool
    const table =
      cluster === undefined
        ? ringText(pool, own, (key) => destinationOf(Buffer.from(key)).route?.shard)
        : await clusterText(cluster, pool, own)
    tables.push(isOne ? table : `pool ${pool.name}\n${table}`)
  }
  return tables.join('\n')
}

/** `fixed`: the shard that a route names for the key, if one does. */
function ringText(
  pool: PoolConfig,
  keys: readonly string[],
  fixed: (key: string) => string | undefined,
): string {
  const placement = placementOf(pool)
  const point = pool.distribution === 'modula' ? 'slot' : 'point'
  const rows = keys.map((key) => {
    const bytes = Buffer.from(key)
    const { shard, hashedStart, hashedEnd, hash, point: at } = placement.explain(bytes)
    const named = fixed(key)
    if (named !== undefined) {
      const owner = pool.shards.find(({ name }) => name === named) as ShardConfig
      return [key, named, shardAddressText(owner), 'by a route', '-', '-']
    }
    const owner = shard === undefined ? undefined : pool.shards[shard]
    return [
      key,
      owner?.name ?? 'any, for each request another',
      owner === undefined ? '-' : shardAddressText(owner),
      bytes.subarray(hashedStart, hashedEnd).toString(),
      `${hash}`,
      at === undefined ? '-' : `${at}`,
    ]
  })
  return columns([['key', 'shard', 'address', 'hashed', pool.hash, point], ...rows], [4, 5])
}

async function clusterText(
  cluster: ClusterConfig,
  pool: PoolConfig,
  keys: readonly string[],
): Promise<string> {
  const { view, failures } = await clusterMapOf(cluster, pool)
  const tag = new HashTag('{}')
  const rows = keys.map((key) => {
    const bytes = Buffer.from(key)
    const slot = slotOf(bytes, 0, bytes.length)
    const owner = view && ownerAt(view, slot)
    tag.find(bytes, 0, bytes.length)
    const replicas = owner?.replicas.map(addressKey).join(' ') ?? ''
    return [
      key,
      owner === undefined ? '-' : addressKey(owner.address),
      replicas === '' ? '-' : replicas,
      bytes.subarray(tag.start, tag.end).toString(),
      `${slot}`,
    ]
  })
  const away = failures.map(({ address, reason }) => `${address} (${reason})`).join(', ')
  const note = view === undefined ? `note: no node of the cluster answers: ${away}\n` : ''
  return `${columns([['key', 'node', 'replicas', 'hashed', 'slot'], ...rows], [4])}${note}`
}

interface Destination {
  readonly pool: PoolConfig
  /** Undefined: no route fits. */
  readonly route: RouteConfig | undefined
}

function destinationsOf(
  pools: Pools,
  routes: readonly RouteConfig[],
): (key: Uint8Array) => Destination {
  const prefixes = new Prefixes(routes.map(({ prefix }) => Buffer.from(prefix)))
  return (key) => {
    const route = routes[prefixes.longestOf(key, 0, key.length)]
    const pool = pools.find(({ name }) => name === route?.pool) ?? pools[0]
    return { pool, route }
  }
}
