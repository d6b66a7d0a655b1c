/** What is wrong with databases that are a pool or a shard, when the pools are known. */
import { shown } from '../values/formats.ts'
import { didYouMean } from '../values/suggest.ts'
import type { DatabaseConfig } from '../values/types.ts'
import type { PoolSettings } from './check-pool.ts'

/** One line for each mistake. `pools`: the options of the first stand at the top. */
export function databaseProblems(
  databases: readonly DatabaseConfig[],
  pools: readonly PoolSettings[],
): string[] {
  const source = pools[0]?.sources['databases']
  return databases.flatMap((each) => {
    const problem = problemOf(each, pools)
    return problem === undefined ? [] : [`${source}: database ${each.database} ${problem}`]
  })
}

function problemOf(
  { pool: name, shard }: DatabaseConfig,
  pools: readonly PoolSettings[],
): string | undefined {
  const pool = pools.find((each) => each.name === name)
  if (pool === undefined) {
    const names = pools.map((each) => each.name)
    return `is the pool ${shown(name)}, which is not there${didYouMean(name, names)}`
  }
  const { shards, cluster } = pool.list
  if (cluster !== undefined)
    return `is the pool ${shown(name)}, a Redis Cluster, which has database 0 alone`
  if (shard === undefined || shards.some((each) => each.name === shard)) return undefined
  const names = shards.map((each) => each.name)
  return `is the shard ${shown(shard)}, which pool ${shown(name)} does not have${didYouMean(shard, names)}`
}
