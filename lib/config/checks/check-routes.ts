/** What is wrong with routes when the pools are known. */

import { shown } from '../values/formats.ts'
import { routeText } from '../values/lists/route-list.ts'
import { didYouMean } from '../values/suggest.ts'
import type { RouteConfig } from '../values/types.ts'
import type { PoolSettings } from './check-pool.ts'

/** One line for each mistake. `pools`: the first has the keys without a route, and its options stand at the top. */
export function routeProblems(
  routes: readonly RouteConfig[],
  pools: readonly PoolSettings[],
): string[] {
  const [first] = pools
  const hashTag = first?.settings.hashTag ?? ''
  const source = first?.sources['routes']
  return routes.flatMap((route) => {
    const problem = targetProblem(route, pools) ?? tagProblem(route, hashTag)
    return problem === undefined ? [] : [`${source}: route ${shown(routeText(route))} ${problem}`]
  })
}

function targetProblem(
  { pool: name, shard }: RouteConfig,
  pools: readonly PoolSettings[],
): string | undefined {
  const pool = pools.find((each) => each.name === name)
  if (pool === undefined) {
    const hint = didYouMean(
      name,
      pools.map((each) => each.name),
    )
    return `leads to the pool ${shown(name)}, which is not there${hint}`
  }
  if (shard === undefined) return undefined
  const { shards, cluster } = pool.list
  if (cluster !== undefined) return `leads to a shard of ${shown(name)}, which is a Redis Cluster`
  if (shards.some((each) => each.name === shard)) return undefined
  const hint = didYouMean(
    shard,
    shards.map((each) => each.name),
  )
  return `leads to the shard ${shown(shard)}, which pool ${shown(name)} does not have${hint}`
}

/** Keys with one tag belong together; a prefix that goes on behind a tag would separate them. */
function tagProblem({ prefix }: RouteConfig, hashTag: string): string | undefined {
  const [open, close] = hashTag
  if (open === undefined || close === undefined) return undefined
  const start = prefix.indexOf(open)
  const end = start < 0 ? -1 : prefix.indexOf(close, start + 1)
  if (end < 0 || end === start + 1 || end === prefix.length - 1) return undefined
  return `goes on behind the hash tag ${shown(prefix.slice(start, end + 1))}: it would part keys that the tag keeps together`
}
