/**
 * The options, a row for each. Flag, variable, file key, --help, the table of docs/configuration.md, and
 * the option's type and place in Config all follow from its row: a new option is a new row.
 *
 * This file is also the only one that imports `convict`, which holds the schema, merges the layers over the
 * defaults and refuses options that are not declared. Its traps, and how we avoid them (all tried on 6.2.5):
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
  WORKERS_MAX,
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
  numberOrAll,
  numberOrAuto,
  plainText,
  secretText,
  strictBoolean,
  strictInteger,
} from './values/formats.ts'
import { databaseList } from './values/lists/database-list.ts'
import { listenList, listenOrOff } from './values/lists/listen-list.ts'
import { prefixList } from './values/lists/prefix-list.ts'
import { routeList } from './values/lists/route-list.ts'
import { sentinelList } from './values/lists/sentinel-list.ts'
import { shardList } from './values/lists/shard-list.ts'
import { userList } from './values/lists/user-list.ts'
import { mirrorFormat } from './values/mirror.ts'
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
  TRANSACTIONS,
} from './values/types.ts'
import { whatIf } from './values/what-if.ts'

/**
 * What an option is about: clients, shards, routes, watching, the process. An option of part `input` decides which
 * files are read, so it cannot stand in a file.
 */
export type OptionPart = 'edge' | 'pool' | 'routes' | 'watch' | 'process' | 'input'

export interface Option<Value> {
  readonly part: OptionPart
  readonly format: Format<Value>
  /** As an operator would write it. Undefined: the option is not set. */
  readonly default: string | undefined
  readonly doc: string
  /** The value is never shown, may come from a file that `<name>File` names, and has no flag, which `ps` would show. */
  readonly secret?: true
  /** The option is written as a path, and its value is the file. Not every user should be able to read a private one. */
  readonly file?: 'public' | 'private'
  /**
   * The value is a path, and the file is not read yet. A relative path is resolved against the file that it
   * stands in. `perhaps`: only if it names a file.
   */
  readonly path?: true | 'perhaps'
  /** An empty value means something, rather than "not set". */
  readonly emptyIsValue?: true
}

