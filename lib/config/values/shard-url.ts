/** The address of one entry of the shard list: `host:port`, a URL, or the path of a unix socket. */
import { SHARD_REPLICAS_MAX, SHARD_WEIGHT_MAX } from '../../limits.ts'
import { HOST_NAME, parseHostPort, unixPath, unixPathProblem } from './address.ts'
import { parseInteger, shown } from './formats.ts'
import type { ReplicaAddress, SeedAddress, SentinelAddress, ShardConfig } from './types.ts'

const REDIS_PORT = 6379
const SENTINEL_PORT = 26_379

/** A shard, with its weight if the address had one. */
export type ShardParts = Omit<ShardConfig, 'weight'> & { readonly weight: number | undefined }

/** A clause about what is wrong with an entry; never leaves the shard list. */
export class Refusal extends Error {}

/** Throws Refusal. */
export function readAddress(address: string): ShardParts {
  const scheme = /^([a-z+]+):\/\//i.exec(address)?.[1]?.toLowerCase()
  if (address.startsWith('unix:')) return readUnix(address)
  if (scheme === undefined) return readHostPort(address)
  if (scheme === 'redis' || scheme === 'rediss') return readUrl(address)
  if (scheme === 'redis+sentinel' || scheme === 'rediss+sentinel') return readSentinelUrl(address)
  if (scheme === 'redis+cluster' || scheme === 'rediss+cluster') {
    throw new Refusal(
      'is a Redis Cluster, which stands alone: redis+cluster://host:port, and behind it other seeds ' +
        'of the same cluster',
    )
  }
  throw new Refusal(
    `has an unknown scheme ${shown(scheme)}; redis, rediss, redis+sentinel, rediss+sentinel, ` +
      'redis+cluster, rediss+cluster and unix are known',
  )
}

const PLAIN = {
  sentinel: undefined,
  replicas: [],
  path: undefined,
  database: 0,
  username: undefined,
  password: undefined,
  tls: false,
}

function readHostPort(text: string): ShardParts {
  const [address = '', weight, ...rest] = text.split('*')
  if (rest.length > 0) throw new Refusal('has more than one weight')
  const parsed = parseHostPort(address, 1)
  if (typeof parsed === 'string') throw new Refusal(parsed)
  return {
    ...PLAIN,
    ...parsed,
    name: address,
    weight: weight === undefined ? undefined : readWeight(weight),
  }
}

function readUnix(text: string): ShardParts {
  const [address = '', query] = text.split('?')
  const path = unixPath(address) ?? ''
  const problem = unixPathProblem(path)
  if (problem !== undefined) throw new Refusal(problem)
  return { ...PLAIN, name: path, host: '', port: 0, path, ...readQuery(query) }
}

/**
 * By hand rather than by `new URL`, whose errors carry the whole text, password included, and which
 * has opinions about hosts that are not its business (it would re-encode a name).
 */
function readUrl(text: string): ShardParts {
  const match =
    /^(rediss?):\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(
      text,
    )
  if (match === null) {
    throw new Refusal(
      'is not redis://[user:password@]host:port[/database][?weight=N&replica=host:port]; ' +
        'special characters in a password are percent-encoded',
    )
  }
  const [, scheme = '', user, password, address = '', database, query] = match
  const written = /:[^:\]]*$/.test(address) ? address : `${address}:${REDIS_PORT}`
  const parsed = parseHostPort(written, 1)
  if (typeof parsed === 'string') throw new Refusal(parsed)
  return {
    ...PLAIN,
    ...parsed,
    name: written,
    ...readQuery(query, parsed),
    database: readDatabase(database),
    username: decoded(user),
    password: decoded(password),
    tls: scheme.toLowerCase() === 'rediss',
  }
}

const SENTINEL_URL =
  /^(rediss?)\+sentinel:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i

/**
 * `redis+sentinel://master[/database]`, with the sentinels in the option `sentinels`, or
 * `redis+sentinel://host:port,host:port/master[/database]`.
 */
function readSentinelUrl(text: string): ShardParts {
  const match = SENTINEL_URL.exec(text)
  if (match === null) {
    throw new Refusal(
      'is not redis+sentinel://[user:password@]master[/database][?weight=N] or ' +
        'redis+sentinel://host:port,host:port/master',
    )
  }
  const [, scheme = '', user, password, authority = '', path = '', query] = match
  const tls = scheme.toLowerCase() === 'rediss'
  const isShort = /[:,]/.test(authority)
  const [first = '', ...others] = path.split('/')
  const master = isShort ? first : authority
  const database = isShort ? others : [first, ...others]
  if (!HOST_NAME.test(master)) throw new Refusal('has no name of a master that sentinels know')
  if (database.length > 1) throw new Refusal('has more than a master and a database in its path')
  const addresses = isShort ? authority.split(',').map((each) => readSentinel(each, tls)) : []
  return {
    ...PLAIN,
    host: '',
    port: 0,
    name: master,
    sentinel: { master, addresses },
    ...ofMaster(readQuery(query)),
    database: readDatabase(database[0]),
    username: decoded(user),
    password: decoded(password),
    tls,
  }
}

