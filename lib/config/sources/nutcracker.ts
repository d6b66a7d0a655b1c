/**
 * nutcracker.yml, twemproxy's configuration, read as nutcracker 0.5.0 reads it (nc_conf.c): same
 * keys, same strictness, same names on the ring, so that every key stays where it is. Settings
 * without a meaning here are reported.
 */
import {
  CONNECTIONS_PER_SHARD_MAX,
  EJECT_AFTER_FAILURES_MAX,
  POOLS_MAX,
  SHARDS_MAX,
  TIMER_MS_MAX,
} from '../../limits.ts'
import { DEFAULT_POOL, poolNameProblem } from '../pool-name.ts'
import type { Settings } from '../schema.ts'
import {
  choice,
  hashTag,
  isRawMap,
  type Parsed,
  type Problem,
  type Raw,
  type RawMap,
  type Reader,
  refused,
  secretText,
  shown,
} from '../values/formats.ts'
import { didYouMean } from '../values/suggest.ts'
import { DISTRIBUTIONS, HASH_NAMES, type ListenAddress, type ShardConfig } from '../values/types.ts'
import { nutcrackerListen, nutcrackerNumber, nutcrackerServer } from './nutcracker-address.ts'

type Path = Problem['at']

export interface NutcrackerPool {
  readonly name: string
  readonly values: Partial<Settings>
  /**
   * For each option the pool and key in the file that set it; the pool alone where nutcracker's
   * default did.
   */
  readonly paths: ReadonlyMap<string, Path>
  readonly notes: readonly Problem[]
}

/**
 * Whether a parsed file is a nutcracker.yml: named pools, each a map. Our own files never have that
 * form.
 */
export function isNutcracker(value: Raw): value is RawMap {
  if (!isRawMap(value)) return false
  const pools = Object.values(value)
  return pools.every(isRawMap) && pools.some((pool) => 'servers' in pool || 'listen' in pool)
}

const number: Reader<number> = scalar('a whole number', nutcrackerNumber)

const boolean: Reader<boolean> = scalar('true or false', (text) =>
  text === 'true' || text === 'false' ? text === 'true' : undefined,
)

const timeout: Reader<number> = scalar(`a number of milliseconds up to ${TIMER_MS_MAX}`, (text) => {
  const value = nutcrackerNumber(text)
  return value !== undefined && value <= TIMER_MS_MAX ? value : undefined
})

const positive: Reader<number> = scalar('a whole number above 0', (text) =>
  nutcrackerNumber(text) === 0 ? undefined : nutcrackerNumber(text),
)

/** Every key that a pool may have. nutcracker refuses a file with any other. */
const POOL_KEYS = {
  listen: { accepts: 'host:port or /path [mode]', parse: parseListen },
  hash: choice(HASH_NAMES),
  hash_tag: {
    ...hashTag,
    parse: (raw: Raw) => (raw === '' ? refused('is empty') : hashTag.parse(raw)),
  },
  distribution: choice(DISTRIBUTIONS),
  timeout,
  backlog: number,
  client_connections: number,
  redis: boolean,
  tcpkeepalive: boolean,
  reuseport: boolean,
  redis_auth: secretText,
  redis_db: number,
  preconnect: boolean,
  auto_eject_hosts: boolean,
  server_connections: positive,
  server_retry_timeout: number,
  server_failure_limit: number,
  servers: { accepts: 'a list of host:port:weight [name]', parse: parseServers },
} as const satisfies Record<string, Reader<unknown>>

type PoolKey = keyof typeof POOL_KEYS

type Pool = {
  [Key in PoolKey]?: (typeof POOL_KEYS)[Key] extends Reader<infer Value> ? Value : never
}

function scalar<Value>(accepts: string, read: (text: string) => Value | undefined): Reader<Value> {
  return {
    accepts,
    parse: (raw) => {
      const value = typeof raw === 'string' ? read(raw) : undefined
      return value === undefined ? refused(`${shown(raw)} is not ${accepts}`) : { value }
    },
  }
}

function parseListen(raw: Raw): Parsed<ListenAddress> {
  const address = typeof raw === 'string' ? nutcrackerListen(raw) : 'is not text'
  return typeof address === 'string' ? refused(`${shown(raw)} ${address}`) : { value: address }
}