export const OPTIONS = {
  listen: {
    part: 'edge',
    format: listenList,
    default: 'localhost:6379',
    doc: 'Where clients connect. An address that begins with tls:// takes TLS. localhost means 127.0.0.1 and ::1; any other name means all its addresses. One that names a pool leads to this pool alone, the others to all pools as one Redis.',
  },
  adminListen: {
    part: 'watch',
    format: listenOrOff,
    default: 'localhost:9380',
    doc: 'Where the admin endpoint serves health, metrics and the state of the shards over HTTP.',
  },
  adminHosts: {
    part: 'watch',
    format: hostList,
    default: undefined,
    doc: 'Further host names under which the admin endpoint answers. Addresses, localhost, names without dots and names under .local and .internal are always taken.',
  },
  shards: {
    part: 'pool',
    format: shardList,
    default: undefined,
    doc: 'The Redis servers that hold the keys. Without this option, REDIS_URL is the only shard.',
  },
  readyMinShards: {
    part: 'watch',
    format: numberOrAll({ min: 1, max: SHARDS_MAX, unit: 'shards' }),
    default: '1',
    doc: 'How many shards must be up before /readyz says that traffic may come.',
  },
  hash: {
    part: 'pool',
    format: choice(HASH_NAMES),
    default: 'murmur',
    doc: "Which of twemproxy's hash functions makes a number of a key. Changing it moves keys. In a nutcracker.yml the default is fnv1a_64.",
  },
  distribution: {
    part: 'pool',
    format: choice(DISTRIBUTIONS),
    default: 'ketama',
    doc: 'How the hash of a key selects a shard, as in twemproxy. Changing it moves keys.',
  },
  hashTag: {
    part: 'pool',
    format: hashTag,
    default: '{}',
    emptyIsValue: true,
    doc: 'If a key has text between these two characters, only this text is hashed. Changing it moves keys.',
  },
  byteSign: {
    part: 'pool',
    format: choice(BYTE_SIGNS),
    default: 'signed',
    doc: 'How keys with non-ASCII bytes are hashed: as in twemproxy built for x86 (signed) or for ARM (unsigned).',
  },
  connectionsPerShard: {
    part: 'pool',
    format: strictInteger({ min: 1, max: CONNECTIONS_PER_SHARD_MAX }),
    default: '1',
    doc: 'How many connections to each shard the clients share. A client always uses the same one.',
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
  workers: {
    part: 'process',
    format: numberOrAuto({ min: 1, max: WORKERS_MAX }),
    default: '1',
    doc: 'How many processes serve clients, each with connections to all shards; auto is one for each core. docs/workers.md has more.',
  },
  maxClients: {
    part: 'edge',
    format: strictInteger({ min: 1, max: CLIENTS_MAX }),
    default: '10000',
    doc: 'How many clients may be connected at a time. The limit of open files may make it fewer.',
  },
  maxClientMemoryMb: {
    part: 'edge',
    format: strictInteger({ min: CLIENT_MEMORY_MB_MIN, max: CLIENT_MEMORY_MB_MAX }),
    default: undefined,
    doc: 'How much memory the requests and replies of all clients may take together, in MB. Beyond it the clients that hold most are closed. The default is 256, or what a memory limit (cgroup) leaves beside 128 MB, if that is less.',
  },
  clientIdleTimeoutMs: {
    part: 'edge',
    format: strictInteger({ min: 0, max: TIMER_MS_MAX, unit: 'milliseconds', zero: 'never' }),
    default: '0',
    doc: 'After how long without a request a client is closed. Blocked clients and subscribers stay.',
  },
  ejectShards: {
    part: 'pool',
    format: strictBoolean,
    default: 'no',
    doc: 'Give the keys of a failing shard to the other shards until it answers again. For caches only.',
  },
  ejectAfterFailures: {
    part: 'pool',
    format: strictInteger({ min: 1, max: EJECT_AFTER_FAILURES_MAX }),
    default: '2',
    doc: 'After how many failures in a row (connection lost or refused, time-out) a shard is ejected.',
  },
  ejectRetryMs: {
    part: 'pool',
    format: strictInteger({ min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' }),
    default: '30000',
    doc: 'How long an ejected shard is left alone before we ask whether it is back.',
  },
  crossShardReads: {
    part: 'edge',
    format: strictBoolean,
    default: 'yes',
    doc: 'Answer reads over keys of several shards (SUNION, ZINTER, PFCOUNT, XREAD, XREADGROUP ...) by combining them here. Without it they are refused.',
  },
  transactions: {
    part: 'edge',
    format: choice(TRANSACTIONS),
    default: 'shard',
    doc: 'Where the keys of a transaction may be: on one shard, or on several (split), so that it is atomic on each and not over all of them. docs/transactions.md has what that promises.',
  },
  password: {
    part: 'edge',
    format: secretText,
    default: undefined,
    secret: true,
    doc: 'The password that clients must give with AUTH.',
  },
  users: {
    part: 'edge',
    format: userList,
    default: undefined,
    secret: true,
    doc: 'Further users that may log in. All users see the same keys.',
  },
  authPassthrough: {
    part: 'edge',
    format: strictBoolean,
    default: 'no',
    doc: 'AUTH goes to the shards, whose own ACLs decide. The clients of each user have connections of their own. Every client must log in, if need be as `default`.',
  },
  trustNetwork: {
    part: 'edge',
    format: strictBoolean,
    default: 'no',
    doc: 'Do not warn that clients beyond this machine can connect without a password: it is intended.',
  },
  tlsCert: {
    part: 'edge',
    format: certificateFile,
    default: undefined,
    file: 'public',
    doc: 'The certificate for tls:// addresses, followed by those that signed it. The file is read again when it changes.',
  },
  tlsKey: {
    part: 'edge',
    format: keyFile,
    default: undefined,
    file: 'private',
    doc: 'The key of tlsCert.',
  },
  tlsCa: {
    part: 'edge',
    format: certificateFile,
    default: undefined,
    file: 'public',
    doc: 'The authorities that sign the certificates of clients. With it every client on a tls:// address must present a certificate.',
  },
  clientPassword: {
    part: 'pool',
    format: secretText,
    default: undefined,
    secret: true,
    doc: 'The password for clients at addresses that lead to this pool alone. Without it they give `password`.',
  },
  allowAdmin: {
    part: 'edge',
    format: strictBoolean,
    default: 'no',
    doc: 'Send commands that manage a server (CONFIG SET, ACL SETUSER, DEBUG ...) to all shards. Without it they are refused.',
  },
  shardUsername: {
    part: 'pool',
    format: plainText('a user name'),
    default: undefined,
    doc: 'The user for shards whose URL names no user.',
  },
  shardPassword: {
    part: 'pool',
    format: secretText,
    default: undefined,
    secret: true,
    doc: 'The password for shards whose URL has no password.',
  },
  shardAuthCommand: {
    part: 'pool',
    format: commandLine,
    default: undefined,
    doc: 'A program that prints user and token for shards whose URL has no password. It is run again before the token expires.',
  },
  shardAuthFile: {
    part: 'pool',
    format: plainText('a file'),
    default: undefined,
    path: true,
    doc: 'A file with user and token for shards whose URL has no password. It is read again when another program renews it.',
  },
  shardAuthLifeMs: {
    part: 'pool',
    format: strictInteger({ min: 1000, max: TIMER_MS_MAX, unit: 'milliseconds' }),
    default: '900000',
    doc: 'How long a token of shardAuthCommand lasts, if the program does not print that.',
  },
  shardTlsCa: {
    part: 'pool',
    format: certificateFile,
    default: undefined,
    file: 'public',
    doc: 'The authorities that sign the certificates of rediss:// shards. The default are those that Node.js trusts.',
  },
  shardTlsCert: {
    part: 'pool',
    format: certificateFile,
    default: undefined,
    file: 'public',
    doc: 'The certificate to present to rediss:// shards that ask for one.',
  },
  shardTlsKey: {
    part: 'pool',
    format: keyFile,
    default: undefined,
    file: 'private',
    doc: 'The key of shardTlsCert.',
  },
  shardTlsServerName: {
    part: 'pool',
    format: hostName,
    default: undefined,
    doc: "The name in the certificates of rediss:// shards. The default is each shard's host.",
  },
  shardTlsInsecure: {
    part: 'pool',
    format: strictBoolean,
    default: 'no',
    doc: 'Take any certificate from rediss:// shards. An attacker between us and a shard can then read everything.',
  },
  sentinels: {
    part: 'pool',
    format: sentinelList,
    default: undefined,
    doc: 'The sentinels that know the masters of redis+sentinel:// shards. A few are enough: they name the other sentinels.',
  },
  sentinelUsername: {
    part: 'pool',
    format: plainText('a user name'),
    default: undefined,
    doc: 'The user for the sentinels.',
  },
  sentinelPassword: {
    part: 'pool',
    format: secretText,
    default: undefined,
    secret: true,
    doc: 'The password for the sentinels. The password for the servers is shardPassword, or stands in the URL.',
  },
  sentinelEarly: {
    part: 'pool',
    format: strictBoolean,
    default: 'yes',
    doc: 'In a failover, use the new master as soon as it is promoted, about a second before the sentinels announce it.',
  },
  topologyRefreshMs: {
    part: 'pool',
    format: strictInteger({
      min: TOPOLOGY_REFRESH_MS_MIN,
      max: TIMER_MS_MAX,
      unit: 'milliseconds',
    }),
    default: '30000',
    doc: 'How often a Redis Cluster is asked for its map while there is no sign of a change. Each wait is up to a fifth longer or shorter.',
  },
  addressMap: {
    part: 'pool',
    format: addressMappings,
    default: undefined,
    doc: 'Replaces addresses that nodes of a Redis Cluster announce, where these do not lead to the nodes from here.',
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
    doc: 'For how long after its own write a client reads from the master, at least.',
  },
  zone: {
    part: 'pool',
    format: plainText('the name of a zone'),
    default: undefined,
    doc: 'The zone in which the ambassador runs, as servers call it (availability_zone). `nearest` prefers replicas in it.',
  },
  replicaMaxLagBytes: {
    part: 'pool',
    format: strictInteger({ min: 0, max: REPLICA_LAG_BYTES_MAX, unit: 'bytes', zero: 'any' }),
    default: '1048576',
    doc: 'How many bytes a replica may be behind its master and still be read from.',
  },
  nearCacheKeys: {
    part: 'pool',
    format: prefixList,
    default: undefined,
    doc: 'The prefixes of keys that the near-cache may keep. A key is kept in memory here after it is read, until its shard announces a change. Read docs/near-cache.md first.',
  },
  nearCacheMb: {
    part: 'pool',
    format: strictInteger({ min: 1, max: NEAR_CACHE_MB_MAX }),
    default: '64',
    doc: 'How much memory the near-cache may take in all, in MB.',
  },
  nearCacheStaleMs: {
    part: 'pool',
    format: strictInteger({
      min: NEAR_CACHE_STALE_MS_MIN,
      max: TIMER_MS_MAX,
      unit: 'milliseconds',
    }),
    default: '1000',
    doc: 'How long replies in the near-cache are used while their shard, or the network to it, is silent.',
  },
  nearCacheMaxAgeMs: {
    part: 'pool',
    format: strictInteger({ min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' }),
    default: '60000',
    doc: 'How long the near-cache keeps a reply at most, even if its key has not changed.',
  },
  nearCacheEntryBytes: {
    part: 'pool',
    format: strictInteger({ min: 1, max: NEAR_CACHE_ENTRY_BYTES_MAX, unit: 'bytes' }),
    default: '16384',
    doc: 'How large a reply and its request may be together for the near-cache to keep it.',
  },
  nearCacheTouchMs: {
    part: 'pool',
    format: strictInteger({ min: 0, max: TIMER_MS_MAX, unit: 'milliseconds', zero: 'never' }),
    default: '1000',
    doc: 'How often TOUCH tells a shard that evicts keys by their use which of its keys are read from the near-cache.',
  },
  nearCacheTtl: {
    part: 'pool',
    format: choice(NEAR_CACHE_TTLS),
    default: 'ask',
    doc: 'Whether the near-cache asks for the expiry of each key that it keeps (ask), or trusts that these keys never expire.',
  },
  nearCacheScripts: {
    part: 'pool',
    format: choice(NEAR_CACHE_SCRIPTS),
    default: 'all',
    doc: 'Which keys of the near-cache a script or function may write: all, so that each call empties the cache; or only those that it declares.',
  },
  mirror: {
    part: 'pool',
    format: mirrorFormat,
    default: undefined,
    doc: 'Another pool, which is sent a copy of what this one is sent; its replies are dropped. docs/pools.md has more.',
  },
  routes: {
    part: 'routes',
    format: routeList,
    default: undefined,
    doc: 'Which keys and channels belong to another pool, or to one shard, by their prefix. The longest prefix wins. Pools are written in a file.',
  },
  databases: {
    part: 'routes',
    format: databaseList,
    default: undefined,
    doc: 'Databases that are one pool, or one shard of a ring, for clients that SELECT them. docs/pools.md has more.',
  },
  slowRequestMs: {
    part: 'watch',
    format: strictInteger({ min: 0, max: TIMER_MS_MAX, unit: 'milliseconds', zero: 'never' }),
    default: '10',
    doc: 'How long a request may take before it is in the slow log. Time spent waiting behind other requests does not count.',
  },
  bigReplyBytes: {
    part: 'watch',
    format: strictInteger({ min: 0, max: REPLY_BULK_BYTES_MAX, unit: 'bytes', zero: 'never' }),
    default: '1048576',
    doc: 'From which size on a reply is listed among the big replies.',
  },
  hotKeys: {
    part: 'watch',
    format: strictBoolean,
    default: 'no',
    doc: 'Count one key in 32, chosen at random, to find the keys that are asked for most.',
  },
  showKeys: {
    part: 'watch',
    format: choice(SHOW_KEYS),
    default: 'hashed',
    doc: 'How slow log, big replies, hot keys and preflight show a key: by the hash that placed it, in clear, or not at all. Keys are never logged.',
  },
  whatIf: {
    part: 'watch',
    format: whatIf,
    default: undefined,
    path: 'perhaps',
    doc: 'A configuration that is to come. /preflight tells what it would split or refuse of the requests of today. docs/preflight.md has more.',
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
    doc: 'The form of the log: lines of JSON, or text for people.',
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
    doc: 'A configuration file as text, instead of one that `config` names.',
  },
  env: {
    part: 'input',
    format: plainText('a name such as production'),
    default: undefined,
    doc: 'The environment, which selects <environment>.yaml. By default it is detected.',
  },
  pool: {
    part: 'input',
    format: plainText("a pool's name"),
    default: undefined,
    doc: 'Which pool of a nutcracker.yml to serve. Without it all of them are served, each at its own address.',
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

/** The options of one part. */
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
