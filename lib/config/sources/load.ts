/**
 * The configuration as a whole: built-in defaults, files, variables, flags, each stronger than the
 * one before; then what no value alone can tell. All mistakes are reported at once.
 */
import { ConfigError } from '../../errors.ts'
import { CLIENT_MEMORY_MB_DEFAULT, CLIENT_MEMORY_MB_MIN, PROCESS_MEMORY_MB } from '../../limits.ts'
import { checkTogether } from '../check-together.ts'
import type {
  Config,
  EdgeConfig,
  ProcessConfig,
  SentinelAddress,
  SentinelConfig,
  ShardConfig,
  WatchConfig,
} from '../config.ts'
import {
  mergeLayers,
  OPTION_NAMES,
  type OptionName,
  type OptionPart,
  optionOf,
  type Settings,
  type SettingsOf,
} from '../schema.ts'
import { shardList } from '../values/shard-list.ts'
import type { ShardList } from '../values/types.ts'
import { detectEnvironment, type Environment } from './environment.ts'
import { layersOfFiles } from './files.ts'
import { EMPTY_LAYER, type Findings, type Layer, layerOfFlags, layerOfVariables } from './layers.ts'
import { memoryLimitBytes } from './memory-limit.ts'

/** The pool of the options that stand at the top of a file. */
const DEFAULT_POOL = 'default'

export interface ConfigInputs {
  /** What followed each flag, by option name (`requestTimeoutMs`), or `<secret>File`. */
  readonly flags?: Readonly<Record<string, string>>
  /** The process environment; its own by default. */
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** What the process may take, bytes, Infinity for no limit; as its control group says by default. */
  readonly memoryBytes?: number
}

/** Throws ConfigError with one line for each mistake. The result is frozen. */
export function loadConfig(inputs: ConfigInputs = {}): Config {
  const { layers, environment, findings } = readLayers(inputs)
  return resolveLayers(layers, environment, findings, inputs.memoryBytes)
}

export interface Addresses extends Pick<EdgeConfig, 'listen'>, Pick<WatchConfig, 'adminListen'> {
  /** All mistakes there are; those elsewhere do not matter here. */
  readonly problems: readonly string[]
}

/**
 * Where an ambassador with this configuration listens, also if it could not start with it: one that
 * runs has refused it and goes on. What cannot be read counts as not written.
 */
export function loadAddresses(inputs: ConfigInputs = {}): Addresses {
  const { layers, findings } = readLayers(inputs)
  const { listen, adminListen } = mergeLayers(layers.map((layer) => layer.values))
  return { listen, adminListen, problems: findings.problems }
}

function readLayers(inputs: ConfigInputs) {
  const { flags = {}, env = process.env, cwd = process.cwd() } = inputs
  const findings: Findings = { problems: [], notes: [], files: new Set(), incomplete: false }
  const given = [layerOfVariables(env, cwd, findings), layerOfFlags(flags, cwd, findings)]
  const chosen = mergeLayers(given.map((layer) => layer.values))
  const environment = environmentOf(chosen, given, env, findings)
  const choice = {
    config: chosen.config,
    configSource: sourceOf('config', given) ?? './config',
    pool: chosen.pool,
    environment,
    environmentGiven: chosen.env !== undefined,
    cwd,
  }
  const layers = [...layersOfFiles(choice, findings), ...given]
  const hasShards = layers.some((layer) => layer.sources.has('shards'))
  if (!hasShards && !findings.incomplete) layers.unshift(layerOfRedisUrl(env, findings))
  return { layers, environment, findings }
}

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
  const given = mergeLayers(layers.map((layer) => layer.values))
  const memoryMb = Math.floor(memoryBytes / (1024 * 1024))
  const keptMb = given.nearCacheKeys === undefined ? 0 : given.nearCacheMb
  const fittingMb = fittingClientMemoryMb(memoryMb - keptMb)
  const settings = { ...given, maxClientMemoryMb: given.maxClientMemoryMb ?? fittingMb }
  const list = withCredentials(settings)
  const limitMb = fittingMb < CLIENT_MEMORY_MB_DEFAULT ? memoryMb : undefined
  const sources = sourcesOf(layers, limitMb)
  checkTogether({ settings, list, memoryMb, sources }, findings)
  const files = [...findings.files]
  if (findings.problems.length > 0) throw new ConfigError(findings.problems, files)
  const { notes } = findings
  return toConfig(settings, list, { environment, notes, files, sources })
}

