/**
 * The options: one object each, in one place. Flag, variable, file key, --help and the table of
 * docs/configuration.md follow from it, and so do its
 * type and its place in Config: a new option is a new row.
 *
 * Also the door of `convict`, which holds the schema, merges the layers over the defaults and
 * refuses what is not declared. Traps it is kept away from (all tried on 6.2.5):
 * - its formats coerce (`off` to true, `12abc` to 12): layers are loaded already parsed by ours;
 * - it merges objects deeply, one layer's path with another's port, and goes by the type of the default
 *   where another type may stand: each value travels in an array of its own, which it replaces whole;
 * - it reads process.argv and process.env unless told not to: it gets `{ env: {}, args: [] }`;
 * - empty variables count as values, unknown flags are ignored, errors carry no source: layers.ts;
 * - prototype pollution up to 6.2.4 (CVE-2026-33863, -33864): package.json asks for 6.2.5.
 */
import convict from 'convict'
import {
  CLIENT_MEMORY_MB_MAX,
  CLIENT_MEMORY_MB_MIN,
  CLIENTS_MAX,
  CONNECTIONS_PER_SHARD_MAX,
  EJECT_AFTER_FAILURES_MAX,
  NEAR_CACHE_ENTRY_BYTES_MAX,
  NEAR_CACHE_MB_MAX,
  NEAR_CACHE_STALE_MS_MIN,
  REPLICA_LAG_BYTES_MAX,
  REPLY_BULK_BYTES_MAX,
  SHARDS_MAX,
  TIMER_MS_MAX,
  TOPOLOGY_REFRESH_MS_MIN,
} from '../limits.ts'
import { addressMappings } from './values/address-mappings.ts'
import { commandLine } from './values/command-line.ts'
import {
  choice,
  configText,
  type Format,
  hashTag,
  hostList,
  hostName,
  listenList,
  listenOrOff,
  numberOrAll,
  plainText,
  secretText,
  strictBoolean,
  strictInteger,
} from './values/formats.ts'
import { prefixList } from './values/lists/prefix-list.ts'
import { routeList } from './values/lists/route-list.ts'
import { sentinelList } from './values/lists/sentinel-list.ts'
import { shardList } from './values/lists/shard-list.ts'
import { userList } from './values/lists/user-list.ts'
import { certificateFile, keyFile } from './values/pem.ts'
import {
  BYTE_SIGNS,
  DISTRIBUTIONS,
  HASH_NAMES,
  LOG_FORMATS,
  LOG_LEVELS,
  NEAR_CACHE_SCRIPTS,
  NEAR_CACHE_TTLS,
  READ_FROM,
  SHOW_KEYS,
} from './values/types.ts'

/**
 * What an option is about: clients, shards, routes, watching, the process; `input` decides which files are read,
 * so that it cannot stand in one.
 */
export type OptionPart = 'edge' | 'pool' | 'routes' | 'watch' | 'process' | 'input'

export interface Option<Value> {
  readonly part: OptionPart
  readonly format: Format<Value>
  /** As an operator would write it; undefined: not set. */
  readonly default: string | undefined
  readonly doc: string
  /** Never shown; may come from a file named by `<name>File`; has no flag, which `ps` would show. */
  readonly secret?: true
  /** Written as a path; the value is the file. A private one should not be readable by everybody. */
  readonly file?: 'public' | 'private'
  /** A path that is not read yet; a relative one is resolved against the file that it stands in. */
  readonly path?: true
  /** An empty value means something, rather than "not set". */
  readonly emptyIsValue?: true
}

