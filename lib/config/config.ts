/** What a resolved configuration is. Every other room takes this plain, frozen object. */

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

/** How a shard is found whose server is the master of the moment. */
export interface SentinelConfig {
  /** The name by which the sentinels know the master. */
  readonly master: string
  /** At least one. */
  readonly addresses: readonly SentinelAddress[]
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
  /** Positive integer: its share of the ring against the others'. */
  readonly weight: number
  /** SELECTed on connecting. */
  readonly database: number
  /** Sent with AUTH on connecting, when there is a password. */
  readonly username: string | undefined
  readonly password: string | undefined
  readonly tls: boolean
}

/** A file with certificates or a key. */
export interface PemFile {
  readonly path: string
  /** A key's must never be shown. */
  readonly text: string
}

/** How clients are met on tls:// addresses. */
export interface ClientTlsConfig {
  readonly certificate: PemFile
  readonly key: PemFile
  /** Clients must present a certificate that one of these signed; undefined: they need none. */
  readonly authorities: PemFile | undefined
}

/** How shards given as rediss:// are met. */
export interface ShardTlsConfig {
  /** Who signs the shards' certificates; undefined: those whom the system trusts. */
  readonly authorities: PemFile | undefined
  /** What we present, if they ask. */
  readonly certificate: PemFile | undefined
  readonly key: PemFile | undefined
  /** The name that the shards' certificates have; undefined: each shard's own host. */
  readonly serverName: string | undefined
  /** Takes any certificate. */
  readonly insecure: boolean
}

/** Who may log in at the ambassador, besides `default`. */
export interface UserConfig {
  readonly name: string
  readonly password: string
}

export interface TcpListenAddress {
  /** Host name or address, IPv6 without brackets. */
  readonly host: string
  /** 0 to 65535; 0 takes any free port. */
  readonly port: number
  /** Clients speak TLS here. */
  readonly tls?: true
}

export interface UnixListenAddress {
  readonly path: string
  /** Permission bits for the socket file (0o660); undefined leaves it to the umask. */
  readonly mode: number | undefined
}

export type ListenAddress = TcpListenAddress | UnixListenAddress

export interface Config {
  /** Which environment's layer applies, and what said so. */
  readonly environment: { readonly name: string; readonly source: string }
  /** At least one. */
  readonly listen: readonly ListenAddress[]
  /** undefined: no admin endpoint. */
  readonly adminListen: ListenAddress | undefined
  /** Names by which it may be asked, besides those that always may; `*.` before one: all below it. */
  readonly adminHosts: readonly string[]
  /** How many shards must be up for traffic to be sent here; at most all of them. */
  readonly readyMinShards: number
  /** At least one, in the order of the configuration. */
  readonly shards: readonly ShardConfig[]
  readonly hash: HashName
  readonly distribution: Distribution
  /** Two characters, or empty for none. */
  readonly hashTag: string
  readonly byteSign: ByteSign
  readonly connectionsPerShard: number
  /** 0: a request may wait for ever. */
  readonly requestTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly drainTimeoutMs: number
  readonly maxClients: number
  /** For all clients together. */
  readonly maxClientMemoryMb: number
  /** 0: a client may be idle for ever. */
  readonly clientIdleTimeoutMs: number
  /** SUNION, ZINTER, PFCOUNT, XREAD and their like over keys of several shards. */
  readonly crossShardReads: boolean
  /** A shard that fails gives its keys to the others. */
  readonly ejectShards: boolean
  readonly ejectAfterFailures: number
  readonly ejectRetryMs: number
  /** What clients must present with AUTH; undefined: nothing, unless there are users. */
  readonly password: string | undefined
  /** More users than the default one. */
  readonly users: readonly UserConfig[]
  /** AUTH is for the shards to judge. */
  readonly authPassthrough: boolean
  /** That it listens beyond this machine without a password is meant so. */
  readonly trustNetwork: boolean
  /** There where an address to listen on is tls://. */
  readonly clientTls: ClientTlsConfig | undefined
  readonly shardTls: ShardTlsConfig
  /** What the sentinels ask for; undefined: nothing. */
  readonly sentinelUsername: string | undefined
  readonly sentinelPassword: string | undefined
  /** A shard moves as soon as the heir is master, ahead of the sentinels' announcement. */
  readonly sentinelEarly: boolean
  /** Commands that manage a server are sent to all shards. */
  readonly allowAdmin: boolean
  /** 0: no request is slow. */
  readonly slowRequestMs: number
  /** 0: no reply is big. */
  readonly bigReplyBytes: number
  readonly hotKeys: boolean
  readonly showKeys: ShowKeys
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  /** Facts the operator should see once at start, one line each: ignored keys, file modes. */
  readonly notes: readonly string[]
  /** Paths of all files that decide on it: those it was read from, and those that are not there. */
  readonly files: readonly string[]
  /** By option name: what set it (`--listen`, `AMBASSADOR_LISTEN`, `config/default.yaml:3`, `built-in default`). */
  readonly sources: Readonly<Record<string, string>>
}