/** The default of maxClientMemoryMb in a process that may take `memoryMb`. */
function fittingClientMemoryMb(memoryMb: number): number {
  const leftMb = Math.max(memoryMb - PROCESS_MEMORY_MB, CLIENT_MEMORY_MB_MIN)
  return Math.min(leftMb, CLIENT_MEMORY_MB_DEFAULT)
}

function environmentOf(
  { env: name, environmentDirectory, namespaceFile }: Settings,
  given: readonly Layer[],
  env: NodeJS.ProcessEnv,
  findings: Findings,
): Environment {
  try {
    return detectEnvironment({
      given: name === undefined ? undefined : { name, source: sourceOf('env', given) ?? '' },
      directory: environmentDirectory,
      namespaceFile,
      nodeEnv: env['NODE_ENV'],
      files: findings.files,
    })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    findings.problems.push(...error.problems)
    return { name: 'default', source: '' }
  }
}

function sourceOf(name: OptionName, layers: readonly Layer[]): string | undefined {
  return layers.findLast((layer) => layer.sources.has(name))?.sources.get(name)
}

/** The variable that most Redis clients and platforms know, as the only shard. */
function layerOfRedisUrl(env: NodeJS.ProcessEnv, findings: Findings): Layer {
  const url = env['REDIS_URL'] ?? ''
  if (url === '') {
    findings.problems.push(
      'there are no shards; name them with --shards a=10.0.0.1:6379,b=10.0.0.2:6379, with ' +
        'AMBASSADOR_SHARDS, or in a file given by --config; `redis-ambassador demo` needs none',
    )
    return EMPTY_LAYER
  }
  const parsed = shardList.parse(url)
  if (!('value' in parsed)) {
    findings.problems.push(...parsed.problems.map(({ text }) => `REDIS_URL: ${text}`))
    return EMPTY_LAYER
  }
  if (parsed.value.shards.length > 1) {
    findings.problems.push('REDIS_URL: names several shards; several go into AMBASSADOR_SHARDS')
  }
  return { values: { shards: parsed.value }, sources: new Map([['shards', 'REDIS_URL']]) }
}

/** Shards, or a cluster, with what is said for all of them filled in. */
function withCredentials(settings: Settings): ShardList {
  const { shards: list = NO_SHARDS, shardUsername, shardPassword, sentinels = [] } = settings
  // A password of its own without a user is for the default user, not for the one of the others.
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

/** `memoryMb`: the memory limit, if a default follows from it. */
function sourcesOf(layers: readonly Layer[], memoryMb: number | undefined): Record<string, string> {
  const sources = new Map<string, string>(OPTION_NAMES.map((name) => [name, 'built-in default']))
  if (memoryMb !== undefined) sources.set('maxClientMemoryMb', `memory limit of ${memoryMb} MB`)
  for (const layer of layers) for (const [name, source] of layer.sources) sources.set(name, source)
  return Object.fromEntries(sources)
}

/** With what follows from the surroundings. */
type Resolved = Settings & { readonly maxClientMemoryMb: number }

type Origin = Pick<ProcessConfig, 'environment' | 'notes' | 'files' | 'sources'>

function toConfig(settings: Resolved, list: ShardList, origin: Origin): Config {
  const { shardUsername: _, shardPassword: __, sentinels: ___, ...pool } = partOf(settings, 'pool')
  return deepFreeze({
    edge: { ...partOf(settings, 'edge'), maxClientMemoryMb: settings.maxClientMemoryMb },
    pools: [{ ...pool, ...list, name: DEFAULT_POOL }] as const,
    watch: partOf(settings, 'watch'),
    process: { ...partOf(settings, 'process'), ...origin },
  })
}

/** Of all options those of one part. */
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
