/** Reads INFO's text into fields, and finds what is wrong with the shard from them. Pure. */
import { errorText } from '../errors.ts'
import { DOCTOR_CLOCK_MS, DOCTOR_FULL_PERCENT, DOCTOR_LATENCY_MS } from '../limits.ts'
import { type Finding, note, problem, well } from './finding.ts'

/** By field; a field that is not told is absent. */
export type ShardInfo = ReadonlyMap<string, string>

export function readInfo(text: string): ShardInfo {
  const fields = [...text.matchAll(/^([a-z0-9_]+):(.*?)\r?$/gim)]
  // Cut as errors are: fields become parts of sentences.
  return new Map(fields.map(([, field = '', value = '']) => [field, errorText(value)]))
}

/** A shard with its address, as findings name it. */
export interface Patient {
  readonly name: string
  readonly address: string
  /** It is a node of the Redis Cluster that is configured. */
  readonly inCluster?: boolean
}

export function diagnose(patient: Patient, info: ShardInfo): Finding[] {
  const wrong = modeTrouble(patient, info)
  if (wrong !== undefined) return [wrong]
  const { name } = patient
  const mode = modeOf(info)
  return [
    ...(mode === undefined ? [] : [well('mode', name, mode)]),
    stateOf(patient, info),
    roleOf(patient, info),
    versionOf(name, info),
    memoryOf(patient, info),
    ...clientsOf(patient, info),
  ]
}

/** Valkey 9 has another name for it. */
export function modeOf(info: ShardInfo): string | undefined {
  return info.get('redis_mode') ?? info.get('server_mode')
}

/** A finding for a server that is no ordinary Redis. */
function modeTrouble({ name, address, inCluster }: Patient, info: ShardInfo): Finding | undefined {
  // The INFO of an ambassador has this field; see lib/dispatcher/reports/info.ts.
  if (info.has('ambassador_version')) {
    const saw = `${address} is an ambassador itself`
    return note('mode', name, saw, 'Shards are Redis servers. Two in a row work, for a price.')
  }
  if (modeOf(info) === 'sentinel') {
    const saw = `${address} is a Sentinel, which keeps no data`
    return problem('mode', name, saw, 'Name the Redis that it watches.')
  }
  if (inCluster === true) return undefined
  if (modeOf(info) === 'cluster' || info.get('cluster_enabled') === '1') {
    const saw = `${address} runs in cluster mode: it answers MOVED for keys that are not in its slots`
    const advice =
      'Write the cluster in place of the shards: redis+cluster://host:port. Or set `cluster-enabled no` there.'
    return problem('mode', name, saw, advice)
  }
  return undefined
}

function stateOf({ name, address }: Patient, info: ShardInfo): Finding {
  if (info.get('loading') === '1') {
    const left = info.get('loading_eta_seconds')
    const eta = left === undefined ? '' : `, for ${left} s more`
    const saw = `${address} is loading its data and answers nothing else${eta}`
    return problem('state', name, saw, 'Wait; if it does so often, find out why it restarts.')
  }
  if (info.get('aof_last_write_status') === 'err') {
    const saw = `${address} could not write its append-only file`
    return problem('state', name, saw, 'It refuses writes. Look at its disk and its log.')
  }
  if (info.get('rdb_last_bgsave_status') === 'err') {
    const saw = `${address} could not save its data the last time`
    const advice =
      'With stop-writes-on-bgsave-error it refuses writes. Look at its disk and its log.'
    return note('state', name, saw, advice)
  }
  return well('state', name, 'serving')
}

function roleOf({ name, address }: Patient, info: ShardInfo): Finding {
  const role = info.get('role') ?? 'unknown'
  if (role !== 'slave') return well('role', name, role)
  const master = `${info.get('master_host')}:${info.get('master_port')}`
  const link = info.get('master_link_status') === 'up' ? '' : ' (the link is down)'
  const refuses = info.get('slave_read_only') !== '0'
  const writes = refuses ? 'writes get READONLY' : 'writes to it are lost at the next sync'
  const saw = `${address} is a replica of ${master}${link}: ${writes}`
  return problem('role', name, saw, `Point the shard at its master, ${master}.`)
}

