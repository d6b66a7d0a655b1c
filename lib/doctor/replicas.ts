/** Examines the replicas that reads may go to, from where the ambassador runs. */
import type { PoolConfig, ReplicaAddress, ShardConfig } from '../config/config.ts'
import { openControl } from '../control/ioredis.ts'
import { parseReplication, type Replication, silenceReason } from '../control/replication.ts'
import { addressKey } from '../control/server-address.ts'
import { DOCTOR_STEP_MS_MAX, REPLICA_LAST_IO_S_MAX } from '../limits.ts'
import { serverAddressOf, shardAddress } from '../shard-address.ts'
import { type Finding, note, problem, well } from './finding.ts'

/** What a server answered, or why it did not. */
export type Told = Replication | string

/** Nothing where all is read from the masters. `shards`: with the replicas that sentinels name. */
export async function lookAtReplicas(
  shards: readonly ShardConfig[],
  pool: PoolConfig,
): Promise<Finding[]> {
  if (pool.readFrom === 'master') return []
  const found = await Promise.all(shards.map((shard) => lookAt(shard, pool)))
  return found.flat()
}

async function lookAt(shard: ShardConfig, pool: PoolConfig): Promise<Finding[]> {
  const master = await ask(undefined, shard, pool)
  const told = await Promise.all(
    shard.replicas.map(async (address): Promise<readonly [string, Told]> => {
      return [addressKey(address), await ask(address, shard, pool)]
    }),
  )
  return replicaFindings(shard.name, pool, master, told)
}

async function ask(
  address: ReplicaAddress | undefined,
  shard: ShardConfig,
  pool: PoolConfig,
): Promise<Told> {
  const place =
    address === undefined ? shardAddress(shard, pool) : serverAddressOf(address, shard, pool)
  if (place === undefined) return 'it is not known where it is'
  const { username, password } = shard
  const timeoutMs = Math.min(pool.connectTimeoutMs, DOCTOR_STEP_MS_MAX)
  const client = openControl(place, { username, password, timeoutMs })
  try {
    return parseReplication(String(await client.call('INFO', 'replication')), REPLICA_LAST_IO_S_MAX)
  } catch (error) {
    return silenceReason(error)
  } finally {
    client.disconnect()
  }
}

type ReplicaOptions = Pick<PoolConfig, 'readFrom' | 'replicaMaxLagBytes'> &
  Partial<Pick<PoolConfig, 'cluster'>>

/** Pure. `told`: the answer of each replica, by its address. */
export function replicaFindings(
  name: string,
  { readFrom, replicaMaxLagBytes, cluster }: ReplicaOptions,
  master: Told,
  told: readonly (readonly [string, Told])[],
): Finding[] {
  if (told.length === 0) {
    const saw = `no replica is known, and readFrom is ${readFrom}`
    const advice =
      cluster === undefined
        ? 'Name it with ?replica=host:port, or let the sentinels name it; or read from the master.'
        : 'Give this master a replica, or read from the master.'
    return [(readFrom === 'replica' ? problem : note)('replicas', name, saw, advice)]
  }
  const findings = told.flatMap(([address, each]) => {
    const why = ailmentOf(master, each, replicaMaxLagBytes)
    if (why === undefined) return []
    return [note('replicas', name, `nothing is read from ${address}: ${why}`, ADVICE)]
  })
  const able = told.length - findings.length
  if (able === 0) findings.push(nobody(name, readFrom))
  else findings.unshift(well('replicas', name, `${able} of ${told.length} can be read from`))
  return findings
}

const ADVICE = 'Look at INFO replication there. The others are read from meanwhile.'

function nobody(name: string, readFrom: string): Finding {
  const [level, effect] =
    readFrom === 'replica' ? [problem, 'reads fail'] : [note, 'all is read from the master']
  return level(
    'replicas',
    name,
    `none can be read from: ${effect}`,
    'Mend one, or read from the master.',
  )
}

function ailmentOf(master: Told, replica: Told, maxLagBytes: number): string | undefined {
  if (typeof replica === 'string') return replica
  if (replica.isMaster) return 'it is a master'
  if (replica.ailment !== undefined) return replica.ailment
  if (typeof master === 'string') return undefined
  if (replica.history !== master.history) return 'its master is not the one of this shard'
  const lagBytes = master.offset - replica.offset
  if (maxLagBytes === 0 || lagBytes <= maxLagBytes) return undefined
  return `it is ${lagBytes} bytes behind, more than replicaMaxLagBytes (${maxLagBytes})`
}