/** `host`, `host:port`, `rediss://host:port`. Throws Refusal. */
export function readSentinel(text: string, tls = false): SentinelAddress {
  const [, scheme, address = ''] = /^(?:(rediss?):\/\/)?(.*)$/s.exec(text.trim()) ?? []
  const written = /:[0-9]*$/.test(address) && !/^\[[^\]]*$/.test(address)
  const parsed = parseHostPort(written ? address : `${address}:${SENTINEL_PORT}`, 1)
  if (typeof parsed === 'string')
    throw new Refusal(`has a sentinel ${shown(address)} that ${parsed}`)
  return { host: parsed.host, port: parsed.port, tls: tls || scheme === 'rediss' }
}

/** `redis+cluster://[user:password@]seed`; the seed stays text. Throws Refusal. */
export function readClusterUrl(text: string) {
  const match = /^(rediss?)\+cluster:\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^@]*)$/i.exec(text)
  if (match === null) {
    throw new Refusal(
      'is not redis+cluster://[user:password@]host:port, in which special characters of a ' +
        'password are percent-encoded',
    )
  }
  const [, scheme = '', user, password, seed = ''] = match
  return {
    tls: scheme.toLowerCase() === 'rediss',
    username: decoded(user),
    password: decoded(password),
    seed,
  }
}

/** `host` or `host:port`. Throws Refusal. */
export function readSeed(text: string): SeedAddress {
  const [, address = '', database, query] = /^([^/?]*)(?:\/([^?]*))?(\?.*)?$/s.exec(text) ?? []
  if (text.includes('://')) throw new Refusal('is no seed: after the first one they are host:port')
  if (address === '') throw new Refusal('names no seed: redis+cluster://host:port')
  if (address.includes('*') || query !== undefined) {
    throw new Refusal('has a weight, or something else behind its port: a cluster has slots')
  }
  if (database !== undefined && database !== '' && database !== '0') {
    throw new Refusal('has a database: in a cluster there is only 0')
  }
  const written = /:[0-9]*$/.test(address) && !/^\[[^\]]*$/.test(address)
  const parsed = parseHostPort(written ? address : `${address}:${REDIS_PORT}`, 1)
  if (typeof parsed === 'string') throw new Refusal(parsed)
  return parsed
}

/** The credential in clear; undefined when it is absent or empty (`redis://:password@host`). */
function decoded(credential: string | undefined): string | undefined {
  if (credential === undefined || credential === '') return undefined
  try {
    return decodeURIComponent(credential)
  } catch {
    throw new Refusal('has a "%" in its credentials that starts no percent-encoded byte; write %25')
  }
}

function readDatabase(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  const database = parseInteger(text)
  if (database === undefined || database > 0x7fffffff) throw new Refusal('has no database number')
  return database
}

interface Query {
  readonly weight: number | undefined
  readonly replicas: readonly ReplicaAddress[]
}

/** `master`: the shard's own address, which must not be among its replicas. */
function readQuery(query: string | undefined, master?: ReplicaAddress): Query {
  let weight: number | undefined
  const replicas: ReplicaAddress[] = []
  for (const part of query === undefined ? [] : query.split('&')) {
    const [, name, value = ''] = /^(weight|replica)=(.*)$/s.exec(part) ?? []
    if (name === undefined) {
      throw new Refusal('has something other than weight=N and replica=host:port after its "?"')
    }
    if (name === 'replica') replicas.push(readReplica(value, master, replicas))
    else if (weight === undefined) weight = readWeight(value)
    else throw new Refusal('has its weight twice')
  }
  if (replicas.length > SHARD_REPLICAS_MAX) {
    throw new Refusal(`has more than ${SHARD_REPLICAS_MAX} replicas`)
  }
  return { weight, replicas }
}

function readReplica(
  text: string,
  master: ReplicaAddress | undefined,
  others: readonly ReplicaAddress[],
): ReplicaAddress {
  const written = /:[^:\]]*$/.test(text)
  const parsed = parseHostPort(written ? text : `${text}:${REDIS_PORT}`, 1)
  if (typeof parsed === 'string') throw new Refusal(`has a replica ${shown(text)} that ${parsed}`)
  const { host, port } = parsed
  const isSame = (other: ReplicaAddress) => other.host === host && other.port === port
  if (master !== undefined && isSame(master)) {
    throw new Refusal(`has a replica ${shown(text)} that is the master itself`)
  }
  if (others.some(isSame)) throw new Refusal(`has the replica ${shown(text)} twice`)
  return { host, port }
}

/**
 * A shard behind sentinels takes no `replica`: the sentinels name the replicas, and again after
 * each failover.
 */
function ofMaster(query: Query): Query {
  if (query.replicas.length === 0) return query
  throw new Refusal('names replicas of a master whose sentinels name them')
}

/** Throws Refusal. */
export function readWeight(text: string): number {
  const weight = parseInteger(text)
  if (weight !== undefined && weight >= 1 && weight <= SHARD_WEIGHT_MAX) return weight
  throw new Refusal(`has a weight that is not a whole number from 1 to ${SHARD_WEIGHT_MAX}`)
}
