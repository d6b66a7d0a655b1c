/** What is wrong with mirrors when the pools are known, and with what leads to a pool that is one. */
import { DEFAULT_POOL } from '../pool-name.ts'
import type { Settings } from '../schema.ts'
import { listenText, shardAddressText } from '../values/address.ts'
import { shown } from '../values/formats.ts'
import { didYouMean } from '../values/suggest.ts'
import type { ShardConfig } from '../values/types.ts'
import type { PoolSettings } from './check-pool.ts'

/** One line for each mistake. `settings`: those at the top, which are also those of the first pool. */
export function mirrorProblems(
  settings: Pick<Settings, 'listen' | 'routes' | 'databases'>,
  pools: readonly PoolSettings[],
): string[] {
  const problems = pools.flatMap((pool) => {
    const problem = problemOf(pool, pools)
    const source = pool.sources['mirror']
    return problem === undefined ? [] : [`${source}: the mirror of pool ${pool.name} ${problem}`]
  })
  const mirrors = new Set(pools.flatMap(({ settings: { mirror } }) => mirror?.pool ?? []))
  return [...problems, ...leadingProblems(settings, pools[0]?.sources ?? {}, mirrors)]
}

function problemOf(
  { name, list, settings: { mirror } }: PoolSettings,
  pools: readonly PoolSettings[],
): string | undefined {
  if (mirror === undefined) return undefined
  const { pool: to } = mirror
  const target = pools.find((pool) => pool.name === to)
  if (to === name) return 'is that pool itself'
  if (target === undefined) {
    const names = pools.slice(1).map((pool) => pool.name)
    return `is the pool ${shown(to)}, which is not there${didYouMean(to, names)}`
  }
  if (target === pools[0]) {
    return `is the pool ${to}, which has the keys without a route`
  }
  const further = target.settings.mirror?.pool
  if (further !== undefined) return `is the pool ${to}, which has itself a mirror (${further})`
  const places = new Set(list.shards.map(placeOf))
  const shared = target.list.shards.find((shard) => places.has(placeOf(shard)))
  if (shared === undefined) return undefined
  return `is at ${shardAddressText(shared)}, where that pool is: each write would come twice`
}

function placeOf(shard: ShardConfig): string {
  return `${shardAddressText({ ...shard, tls: false })}/${shard.database}`
}

/** A mirror has no keys of its own, so nothing may lead there. */
function leadingProblems(
  { listen, routes, databases }: Pick<Settings, 'listen' | 'routes' | 'databases'>,
  sources: PoolSettings['sources'],
  mirrors: ReadonlySet<string>,
): string[] {
  mirrors = new Set([...mirrors].filter((name) => name !== DEFAULT_POOL))
  const leading = [
    ...listen.map(({ pool, ...address }) => ({ by: 'listen', what: listenText(address), pool })),
    ...(routes ?? []).map(({ prefix, pool }) => {
      return { by: 'routes', what: `route ${shown(prefix)}`, pool }
    }),
    ...(databases ?? []).map(({ database, pool }) => {
      return { by: 'databases', what: `database ${database}`, pool }
    }),
  ]
  return leading.flatMap(({ by, what, pool }) => {
    const isMirror = pool !== undefined && mirrors.has(pool)
    return isMirror
      ? [
          `${sources[by]}: ${what} leads to the pool ${pool}, which is a mirror and has no keys of its own`,
        ]
      : []
  })
}
