/** What is wrong, or worth a note, about one pool: its shards, and its options together. */
import { isLocalhost, LOOPBACKS } from '../../io/localhost.ts'
import type { ListenAddress, ShardConfig } from '../config.ts'
import { DEFAULT_POOL } from '../pool-name.ts'
import type { Settings } from '../schema.ts'
import type { Findings } from '../sources/layers.ts'
import { addressText, shardAddressText } from '../values/address.ts'
import { shown } from '../values/formats.ts'
import type { SeedAddress, ShardList } from '../values/types.ts'
import { checkCluster } from './check-cluster.ts'
import { whyNotKept } from './check-near-cache.ts'
import { checkReads } from './check-reads.ts'
import { checkShardTls } from './check-tls.ts'

export interface PoolSettings {
  readonly name: string
  readonly settings: Settings
  /** What holds the keys, with credentials. */
  readonly list: ShardList
  /** By option, what has set it. */
  readonly sources: Readonly<Record<string, string>>
}

/**
 * Adds to the findings; a finding about a further pool names it. `listen`: the addresses that we
 * listen at.
 */
export function checkPool(
  pool: PoolSettings,
  listen: readonly ListenAddress[],
  findings: Findings,
): void {
  const problems: string[] = []
  const notes: string[] = []
  const { settings, sources } = pool
  const { shards, cluster } = pool.list
  if (pool.name !== DEFAULT_POOL && shards.length === 0 && cluster === undefined) {
    problems.push('there are no shards')
  }
  const notKept = whyNotKept(pool)
  if (notKept !== undefined) notes.push(notKept)
  const own = { ...findings, problems, notes }
  checkShardAuth(pool, cluster === undefined ? shards : [cluster], own)
  for (const shard of shards) {
    const problem = shardProblem(shard, settings, listen)
    if (problem !== undefined)
      problems.push(`${sources['shards']}: shard ${shown(shard.name)} ${problem}`)
  }
  const circles = seedProblems(cluster?.seeds ?? [], listen)
  problems.push(...circles.map((text) => `${sources['shards']}: ${text}`))
  if (settings.sentinels !== undefined && !shards.some(({ sentinel }) => sentinel !== undefined)) {
    notes.push('sentinels are named and no shard is found through them: redis+sentinel://master')
  }
  checkReads(pool, shards, own)
  checkCluster(settings, cluster, sources, own)
  checkShardTls(settings, sources, pool.list, own)
  const named = (text: string) => (pool.name === DEFAULT_POOL ? text : `pool ${pool.name}: ${text}`)
  findings.problems.push(...problems.map(named))
  findings.notes.push(...notes.map(named))
}

/** The seeds of a cluster that lead to ourselves. */
function seedProblems(seeds: readonly SeedAddress[], listen: readonly ListenAddress[]): string[] {
  return seeds
    .filter((seed) => listen.some((address) => reaches({ ...seed, path: undefined }, address)))
    .map((seed) => `the cluster's seed ${addressText(seed)} is where the ambassador itself listens`)
}

function checkShardAuth(
  { settings, sources }: Pick<PoolSettings, 'settings' | 'sources'>,
  shards: readonly Pick<ShardConfig, 'password'>[],
  { problems, notes }: Findings,
): void {
  const { shardAuthCommand: command, shardAuthFile: file, shardPassword } = settings
  const name = command === undefined ? 'shardAuthFile' : 'shardAuthCommand'
  if (command === undefined && file === undefined) return
  const source = sources[name]
  if (command !== undefined && file !== undefined) {
    problems.push(`${source}: shardAuthCommand and shardAuthFile are both set; keep one of the two`)
  }
  if (shardPassword !== undefined) {
    problems.push(`${source}: ${name} and shardPassword are both set; keep one of the two`)
  } else if (shards.length > 0 && shards.every(({ password }) => password !== undefined)) {
    notes.push(`${name} is not used: the URL of every shard has a password`)
  }
}

function shardProblem(
  shard: ShardConfig,
  { shardAuthCommand, shardAuthFile }: Settings,
  listen: readonly ListenAddress[],
): string | undefined {
  const needsPassword = shardAuthCommand === undefined && shardAuthFile === undefined
  if (needsPassword && shard.username !== undefined && shard.password === undefined) {
    return 'has a user name and no password'
  }
  if (shard.sentinel?.addresses.length === 0) {
    return (
      `is the master ${shown(shard.sentinel.master)} of sentinels that nobody names; name them with ` +
      '--sentinels host:26379,host:26379, with AMBASSADOR_SENTINELS, or in a file'
    )
  }
  const own = listen.find((address) => reaches(shard, address))
  if (own === undefined) return undefined
  return `is at ${shardAddressText(shard)}, where the ambassador itself listens (${addressText(own)})`
}

/** Whether connecting to the shard would connect to ourselves: requests would go round for ever. */
function reaches(
  shard: Pick<ShardConfig, 'host' | 'port' | 'path'>,
  address: ListenAddress,
): boolean {
  if ('path' in address) return shard.path === address.path
  if (shard.path !== undefined || shard.port !== address.port) return false
  if (shard.host === address.host) return true
  const ours = loopbacksOf(address.host)
  return loopbacksOf(shard.host).some((each) => ours.includes(each))
}

/** The addresses of this machine that a host is, or may be; of a wildcard those by which it is reached. */
function loopbacksOf(host: string): readonly string[] {
  if (host === '::' || isLocalhost(host)) return LOOPBACKS
  if (host === '0.0.0.0') return ['127.0.0.1']
  return LOOPBACKS.includes(host) ? [host] : []
}
