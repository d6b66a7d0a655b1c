/** `route KEY...`: which shard owns each key, and why. Contacts nobody. */

import type { Config } from '../config/config.ts'
import { shardAddressText } from '../config/values/address.ts'
import { columns } from './columns.ts'
import { placementOf } from './ring.ts'

export function routeText({ pools: [pool] }: Config, keys: readonly string[]): string {
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
