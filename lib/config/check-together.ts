/** What is wrong, or worth a note, only when several options are looked at together. */

import { isLocalhost, LOOPBACKS } from '../io/localhost.ts'
import { PROCESS_MEMORY_MB } from '../limits.ts'
import { checkCluster } from './check-cluster.ts'
import { nearCacheNotes } from './check-near-cache.ts'
import { checkReads } from './check-reads.ts'
import { checkTls } from './check-tls.ts'
import type { ListenAddress, ShardConfig } from './config.ts'
import type { Settings } from './schema.ts'
import type { Findings } from './sources/layers.ts'
import { addressText, shardAddressText } from './values/address.ts'
import { shown } from './values/formats.ts'
import type { SeedAddress, ShardList } from './values/types.ts'

export interface Together {
  readonly settings: Settings
  /** What holds the keys, with credentials. */
  readonly list: ShardList
  /** What the process may take, Infinity for no limit. */
  readonly memoryMb: number
  /** By option, what has set it. */
  readonly sources: Readonly<Record<string, string>>
}

/** Adds to the findings. */
export function checkTogether(
  { settings, list, memoryMb, sources }: Together,
  findings: Findings,
): void {
  const { problems, notes } = findings
  const { shards, cluster } = list
  checkShardAuth(settings, cluster === undefined ? shards : [cluster], findings)
  for (const shard of shards) {
    const problem = shardProblem(shard, settings)
    if (problem !== undefined) problems.push(`shard ${shown(shard.name)} ${problem}`)
  }
  problems.push(...seedProblems(cluster?.seeds ?? [], settings.listen))
  if (settings.sentinels !== undefined && !shards.some(({ sentinel }) => sentinel !== undefined)) {
    notes.push('sentinels are named and no shard is found through them: redis+sentinel://master')
  }
  const { readyMinShards, maxClientMemoryMb = 0 } = settings
  if (maxClientMemoryMb + PROCESS_MEMORY_MB > memoryMb) {
    notes.push(
      `maxClientMemoryMb is ${maxClientMemoryMb} and the process takes up to ${PROCESS_MEMORY_MB} MB besides: ` +
        `more than the memory limit of ${memoryMb} MB, beyond which it is killed`,
    )
  }
  checkReads(settings, shards, findings)
  if (readyMinShards !== 'all' && shards.length > 0 && readyMinShards > shards.length) {
    // Not lowered in silence: who asks for three and lists two has forgotten one.
    problems.push(
      `readyMinShards asks for more than all shards (${readyMinShards} of ${shards.length}): ` +
        'it would never be ready; "all" fits any number',
    )
  }
  const users = settings.users ?? []
  if (settings.authPassthrough && (settings.password !== undefined || users.length > 0)) {
    problems.push(
      'authPassthrough leaves AUTH to the shards: password and users cannot be set with it',
    )
  }
  checkCluster(settings, cluster, sources, findings)
  notes.push(...nearCacheNotes(settings, cluster, memoryMb))
  checkTls(settings, list, findings)
  const open = settings.password === undefined && users.length === 0 && !settings.authPassthrough
  if (!open || settings.trustNetwork) return
  for (const address of settings.listen) {
    // A certificate that clients must have is as good as a password.
    if (!isOpen(address) || ('tls' in address && settings.tlsCa !== undefined)) continue
    notes.push(
      `INSECURE: ${addressText(address)} is open to the network and no password is asked for; ` +
        'whoever connects can read and delete everything (if that is meant: trustNetwork)',
    )
  }
}

/** Those of a cluster's seeds that lead to ourselves. */
function seedProblems(seeds: readonly SeedAddress[], listen: readonly ListenAddress[]): string[] {
  return seeds
    .filter((seed) => listen.some((address) => reaches({ ...seed, path: undefined }, address)))
    .map((seed) => `the cluster's seed ${addressText(seed)} is where the ambassador itself listens`)
}

function checkShardAuth(
  { shardAuthCommand: command, shardAuthFile: file, shardPassword }: Settings,
  shards: readonly Pick<ShardConfig, 'password'>[],
  { problems, notes }: Findings,
): void {
  const name = command === undefined ? 'shardAuthFile' : 'shardAuthCommand'
  if (command === undefined && file === undefined) return
  if (command !== undefined && file !== undefined) {
    problems.push('shardAuthCommand and shardAuthFile are both set; keep one of the two')
  }
  if (shardPassword !== undefined) {
    problems.push(`${name} and shardPassword are both set; keep one of the two`)
  } else if (shards.length > 0 && shards.every(({ password }) => password !== undefined)) {
    notes.push(`${name} is not used: the URL of every shard has a password`)
  }
}

function shardProblem(
  shard: ShardConfig,
  { listen, shardAuthCommand, shardAuthFile }: Settings,
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

function isOpen(address: ListenAddress): boolean {
  if ('path' in address) return false
  const { host } = address
  return !isLocalhost(host) && host !== '::1' && !/^127\.\d+\.\d+\.\d+$/.test(host)
}