/** Older versions have neither HELLO nor ACL. */
const OLDEST_MAJOR = 6

function versionOf(name: string, info: ShardInfo): Finding {
  const version = info.get('redis_version') ?? 'unknown'
  const valkey = info.get('valkey_version')
  const shown = valkey === undefined ? version : `Valkey ${valkey} (as Redis ${version})`
  if (!(Number.parseInt(version, 10) < OLDEST_MAJOR)) return well('version', name, shown)
  const advice = 'HELLO 3 and commands since Redis 6 fail there; all else works.'
  return note('version', name, `${shown} is older than Redis ${OLDEST_MAJOR}`, advice)
}

function memoryOf({ name, address }: Patient, info: ShardInfo): Finding {
  const max = Number(info.get('maxmemory') ?? 0)
  const used = Number(info.get('used_memory') ?? 0)
  const policy = info.get('maxmemory_policy') ?? 'noeviction'
  if (max === 0) return well('memory', name, 'no maxmemory')
  const filled = used / max
  const of = `${megabytes(used)} of ${megabytes(max)} MB used`
  if (policy !== 'noeviction') {
    const saw = `${address} evicts keys when full (${policy}; ${of})`
    return note('memory', name, saw, 'Right for a cache; anything else loses data.')
  }
  if (filled >= 1) {
    const saw = `${address} is full and refuses writes with OOM (noeviction; ${of})`
    return problem('memory', name, saw, 'Raise maxmemory, delete keys, or spread over more shards.')
  }
  if (100 * filled >= DOCTOR_FULL_PERCENT) {
    const saw = `${address} is nearly full (noeviction; ${of})`
    return note('memory', name, saw, 'When it is full, writes get OOM.')
  }
  return well('memory', name, `${of}, noeviction`)
}

function megabytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}

function clientsOf({ name, address }: Patient, info: ShardInfo): Finding[] {
  const connected = Number(info.get('connected_clients'))
  const max = Number(info.get('maxclients'))
  if (!(max > 0)) return []
  const seen = `${connected} of ${max} connections in use`
  if (100 * connected < max * DOCTOR_FULL_PERCENT) return [well('clients', name, seen)]
  const advice = 'Raise maxclients there, or find out who holds so many connections.'
  return [note('clients', name, `${address} is nearly full: ${seen}`, advice)]
}

export function clockOf({ name, address }: Patient, offsetMs: number): Finding {
  const seconds = (Math.abs(offsetMs) / 1000).toFixed(1)
  if (Math.abs(offsetMs) <= DOCTOR_CLOCK_MS)
    return well('clock', name, `within ${DOCTOR_CLOCK_MS} ms`)
  const way = offsetMs > 0 ? 'ahead of' : 'behind'
  const saw = `the clock of ${address} is ${seconds} s ${way} ours`
  return note('clock', name, saw, 'EXPIREAT and generated stream ids go by it. Look at NTP.')
}

/** `requestTimeoutMs`: 0 for none. */
export function latencyOf(
  { name, address }: Patient,
  latencyMs: number | undefined,
  requestTimeoutMs: number,
): Finding {
  if (latencyMs === undefined) {
    const saw = `${address} stopped answering PING`
    return problem(
      'latency',
      name,
      saw,
      'It may be swapping or busy with long commands: SLOWLOG GET.',
    )
  }
  const shown = `${latencyMs.toFixed(1)} ms`
  if (requestTimeoutMs > 0 && latencyMs >= requestTimeoutMs) {
    const saw = `${address} takes ${shown} for a PING, longer than requestTimeoutMs (${requestTimeoutMs})`
    return problem('latency', name, saw, 'Requests time out. Raise it, or move closer.')
  }
  if (latencyMs > DOCTOR_LATENCY_MS) {
    const saw = `${address} takes ${shown} for a PING`
    return note(
      'latency',
      name,
      saw,
      'In one zone it is below 1 ms: another region, or a busy Redis?',
    )
  }
  return well('latency', name, `PING in ${latencyMs < 1 ? 'less than 1' : latencyMs.toFixed(0)} ms`)
}