function parseServers(raw: Raw): Parsed<readonly ShardConfig[]> {
  if (!Array.isArray(raw) || raw.length === 0) return refused('is not a list of servers')
  if (raw.length > SHARDS_MAX) return refused(`holds more than ${SHARDS_MAX} servers`)
  const problems: Problem[] = []
  const servers = new Map<string, ShardConfig>()
  raw.forEach((item: Raw, index) => {
    const server = typeof item === 'string' ? nutcrackerServer(item) : 'is not text'
    if (typeof server === 'string') {
      problems.push({ at: [index], text: `${shown(item)} ${server}` })
    } else if (servers.has(server.name)) {
      const text = `${shown(item)} is a second server named ${shown(server.name)}`
      problems.push({ at: [index], text })
    } else {
      servers.set(server.name, server)
    }
  })
  return problems.length > 0 ? { problems } : { value: [...servers.values()] }
}

/**
 * The pools that are served: all, each at its own address, or the chosen one. All are checked, as nutcracker
 * does; only those served have to speak Redis.
 */
export function readNutcracker(
  pools: RawMap,
  poolName: string | undefined,
): Parsed<readonly NutcrackerPool[]> {
  const problems: Problem[] = []
  const read = new Map<string, Pool>()
  for (const [name, map] of Object.entries(pools)) {
    const pool = readPool(map)
    if ('value' in pool) read.set(name, pool.value)
    else problems.push(...pool.problems.map(({ at, text }) => ({ at: [name, ...at], text })))
  }
  const chosen = choosePools(Object.keys(pools), poolName)
  if (!('value' in chosen)) return { problems: [...problems, ...chosen.problems] }
  const isOneOfSeveral = chosen.value.length > 1
  for (const name of chosen.value) {
    problems.push(...servingProblems(name, read.get(name), isOneOfSeveral))
  }
  if (problems.length > 0) return { problems }
  const all = chosen.value.map((name) => poolOf(name, read.get(name) as Pool, isOneOfSeveral))
  return { value: all }
}

function choosePools(
  names: readonly string[],
  wanted: string | undefined,
): Parsed<readonly string[]> {
  if (names.length > POOLS_MAX) return refused(`has more than ${POOLS_MAX} pools`)
  if (wanted === undefined) return { value: names }
  if (names.includes(wanted)) return { value: [wanted] }
  const list = `the file has ${names.map((name) => shown(name)).join(', ')}`
  return refused(`holds no pool ${shown(wanted)}; ${list}${didYouMean(wanted, names)}`)
}

/** Why the pool cannot be served; `pool`: undefined if it could not be read. */
function servingProblems(
  name: string,
  pool: Pool | undefined,
  isOneOfSeveral: boolean,
): readonly Problem[] {
  const problems: Problem[] = []
  if (pool !== undefined && pool.redis !== true) {
    const why = pool.redis === undefined ? 'not given, which means false' : 'false'
    const hint = isOneOfSeveral ? '; --pool NAME serves one pool of the file' : ''
    problems.push({
      at: pool.redis === undefined ? [name] : [name, 'redis'],
      text: `pool ${shown(name)} speaks memcached (redis is ${why}); only Redis is served here${hint}`,
    })
  }
  const nameProblem = isOneOfSeveral && name !== DEFAULT_POOL ? poolNameProblem(name) : undefined
  if (nameProblem !== undefined)
    problems.push({ at: [name], text: `pool ${shown(name)} ${nameProblem}` })
  return problems
}

function readPool(map: Raw | undefined): Parsed<Pool> {
  if (!isRawMap(map)) return refused('a pool is not a map')
  const problems: Problem[] = []
  const pool: Record<string, unknown> = {}
  for (const [key, raw] of Object.entries(map)) {
    if (!Object.hasOwn(POOL_KEYS, key)) {
      const hint = didYouMean(key, Object.keys(POOL_KEYS))
      problems.push({ at: [key], text: `nutcracker knows no key ${shown(key)}${hint}` })
      continue
    }
    const parsed: Parsed<unknown> = POOL_KEYS[key as PoolKey].parse(raw)
    if ('value' in parsed) pool[key] = parsed.value
    else {
      for (const { at, text } of parsed.problems) {
        problems.push({ at: [key, ...at], text: `${key}: ${text}` })
      }
    }
  }
  for (const key of ['listen', 'servers']) {
    if (!Object.hasOwn(map, key)) problems.push({ at: [], text: `a pool has no ${key}` })
  }
  if (pool['redis_auth'] !== undefined && pool['redis'] !== true) {
    problems.push({ at: ['redis_auth'], text: 'redis_auth: is only for a pool with redis: true' })
  }
  return problems.length > 0 ? { problems } : { value: pool as Pool }
}

