/**
 * `route KEY...`: which shard owns each key, and why. Contacts nobody, unless the shards are a Redis Cluster:
 * which of its nodes has a slot only they can tell.
 */

import type { ClusterConfig, Config, PoolConfig } from '../config/config.ts'
import { shardAddressText } from '../config/values/address.ts'
import { ownerAt } from '../control/cluster/view.ts'
import { addressKey } from '../control/server-address.ts'
import { clusterMapOf } from '../doctor/cluster/look.ts'
import { HashTag } from '../routing/placement/hash-tag.ts'
import { slotOf } from '../routing/placement/slot.ts'
import { columns } from './columns.ts'
import { placementOf } from './ring.ts'

export async function routeText(
  { pools: [pool] }: Config,
  keys: readonly string[],
): Promise<string> {
  return pool.cluster === undefined ? ringText(pool, keys) : clusterText(pool.cluster, pool, keys)
}

function ringText(pool: PoolConfig, keys: readonly string[]): string {
  const placement = placementOf(pool)
  const point = pool.distribution === 'modula' ? 'slot' : 'point'
  const rows = keys.map((key) => {
    const bytes = Buffer.from(key)
    const { shard, hashedStart, hashedEnd, hash, point: at } = placement.explain(bytes)
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