export const OPTIONS = {
  listen: {
    part: 'edge',
    format: listenList,
    default: 'localhost:6379',
    doc: 'Where clients connect; with TLS where it says tls://. localhost is 127.0.0.1 and ::1, any other name all its addresses.',
  },
  adminListen: {
    part: 'watch',
    format: listenOrOff,
    default: 'localhost:9380',
    doc: 'Where health, metrics and the state of the shards are served over HTTP.',
  },
  adminHosts: {
    part: 'watch',
    format: hostList,
    default: undefined,
    doc: 'More names by which adminListen may be asked. Addresses, localhost, names without dots and those under .local and .internal always may.',
  },
  shards: {
    part: 'pool',
    format: shardList,
    default: undefined,
    doc: 'The Redis servers that hold the keys. Without any, REDIS_URL is taken as the only one.',
  },
  readyMinShards: {
    part: 'watch',
    format: numberOrAll({ min: 1, max: SHARDS_MAX, unit: 'shards' }),
    default: '1',
    doc: 'How many shards must be up for /readyz to say that traffic may come.',
  },
  hash: {
    part: 'pool',
    format: choice(HASH_NAMES),
    default: 'murmur',
    doc: "How a key becomes a number: twemproxy's functions. Changing it moves keys. A nutcracker.yml has its own default, fnv1a_64.",
  },
  distribution: {
    part: 'pool',
    format: choice(DISTRIBUTIONS),
    default: 'ketama',
    doc: 'How that number finds its shard, as in twemproxy. Changing it moves keys.',
  },
  hashTag: {
    part: 'pool',
    format: hashTag,
    default: '{}',
    emptyIsValue: true,
    doc: 'If a key has text between these two characters, only that is hashed. Changing it moves keys.',
  },
  byteSign: {
    part: 'pool',
    format: choice(BYTE_SIGNS),
    default: 'signed',
    doc: 'How keys with non-ASCII bytes hash: as twemproxy built for x86 (signed) or for ARM (unsigned).',
  },
  connectionsPerShard: {
    part: 'pool',
    format: strictInteger({ min: 1, max: CONNECTIONS_PER_SHARD_MAX }),
    default: '1',
    doc: 'Connections to each shard. One client always uses the same one.',
  },
  requestTimeoutMs: {
    part: 'pool',
    format: strictInteger({ min: 0, max: TIMER_MS_MAX, unit: 'milliseconds', zero: 'never' }),
    default: '1000',
    doc: 'How long a client waits for a reply before it gets an error.',
  },
  connectTimeoutMs: {
    part: 'pool',
    format: strictInteger({ min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' }),
    default: '1000',
    doc: 'How long connecting to a shard may take.',
  },
  drainTimeoutMs: {
    part: 'process',
    format: strictInteger({ min: 0, max: TIMER_MS_MAX, unit: 'milliseconds', zero: 'at once' }),
    default: '10000',
    doc: 'How long requests under way may take to finish after SIGTERM.',
  },
  maxClients: {
    part: 'edge',
    format: strictInteger({ min: 1, max: CLIENTS_MAX }),
    default: '10000',
    doc: 'Most clients connected at the same time; fewer if the limit of open files does not allow it.',
  },
  maxClientMemoryMb: {
    part: 'edge',
    format: strictInteger({ min: CLIENT_MEMORY_MB_MIN, max: CLIENT_MEMORY_MB_MAX }),
    default: undefined,
    doc: 'Most memory held for all clients, their requests and replies, in MB; beyond it the greediest are closed. Without it 256, or less where a memory limit (cgroup) leaves less beside 128 MB.',
  },
  clientIdleTimeoutMs: {
    part: 'edge',
    format: strictInteger({ min: 0, max: TIMER_MS_MAX, unit: 'milliseconds', zero: 'never' }),
    default: '0',
    doc: 'Close clients that have sent nothing for so long; not blocked ones, and not subscribers.',
  },
  ejectShards: {
    part: 'pool',
    format: strictBoolean,
    default: 'no',
    doc: 'Give the keys of a shard that fails to the others until it answers again. For caches only.',
  },
  ejectAfterFailures: {
    part: 'pool',
    format: strictInteger({ min: 1, max: EJECT_AFTER_FAILURES_MAX }),
    default: '2',
    doc: 'Failures in a row (connection lost or refused, time-out) after which a shard is ejected.',
  },
  ejectRetryMs: {
    part: 'pool',
    format: strictInteger({ min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' }),
    default: '30000',
    doc: 'How long an ejected shard is left alone before it is asked whether it is back.',
  },
  crossShardReads: {
    part: 'edge',
    format: strictBoolean,
    default: 'yes',
    doc: 'Read keys of several shards and combine them here (SUNION, ZINTER, PFCOUNT, XREAD ...), or refuse.',
  },
  password: {
    part: 'edge',
    format: secretText,
    default: undefined,
    secret: true,
    doc: 'What clients must present with AUTH.',
  },
  users: {
    part: 'edge',
    format: userList,
    default: undefined,
    secret: true,
    doc: 'More users that may log in. All see the same keys.',
  },
  authPassthrough: {
    part: 'edge',
    format: strictBoolean,
    default: 'no',
    doc: "Let the shards judge AUTH, by their own ACLs; each user's clients have connections of their own. All must log in, if need be as `default`.",
  },
  trustNetwork: {
    part: 'edge',
    format: strictBoolean,
    default: 'no',
    doc: 'Listening beyond this machine without a password is meant so; do not warn.',
  },
  tlsCert: {
    part: 'edge',
    format: certificateFile,
    default: undefined,
    file: 'public',
    doc: 'Certificate for tls:// addresses, followed by those that signed it. Read again when it changes.',
  },
  tlsKey: {
    part: 'edge',
    format: keyFile,
    default: undefined,
    file: 'private',
    doc: 'Its key.',
  },
  tlsCa: {
    part: 'edge',
    format: certificateFile,
    default: undefined,
    file: 'public',
    doc: 'Demand certificates from clients on tls:// addresses, signed by one of these.',
  },
  allowAdmin: {
    part: 'edge',
    format: strictBoolean,
    default: 'no',
    doc: 'Send commands that manage a server (CONFIG SET, ACL SETUSER, DEBUG ...) to all shards, or refuse.',
  },
  shardUsername: {
    part: 'pool',
    format: plainText('a user name'),
    default: undefined,
    doc: 'User for shards whose URL names none.',
  },
  shardPassword: {
    part: 'pool',
    format: secretText,
    default: undefined,
    secret: true,
    doc: 'Password for shards whose URL has none.',
  },
  shardAuthCommand: {
    part: 'pool',
    format: commandLine,
    default: undefined,
    doc: 'A program that prints user and token for shards whose URL has no password. Run again before the token ends.',
  },
  shardAuthFile: {
    part: 'pool',
    format: plainText('a file'),
    default: undefined,
    path: true,
    doc: 'A file that holds the same. Read again when another program renews it.',
  },
  shardAuthLifeMs: {
    part: 'pool',
    format: strictInteger({ min: 1000, max: TIMER_MS_MAX, unit: 'milliseconds' }),
    default: '900000',
    doc: 'How long what shardAuthCommand prints is good for, where it does not say so itself.',
  },
  shardTlsCa: {
    part: 'pool',
    format: certificateFile,
    default: undefined,
    file: 'public',
    doc: 'Who signs the certificates of rediss:// shards. Without it: whom Node.js trusts.',
  },
  shardTlsCert: {
    part: 'pool',
    format: certificateFile,
    default: undefined,
    file: 'public',
    doc: 'Certificate to present to rediss:// shards that ask for one.',
  },
  shardTlsKey: {
    part: 'pool',
    format: keyFile,
    default: undefined,
    file: 'private',
    doc: 'Its key.',
  },
  shardTlsServerName: {
    part: 'pool',
    format: hostName,
    default: undefined,
    doc: "The name in the certificates of rediss:// shards, where it is not each shard's host.",
  },
  shardTlsInsecure: {
    part: 'pool',
    format: strictBoolean,
    default: 'no',
    doc: 'Take any certificate from rediss:// shards. Whoever stands between can then read everything.',
  },
  sentinels: {
    part: 'pool',
    format: sentinelList,
    default: undefined,
    doc: 'The sentinels that know the masters of shards given as redis+sentinel://. They name the others themselves.',
  },
  sentinelUsername: {
    part: 'pool',
    format: plainText('a user name'),
    default: undefined,
    doc: 'User for the sentinels.',
  },
  sentinelPassword: {
    part: 'pool',
    format: secretText,
    default: undefined,
    secret: true,
    doc: 'Password for the sentinels. The servers have their own: shardPassword, or that of the URL.',
  },
  sentinelEarly: {
    part: 'pool',
    format: strictBoolean,
    default: 'yes',
    doc: 'In a failover, go to the new master as soon as it is one, a second before the sentinels announce it.',
  },
  topologyRefreshMs: {
    part: 'pool',
    format: strictInteger({
      min: TOPOLOGY_REFRESH_MS_MIN,
      max: TIMER_MS_MAX,
      unit: 'milliseconds',
    }),
    default: '30000',
    doc: 'How often a Redis Cluster is asked for its map when nothing tells that it has changed, a fifth more or less.',
  },
  addressMap: {
    part: 'pool',
    format: addressMappings,
    default: undefined,
    doc: 'Where the nodes of a Redis Cluster are reached that announce an address which does not lead to them from here.',
  },
  readFrom: {
    part: 'pool',
    format: choice(READ_FROM),
    default: 'master',
    doc: 'Where requests that only read go. docs/replicas.md says what each choice promises.',
  },
  readAfterWriteMs: {
    part: 'pool',
    format: strictInteger({ min: 0, max: TIMER_MS_MAX, unit: 'milliseconds', zero: 'not at all' }),
    default: '1000',
    doc: 'How long after its own write a client reads from the master, at least.',
  },
  zone: {
    part: 'pool',
    format: plainText('the name of a zone'),
    default: undefined,
    doc: 'Where the ambassador runs, as servers call it (availability_zone): `nearest` prefers that.',
  },
  replicaMaxLagBytes: {
    part: 'pool',
    format: strictInteger({ min: 0, max: REPLICA_LAG_BYTES_MAX, unit: 'bytes', zero: 'any' }),
    default: '1048576',
    doc: 'A replica that is further behind its master is not read from.',
  },
  nearCacheKeys: {
    part: 'pool',
    format: prefixList,
    default: undefined,
    doc: 'Keys that begin so are kept in memory here when they are read, as long as the shards say that they have not changed. Read docs/near-cache.md first.',
  },
  nearCacheMb: {
    part: 'pool',
    format: strictInteger({ min: 1, max: NEAR_CACHE_MB_MAX }),
    default: '64',
    doc: 'Memory for that in MB, all of it.',
  },
  nearCacheStaleMs: {
    part: 'pool',
    format: strictInteger({
      min: NEAR_CACHE_STALE_MS_MIN,
      max: TIMER_MS_MAX,
      unit: 'milliseconds',
    }),
    default: '1000',
    doc: 'How old what is kept may be at most while a shard, or the way to it, is silent.',
  },
  nearCacheMaxAgeMs: {
    part: 'pool',
    format: strictInteger({ min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' }),
    default: '60000',
    doc: 'How long a reply is kept at most, though its key has not changed.',
  },
  nearCacheEntryBytes: {
    part: 'pool',
    format: strictInteger({ min: 1, max: NEAR_CACHE_ENTRY_BYTES_MAX, unit: 'bytes' }),
    default: '16384',
    doc: 'A reply that is larger, with its request, is not kept.',
  },
  nearCacheTtl: {
    part: 'pool',
    format: choice(NEAR_CACHE_TTLS),
    default: 'ask',
    doc: 'Ask when a key expires whenever it is read to be kept, or trust that none of them does.',
  },
  nearCacheScripts: {
    part: 'pool',
    format: choice(NEAR_CACHE_SCRIPTS),
    default: 'all',
    doc: 'What scripts and functions may write: all keys, so that each call empties the cache; or those that they declare.',
  },
  routes: {
    part: 'routes',
    format: routeList,
    default: undefined,
    doc: 'Which keys and channels belong to another pool, or to one shard, by prefix: the longest wins. Pools are written in a file.',
  },
  slowRequestMs: {
    part: 'watch',
    format: strictInteger({ min: 0, max: TIMER_MS_MAX, unit: 'milliseconds', zero: 'never' }),
    default: '10',
    doc: 'A request that takes so long, not counting what it waits behind others, stands in the slow log.',
  },
  bigReplyBytes: {
    part: 'watch',
    format: strictInteger({ min: 0, max: REPLY_BULK_BYTES_MAX, unit: 'bytes', zero: 'never' }),
    default: '1048576',
    doc: 'A reply of so many bytes stands among the big replies.',
  },
  hotKeys: {
    part: 'watch',
    format: strictBoolean,
    default: 'no',
    doc: 'Count keys, one in 32, to tell which are asked for most.',
  },
  showKeys: {
    part: 'watch',
    format: choice(SHOW_KEYS),
    default: 'hashed',
    doc: 'How those three show keys: by the hash that placed them, in clear, or not at all. Logs never have them.',
  },
  logLevel: {
    part: 'process',
    format: choice(LOG_LEVELS),
    default: 'info',
    doc: 'The least important lines to log.',
  },
  logFormat: {
    part: 'process',
    format: choice(LOG_FORMATS),
    default: 'json',
    doc: 'JSON lines, or text for people.',
  },
  config: {
    part: 'input',
    format: plainText('a file or a directory'),
    default: undefined,
    doc:
      'A configuration file (ours or a nutcracker.yml), or a directory with default.yaml and ' +
      '<environment>.yaml. Without it: ./config if there, else the package’s own.',
  },
  configInline: {
    part: 'input',
    format: configText,
    default: undefined,
    doc: 'A configuration file as text, in place of one that `config` names.',
  },
  env: {
    part: 'input',
    format: plainText('a name such as production'),
    default: undefined,
    doc: 'The environment, which chooses <environment>.yaml. Without it, detected.',
  },
  pool: {
    part: 'input',
    format: plainText("a pool's name"),
    default: undefined,
    doc: 'Which pool of a nutcracker.yml to serve, if it has several.',
  },
  environmentDirectory: {
    part: 'input',
    format: plainText('a directory'),
    default: '/etc/podinfo',
    doc: 'Where the Kubernetes downward API volume with labels and annotations is mounted.',
  },
  namespaceFile: {
    part: 'input',
    format: plainText('a file'),
    default: '/var/run/secrets/kubernetes.io/serviceaccount/namespace',
    doc: "The file with the pod's namespace.",
  },
} as const satisfies Record<string, Option<unknown>>

export type OptionName = keyof typeof OPTIONS

type ValueOf<Row> = Row extends { readonly format: Format<infer Value>; readonly default: infer D }
  ? D extends string
    ? Value
    : Value | undefined
  : never

/** Every option's value, parsed. */
export type Settings = { readonly [Name in OptionName]: ValueOf<(typeof OPTIONS)[Name]> }

/** Those of one part. */
export type SettingsOf<Part extends OptionPart> = {
  readonly [Name in OptionName as (typeof OPTIONS)[Name]['part'] extends Part
    ? Name
    : never]: Settings[Name]
}

export const OPTION_NAMES = Object.keys(OPTIONS) as OptionName[]

/** The row with the optional fields visible to the type checker. */
export function optionOf(name: OptionName): Option<unknown> {
  return OPTIONS[name]
}

/** `requestTimeoutMs` to `request-timeout-ms`. */
export function flagName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** `requestTimeoutMs` to `AMBASSADOR_REQUEST_TIMEOUT_MS`. */
export function variableName(name: string): string {
  return `AMBASSADOR_${flagName(name).replaceAll('-', '_').toUpperCase()}`
}

/** The sibling of a secret that names a file holding it. */
export function fileOptionName(name: OptionName): string {
  return `${name}File`
}

/**
 * Merges layers, the weakest first, over the built-in defaults. A value that is not parsed, or an
 * option that is not declared, is a mistake of ours and throws convict's Error.
 */
export function mergeLayers(layers: readonly Partial<Settings>[]): Settings {
  const schema: Record<string, convict.SchemaObj> = {}
  for (const name of OPTION_NAMES) {
    const { doc, secret, default: text } = optionOf(name)
    schema[name] = {
      doc,
      sensitive: secret === true,
      env: variableName(name),
      default: text === undefined ? null : [defaultValue(name, text)],
      nullable: true,
      format: Array,
    }
  }
  const settings = convict(schema as convict.Schema<Record<string, unknown>>, { env: {}, args: [] })
  for (const layer of layers) {
    settings.load(Object.fromEntries(Object.entries(layer).map(([name, value]) => [name, [value]])))
  }
  settings.validate({ allowed: 'strict' })
  const values = Object.entries(settings.getProperties()) as [string, [unknown] | null][]
  return Object.fromEntries(values.map(([name, value]) => [name, value?.[0]])) as Settings
}

function defaultValue(name: OptionName, text: string): unknown {
  const parsed = optionOf(name).format.parse(text)
  if ('value' in parsed) return parsed.value
  throw new Error(`the default of ${name} ${parsed.problems[0]?.text}`)
}
