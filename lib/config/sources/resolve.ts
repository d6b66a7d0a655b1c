/** From layers of parsed values to the configuration that they make together. */
import { ConfigError } from '../../errors.ts'
import { CLIENT_MEMORY_MB_DEFAULT, CLIENT_MEMORY_MB_MIN, WORKERS_MAX } from '../../limits.ts'
import { keptMbOf } from '../checks/check-near-cache.ts'
import type { PoolSettings } from '../checks/check-pool.ts'
import { checkTogether } from '../checks/check-together.ts'
import { ownMemoryMb } from '../checks/check-workers.ts'
import type {
  Config,
  PoolConfig,
  ProcessConfig,
  SentinelAddress,
  SentinelConfig,
  ShardConfig,
} from '../config.ts'
import { DEFAULT_POOL } from '../pool-name.ts'
import {
  mergeLayers,
  OPTION_NAMES,
  type OptionPart,
  optionOf,
  type Settings,
  type SettingsOf,
} from '../schema.ts'
import type { ShardList } from '../values/types.ts'
import { memoryLimitBytes, usableCores } from './control-group.ts'
import type { Environment } from './environment.ts'
import type { Findings, Layer } from './layers.ts'

/** The source of a value that nothing has set. */
export const DEFAULT_SOURCE = 'built-in default'

/**
 * The configuration that these layers, the weakest first, make over the built-in defaults. Throws
 * ConfigError with all problems found so far. The result is frozen.
 */
export function resolveLayers(
  layers: readonly Layer[],
  environment: Environment,
  findings: Findings,
  memoryBytes = memoryLimitBytes(),
): Config {
  const memoryMb = Math.floor(memoryBytes / (1024 * 1024))
  const [first, ...others] = poolsOf(layers)
  const keptMb = keptMbOf([first, ...others])
  const workers = workersOf(first.settings)
  const fittingMb = fittingClientMemoryMb(memoryMb - keptMb, workers)
  const { maxClientMemoryMb = fittingMb } = first.settings
  const settings = { ...first.settings, maxClientMemoryMb }
  const pools = [first, ...others] as const
  checkTogether({ settings, pools, memoryMb, workers }, findings)
  const files = [...findings.files]
  if (findings.problems.length > 0) throw new ConfigError(findings.problems, files)
  const limitMb = fittingMb < CLIENT_MEMORY_MB_DEFAULT ? memoryMb : undefined
  const sources = allSources(layers, pools, limitMb)
  const process: ProcessConfig = {
    ...partOf(settings, 'process'),
    ...{ environment, notes: findings.notes, files, sources, workers },
  }
  const mirrors = new Set(pools.flatMap(({ settings: { mirror } }) => mirror?.pool ?? []))
  return deepFreeze({
    edge: { ...partOf(settings, 'edge'), maxClientMemoryMb },
    pools: [
      toPool(first),
      ...others.filter((pool) => !mirrors.has(pool.name)).map(toPool),
    ] as const,
    mirrors: others.filter(({ name }) => mirrors.has(name)).map(toPool),
    routes: settings.routes ?? [],
    databases: settings.databases ?? [],
    watch: partOf(settings, 'watch'),
    whatIf: undefined,
    process,
  })
}

/** The default of maxClientMemoryMb where all processes together may take `memoryMb`. */
function fittingClientMemoryMb(memoryMb: number, workers: number): number {
  const leftMb = Math.min(memoryMb - ownMemoryMb(workers), CLIENT_MEMORY_MB_DEFAULT)
  return Math.max(leftMb, workers * CLIENT_MEMORY_MB_MIN)
}

function workersOf({ workers }: Settings): number {
  return workers === 'auto' ? Math.min(usableCores(), WORKERS_MAX) : workers
}

/** The options at the top make the first pool; the others take nothing from there. */
function poolsOf(layers: readonly Layer[]): readonly [PoolSettings, ...PoolSettings[]] {
  const names = new Set(layers.flatMap(({ pools }) => [...(pools?.keys() ?? [])]))
  const others = [...names].map((name) => {
    const own = layers.flatMap(({ pools }) => pools?.get(name) ?? [])
    return poolOf(name, own)
  })
  const first = layers.findLast(({ firstPool }) => firstPool !== undefined)?.firstPool
  return [poolOf(first ?? DEFAULT_POOL, layers), ...others]
}

function poolOf(name: string, layers: readonly Layer[]): PoolSettings {
  const settings = mergeLayers(layers.map(({ values }) => values))
  return { name, settings, list: withCredentials(settings), sources: sourcesOf(layers) }
}

function toPool({ name, settings, list }: PoolSettings): PoolConfig {
  const { shardUsername: _, shardPassword: __, sentinels: ___, ...pool } = partOf(settings, 'pool')
  return { ...pool, ...list, name }
}

/** Shards, or a cluster, with the options for all of them filled in. */
function withCredentials(settings: Settings): ShardList {
  const { shards: list = NO_SHARDS, shardUsername, shardPassword, sentinels = [] } = settings
  // A shard with a password and no user of its own logs in as the default user, and not as
  // `shardUsername`.
  const credentials = ({ username, password }: Credentials): Credentials => ({
    username: password === undefined ? (username ?? shardUsername) : username,
    password: password ?? shardPassword,
  })
  return {
    shards: list.shards.map((shard) => ({
      ...shard,
      ...credentials(shard),
      sentinel: shard.sentinel && withSentinels(shard.sentinel, sentinels),
    })),
    cluster: list.cluster && { ...list.cluster, ...credentials(list.cluster) },
  }
}

type Credentials = Pick<ShardConfig, 'username' | 'password'>

const NO_SHARDS: ShardList = { shards: [], cluster: undefined }

function withSentinels(
  sentinel: SentinelConfig,
  sentinels: readonly SentinelAddress[],
): SentinelConfig {
  return sentinel.addresses.length > 0 ? sentinel : { ...sentinel, addresses: sentinels }
}

function sourcesOf(layers: readonly Layer[]): Record<string, string> {
  const sources = new Map<string, string>(OPTION_NAMES.map((name) => [name, DEFAULT_SOURCE]))
  for (const layer of layers) for (const [name, source] of layer.sources) sources.set(name, source)
  return Object.fromEntries(sources)
}

/** The sources of all pools. `memoryMb`: the memory limit, if a default follows from it. */
function allSources(
  layers: readonly Layer[],
  [first, ...others]: readonly [PoolSettings, ...PoolSettings[]],
  memoryMb: number | undefined,
): Record<string, string> {
  const isGiven = layers.some(({ sources }) => sources.has('maxClientMemoryMb'))
  const limit = `memory limit of ${memoryMb} MB`
  const entries = others.flatMap(({ name, sources }) => {
    const own = OPTION_NAMES.filter((option) => optionOf(option).part === 'pool')
    return own.map((option): [string, string] => [`pools.${name}.${option}`, sources[option] ?? ''])
  })
  return {
    ...first.sources,
    ...(memoryMb === undefined || isGiven ? {} : { maxClientMemoryMb: limit }),
    ...Object.fromEntries(entries),
  }
}

/** The options of one part. */
function partOf<Part extends OptionPart>(settings: Settings, part: Part): SettingsOf<Part> {
  const names = OPTION_NAMES.filter((name) => optionOf(name).part === part)
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as SettingsOf<Part>
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part)
  }
  return Object.freeze(value)
}
