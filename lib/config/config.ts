/**
 * What a resolved configuration is: a plain, frozen object, in parts. Which option belongs to which part,
 * and what type it has, follows from its row in `schema.ts`.
 */
import type { SettingsOf } from './schema.ts'
import type { ClusterConfig, DatabaseConfig, RouteConfig, ShardConfig } from './values/types.ts'

export type {
  AddressMapping,
  ByteSign,
  ClusterConfig,
  DatabaseConfig,
  Distribution,
  HashName,
  ListenAddress,
  LogFormat,
  LogLevel,
  MirrorConfig,
  PemFile,
  ReadFrom,
  ReplicaAddress,
  RouteConfig,
  SeedAddress,
  SentinelAddress,
  SentinelConfig,
  ShardConfig,
  ShowKeys,
  TcpListenAddress,
  UnixListenAddress,
  UserConfig,
} from './values/types.ts'

/** How clients get in, and what they may do. */
export interface EdgeConfig extends Omit<SettingsOf<'edge'>, 'maxClientMemoryMb'> {
  readonly maxClientMemoryMb: number
}

/** A set of shards and how it is used. Options for all shards are filled in at each of them. */
export interface PoolConfig extends Omit<SettingsOf<'pool'>, 'shards' | ShardDefault> {
  readonly name: string
  /** In the order of the configuration: at least one, none with a cluster. */
  readonly shards: readonly ShardConfig[]
  /** In place of shards. */
  readonly cluster: ClusterConfig | undefined
}

type ShardDefault = 'shardUsername' | 'shardPassword' | 'sentinels'

/** What operators see. */
export type WatchConfig = SettingsOf<'watch'>

/** What concerns the process, and where its configuration comes from. */
export interface ProcessConfig extends Omit<SettingsOf<'process'>, 'workers'> {
  /** Processes that serve clients, as counted where `auto` was asked for. */
  readonly workers: number
  /** Which environment's layer applies, and what named it. */
  readonly environment: { readonly name: string; readonly source: string }
  /** Facts the operator should see once at start, one line each: ignored keys, file modes. */
  readonly notes: readonly string[]
  /**
   * Paths of all files that decide on the configuration: those that were read, and those that could
   * be there and are not.
   */
  readonly files: readonly string[]
  /**
   * By option name: what set it (`--listen`, `AMBASSADOR_LISTEN`, `config/default.yaml:3`, `built-in default`).
   * Options of further pools as `pools.name.option`.
   */
  readonly sources: Readonly<Record<string, string>>
}

export interface Config {
  readonly edge: EdgeConfig
  /** The first is the one that the options at the top of a file make: `default`. */
  readonly pools: readonly [PoolConfig, ...PoolConfig[]]
  /** Pools that are sent copies of what others are sent. No key belongs to them, and no client sees them. */
  readonly mirrors: readonly PoolConfig[]
  /** Keys without a route belong to the first pool. */
  readonly routes: readonly RouteConfig[]
  /** All others are databases of all pools. */
  readonly databases: readonly DatabaseConfig[]
  readonly watch: WatchConfig
  /** What `watch.whatIf` names; undefined: nothing is rehearsed. */
  readonly whatIf: WhatIf | undefined
  readonly process: ProcessConfig
}

/** The part of another configuration that decides where requests go, and which are refused. */
export interface WhatIf
  extends Pick<Config, 'pools' | 'routes' | 'databases'>,
    Pick<EdgeConfig, 'allowAdmin' | 'crossShardReads' | 'transactions'> {}
