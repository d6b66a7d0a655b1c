/**
 * Looks at a configuration and all its shards, from where it runs and in the way of `start`, and
 * says what is wrong. Shards are examined in parallel; a shard that hangs costs a few deadlines.
 */
import { builtInCommands } from '../commands/table.ts'
import type { ClusterConfig, PoolConfig, ShardConfig } from '../config/config.ts'
import { shardAddressText } from '../config/values/address.ts'
import type { NodeAddress } from '../control/cluster/view.ts'
import { addressKey } from '../control/server-address.ts'
import { refusalOfVersion } from '../nearcache/tracking/tracking-support.ts'
import { clusterFindings } from './cluster/findings.ts'
import { lookAtCluster } from './cluster/look.ts'
import { commandDifferences, differences, ringBalance, sameServers } from './comparison.ts'
import { equip } from './credentials.ts'
import { Examination } from './examination.ts'
import { CHECKS, type Finding, problem } from './finding.ts'
import { lookAtReplicas } from './replicas.ts'
import { locate } from './sentinels.ts'
import { clockOf, diagnose, latencyOf, type ShardInfo } from './shard-info.ts'

/** Findings in the order of CHECKS. `shares`: each shard's part of the ring. */
export async function examine(
  configured: PoolConfig,
  shares: readonly number[],
): Promise<Finding[]> {
  const equipped = await equip(configured)
  const { pool } = equipped
  const located = await locateAll(pool)
  const examinations = located.shards.map((shard) => new Examination(shard, pool))
  let replicas: readonly Finding[] = []
  try {
    await Promise.all(examinations.map((each) => each.open()))
    // In a second round, since reading hundreds of command descriptions would make the PINGs look
    // slow.
    await Promise.all(examinations.map((each) => each.measure()))
    await Promise.all(examinations.map((each) => each.readCommands()))
    await Promise.all(examinations.map((each) => each.tryCommands()))
    replicas = await lookAtReplicas(located.shards, pool)
  } finally {
    for (const each of examinations) each.close()
  }
  return inOrder([
    ...equipped.findings,
    ...located.findings,
    ...examinations
      .flatMap((each) => findingsOf(each, pool))
      .filter(({ check, shard = '' }) => !(check === 'auth' && equipped.without.has(shard))),
    ...replicas,
    ...together(examinations),
    ...ringBalance(pool.shards, shares),
  ])
}

interface LocatedAll {
  readonly shards: readonly ShardConfig[]
  readonly findings: readonly Finding[]
}

/** The servers to examine: shards, masters that sentinels name, masters of a cluster. */
async function locateAll(pool: PoolConfig): Promise<LocatedAll> {
  const { cluster } = pool
  if (cluster === undefined) {
    const located = await Promise.all(pool.shards.map((shard) => locate(shard, pool)))
    return {
      shards: located.flatMap(({ shard }) => shard ?? []),
      findings: located.flatMap(({ findings }) => findings),
    }
  }
  const look = await lookAtCluster(cluster, pool)
  const masters = look.view?.nodes ?? []
  return {
    shards: masters.map(({ address, replicas }) => masterOf(address, replicas, cluster)),
    findings: clusterFindings(look, pool.requestTimeoutMs),
  }
}

function masterOf(
  address: NodeAddress,
  replicas: readonly NodeAddress[],
  cluster: ClusterConfig,
): ShardConfig {
  const { username, password, tls } = cluster
  const name = addressKey(address)
  const always = { path: undefined, sentinel: undefined, weight: 1, database: 0 }
  return { ...always, ...address, name, replicas, username, password, tls }
}

export function inOrder(findings: readonly Finding[]): Finding[] {
  return CHECKS.flatMap((check) => findings.filter((finding) => finding.check === check))
}

function findingsOf(examination: Examination, pool: PoolConfig): Finding[] {
  const { shard, findings, info, clockOffsetMs, latencyMs, opened } = examination
  const inCluster = pool.cluster !== undefined
  const patient = { name: shard.name, address: shardAddressText(shard), inCluster }
  const told = info === undefined ? [] : diagnose(patient, info)
  // A finding about the state that came from PING stands: clients meet it.
  const metState = findings.some(({ check }) => check === 'state')
  return [
    ...findings,
    ...told.filter(({ check }) => !(metState && check === 'state')),
    ...(pool.nearCacheKeys === undefined ? [] : trackingOf(patient.name, info)),
    ...(clockOffsetMs === undefined ? [] : [clockOf(patient, clockOffsetMs)]),
    ...(opened ? [latencyOf(patient, latencyMs, pool.requestTimeoutMs)] : []),
  ]
}

/** Whether servers of this version are relied on to announce changes. */
function trackingOf(name: string, info: ShardInfo | undefined): Finding[] {
  const version = info?.get('valkey_version') ?? info?.get('redis_version')
  const refusal = version === undefined ? undefined : refusalOfVersion(version)
  if (refusal === undefined) return []
  return [problem('version', name, refusal, 'Its keys are not kept in memory (nearCacheKeys).')]
}

function together(examinations: readonly Examination[]): Finding[] {
  const told = examinations.flatMap(({ shard, info }) =>
    info === undefined ? [] : [{ shard, info }],
  )
  const commanded = examinations.flatMap(({ shard, commands }) =>
    commands === undefined ? [] : [{ name: shard.name, commands }],
  )
  return [
    ...sameServers(told),
    ...differences(told),
    ...commandDifferences(commanded, sentCommands()),
  ]
}

/** The names of the built-in commands that are sent to shards. */
function sentCommands(): Set<string> {
  const commands = builtInCommands()
  return new Set(
    commands.flatMap(({ name, subcommands }) => [
      name,
      ...(subcommands ?? []).map((each) => each.name),
    ]),
  )
}
