/** What values of options are once they have been read. */

/** twemproxy's twelve key hash functions, by its names. lib/routing implements them. */
export const HASH_NAMES = [
  'one_at_a_time',
  'md5',
  'crc16',
  'crc32',
  'crc32a',
  'fnv1_64',
  'fnv1a_64',
  'fnv1_32',
  'fnv1a_32',
  'hsieh',
  'murmur',
  'jenkins',
] as const

export type HashName = (typeof HASH_NAMES)[number]

export const DISTRIBUTIONS = ['ketama', 'modula', 'random'] as const

export type Distribution = (typeof DISTRIBUTIONS)[number]

/** How a hash function reads bytes from 0x80 up: as x86 builds of twemproxy do (signed) or as ARM's. */
export const BYTE_SIGNS = ['signed', 'unsigned'] as const

export type ByteSign = (typeof BYTE_SIGNS)[number]

/** How operators see keys: by the hash that placed them, as they are, or not at all. */
export const SHOW_KEYS = ['hashed', 'clear', 'off'] as const

export type ShowKeys = (typeof SHOW_KEYS)[number]

/** Whether the keys of a transaction may be on several shards. */
export const TRANSACTIONS = ['shard', 'split'] as const

/** Where requests that only read go. */
export const READ_FROM = [
  'master',
  'prefer-master',
  'prefer-replica',
  'replica',
  'nearest',
] as const

export type ReadFrom = (typeof READ_FROM)[number]

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

export const LOG_FORMATS = ['json', 'pretty'] as const

export type LogFormat = (typeof LOG_FORMATS)[number]

/** Where a sentinel is. */
export interface SentinelAddress {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
  readonly tls: boolean
}

/** How to find a shard whose server is the current master by Sentinel. */
export interface SentinelConfig {
  /** The name by which the sentinels know the master. */
  readonly master: string
  /** At least one. */
  readonly addresses: readonly SentinelAddress[]
}

/** Where a replica of a shard is. */
export interface ReplicaAddress {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** One Redis behind us. */
export interface ShardConfig {
  /** What the ring hashes; unique. Unnamed shards get `host:port` as written, as in twemproxy. */
  readonly name: string
  /** Host name or address, IPv6 without brackets; empty for a unix socket, and with `sentinel`. */
  readonly host: string
  /** 1 to 65535; 0 for a unix socket, and with `sentinel`. */
  readonly port: number
  /** Path of a unix socket; undefined for TCP. */
  readonly path: string | undefined
  /** Undefined: it is where its address says. */
  readonly sentinel: SentinelConfig | undefined
  /** Replicas in the shard's address; sentinels may name more. */
  readonly replicas: readonly ReplicaAddress[]
  /** Positive integer: its share of the ring against the others'. */
  readonly weight: number
  /** SELECTed on connecting. */
  readonly database: number
  /** Sent with AUTH on connecting, when there is a password. */
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: boolean
}

/** A server that is asked first for the map of a cluster. */
export interface SeedAddress {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string
  readonly port: number
}

/** A Redis Cluster, whose nodes name each other. */
export interface ClusterConfig {
  /** At least one, in the order of the configuration. */
  readonly seeds: readonly SeedAddress[]
  /** Sent with AUTH to every node, when there is a password. */
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: boolean
}

/** What holds the keys: shards, or in their place a cluster. */
export interface ShardList {
  /** In the order of the configuration; none with a cluster. */
  readonly shards: readonly ShardConfig[]
  readonly cluster: ClusterConfig | undefined
}

/** A server announces one address and is reached at another. */
export interface AddressMapping {
  readonly announced: SeedAddress
  readonly reached: SeedAddress
}

/** Keys and channels that begin with `prefix` belong to a pool, or to one shard of its ring. */
export interface RouteConfig {
  readonly prefix: string
  readonly pool: string
  /** Undefined: the pool's own rules decide. */
  readonly shard: string | undefined
}

/** A database that is a pool, or one shard of a ring. */
export interface DatabaseConfig {
  /** As clients SELECT it. */
  readonly database: number
  readonly pool: string
  /** Undefined: the whole pool. */
  readonly shard: string | undefined
}

/** What is sent to a pool is sent to another one as well, and its replies are dropped. */
export interface MirrorConfig {
  readonly pool: string
  /** How many of a hundred requests, drawn by lot. */
  readonly percent: number
  /** Commands that only read are left out. */
  readonly writesOnly: boolean
}

/** A file with certificates or a key. */
export interface PemFile {
  readonly path: string
  /** The text of a key must never be shown. */
  readonly text: string
}

/** Who may log in at the ambassador, besides `default`. */
export interface UserConfig {
  readonly name: string
  readonly password: string
}

/** What an address for clients may say besides where it is. */
export interface Leading {
  /** Clients who come here see this pool alone; not there: all pools as one Redis. */
  readonly pool?: string
}

export interface TcpListenAddress extends Leading {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string
  /** 0 to 65535; 0 takes any free port. */
  readonly port: number
  /** Clients speak TLS here. */
  readonly tls?: true
}

export interface UnixListenAddress extends Leading {
  readonly path: string
  /** Permission bits for the socket file (0o660); undefined leaves it to the umask. */
  readonly mode: number | undefined
}

export type ListenAddress = TcpListenAddress | UnixListenAddress

export const NEAR_CACHE_TTLS = ['ask', 'trust'] as const
export const NEAR_CACHE_SCRIPTS = ['all', 'declared'] as const