/** `isOneOfSeveral`: its address leads to it alone. */
function poolOf(name: string, pool: Pool, isOneOfSeveral: boolean): NutcrackerPool {
  const paths = new Map<string, Path>()
  const from = <Value>(option: keyof Settings, key: PoolKey, value: Value): Value => {
    paths.set(option, pool[key] === undefined ? [name] : [name, key])
    return value
  }
  const listen = pool.listen as ListenAddress
  const password = isOneOfSeveral ? 'clientPassword' : 'password'
  const connections = Math.min(pool.server_connections ?? 1, CONNECTIONS_PER_SHARD_MAX)
  const shards = (pool.servers ?? []).map((server) => ({ ...server, database: pool.redis_db ?? 0 }))
  const values: Partial<Settings> = {
    listen: from('listen', 'listen', [isOneOfSeveral ? { ...listen, pool: name } : listen]),
    shards: from('shards', 'servers', { shards, cluster: undefined }),
    hash: from('hash', 'hash', pool.hash ?? 'fnv1a_64'),
    distribution: from('distribution', 'distribution', pool.distribution ?? 'ketama'),
    hashTag: from('hashTag', 'hash_tag', pool.hash_tag ?? ''),
    connectionsPerShard: from('connectionsPerShard', 'server_connections', connections),
    // Absent means never, and so does 0 (msg_tmo_insert in nc_message.c).
    requestTimeoutMs: from('requestTimeoutMs', 'timeout', pool.timeout ?? 0),
    // A connect that is never answered must end: without a timeout our own default holds.
    ...(pool.timeout && { connectTimeoutMs: from('connectTimeoutMs', 'timeout', pool.timeout) }),
    ejectShards: from('ejectShards', 'auto_eject_hosts', pool.auto_eject_hosts ?? false),
    ...(pool.server_failure_limit && {
      ejectAfterFailures: from(
        'ejectAfterFailures',
        'server_failure_limit',
        Math.min(pool.server_failure_limit, EJECT_AFTER_FAILURES_MAX),
      ),
    }),
    ...(pool.server_retry_timeout && {
      ejectRetryMs: from('ejectRetryMs', 'server_retry_timeout', pool.server_retry_timeout),
    }),
    // nutcracker presents it to the servers and demands it of its clients.
    ...(pool.redis_auth !== undefined && {
      [password]: from(password, 'redis_auth', pool.redis_auth),
      shardPassword: from('shardPassword', 'redis_auth', pool.redis_auth),
    }),
  }
  const notes = Object.entries(notesOf(pool)).flatMap(([key, text]) =>
    text === undefined ? [] : [{ at: [name, key], text: `${key} has no effect: ${text}` }],
  )
  return { name, values, paths, notes }
}

/** For each key of the file that has no effect here, although an operator may expect one: why. */
function notesOf(pool: Pool): Readonly<Partial<Record<PoolKey, string | undefined>>> {
  const given = (key: PoolKey, why: string) => (pool[key] === undefined ? undefined : why)
  const onlyIf = (condition: boolean, why: string) => (condition ? why : undefined)
  return {
    backlog: given('backlog', 'the listen backlog is fixed'),
    client_connections: given(
      'client_connections',
      'nutcracker ignores it as well; maxClients bounds the clients',
    ),
    tcpkeepalive: onlyIf(pool.tcpkeepalive === false, 'connections are always kept alive'),
    reuseport: onlyIf(pool.reuseport === true, 'one process listens'),
    preconnect: onlyIf(pool.preconnect === false, 'shards are always connected at start'),
    server_connections: onlyIf(
      (pool.server_connections ?? 1) > CONNECTIONS_PER_SHARD_MAX,
      `more than ${CONNECTIONS_PER_SHARD_MAX} connections for a shard are cut to that`,
    ),
  }
}
