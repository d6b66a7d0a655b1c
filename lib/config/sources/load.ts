/**
 * The configuration as a whole: built-in defaults, files, variables, flags, each stronger than the
 * one before; then the checks that need several values. All mistakes are reported at once.
 */
import { ConfigError } from '../../errors.ts'

import type { Config, EdgeConfig, WatchConfig } from '../config.ts'
import { mergeLayers, type OptionName, type Settings } from '../schema.ts'
import { shardList } from '../values/lists/shard-list.ts'
import { detectEnvironment, type Environment } from './environment.ts'
import { layersOfFiles } from './files.ts'
import { EMPTY_LAYER, type Findings, type Layer, layerOfFlags, layerOfVariables } from './layers.ts'
import { resolveLayers } from './resolve.ts'
import { withWhatIf } from './what-if.ts'

export interface ConfigInputs {
  /** What followed each flag, by option name (`requestTimeoutMs`), or `<secret>File`. */
  readonly flags?: Readonly<Record<string, string>>
  /** The process environment; its own by default. */
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /**
   * How much memory the process may take, bytes, Infinity for no limit. The default is the limit of
   * its control group.
   */
  readonly memoryBytes?: number
}

/** Throws ConfigError with one line for each mistake. The result is frozen. */
export function loadConfig(inputs: ConfigInputs = {}): Config {
  return withWhatIf(loadAlone(inputs), (config) => loadFile(config, inputs))
}

/** The `whatIf` of a configuration that is itself rehearsed does not matter. */
function loadAlone(inputs: ConfigInputs): Config {
  const { layers, environment, findings } = readLayers(inputs)
  return resolveLayers(layers, environment, findings, inputs.memoryBytes)
}

/**
 * Loads a file without the variables that set options: these win over files, and are about the
 * configuration in use. Variables that choose the environment's file still count.
 */
function loadFile(config: string, { env = process.env, cwd, memoryBytes, flags }: ConfigInputs) {
  const variables = Object.entries(env).filter(([name]) => OF_ENVIRONMENT.includes(name))
  const { env: environment } = flags ?? {}
  return loadAlone({
    env: Object.fromEntries(variables),
    flags: { config, ...(environment !== undefined && { env: environment }) },
    ...(cwd !== undefined && { cwd }),
    ...(memoryBytes !== undefined && { memoryBytes }),
  })
}

/** Variables that choose the environment's file. */
export const OF_ENVIRONMENT = [
  ...['AMBASSADOR_ENV', 'NODE_ENV'],
  ...['AMBASSADOR_ENVIRONMENT_DIRECTORY', 'AMBASSADOR_NAMESPACE_FILE'],
]

export interface Addresses extends Pick<EdgeConfig, 'listen'>, Pick<WatchConfig, 'adminListen'> {
  /** All mistakes in these options; mistakes in other options do not matter here. */
  readonly problems: readonly string[]
}

/**
 * Where an ambassador with this configuration listens, even if the configuration has mistakes: a
 * running ambassador has refused it and goes on. An option that cannot be read counts as not set.
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
    inline: chosen.configInline,
    inlineSource: sourceOf('configInline', given) ?? '',
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
