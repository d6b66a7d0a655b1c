/** Adds to a configuration the future one that its option `whatIf` names. */
import { ConfigError } from '../../errors.ts'
import type { Config, WhatIf } from '../config.ts'

/**
 * `loadFile` reads the configuration at a path. Throws ConfigError, which names the files of both. The
 * result is frozen.
 */
export function withWhatIf(config: Config, loadFile: (path: string) => Config): Config {
  const { whatIf: written } = config.watch
  if (written === undefined) return config
  if ('list' in written) {
    // A list does not tell hash and distribution: they stay as they are.
    const pool = Object.freeze({ ...config.pools[0], ...written.list })
    return withRules(config, { pools: [pool], routes: [], databases: [], ...rulesOf(config) }, [])
  }
  try {
    const next = loadFile(written.file)
    const { pools, routes, databases, process } = next
    return withRules(config, { pools, routes, databases, ...rulesOf(next) }, process.files)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const problems = error.problems.map((problem) => `whatIf: ${problem}`)
    throw new ConfigError(problems, [...config.process.files, ...error.files])
  }
}

function rulesOf({
  edge,
}: Config): Pick<WhatIf, 'allowAdmin' | 'crossShardReads' | 'transactions'> {
  const { allowAdmin, crossShardReads, transactions } = edge
  return { allowAdmin, crossShardReads, transactions }
}

function withRules(config: Config, whatIf: WhatIf, more: readonly string[]): Config {
  const files = Object.freeze([...new Set([...config.process.files, ...more])])
  const process = Object.freeze({ ...config.process, files })
  return Object.freeze({ ...config, process, whatIf: Object.freeze(whatIf) })
}
