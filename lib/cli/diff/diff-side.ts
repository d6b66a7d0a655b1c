/** The two sides of `diff`: each a configuration file, a directory of them, or a list of shards. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { PoolConfig, RouteConfig } from '../../config/config.ts'
import { DEFAULT_POOL } from '../../config/pool-name.ts'
import { mergeLayers } from '../../config/schema.ts'
import { isNutcrackerFile } from '../../config/sources/files.ts'
import { type Findings, layerOfFlags } from '../../config/sources/layers.ts'
import { loadConfig, OF_ENVIRONMENT } from '../../config/sources/load.ts'
import { shardList } from '../../config/values/lists/shard-list.ts'
import { namesFile } from '../../config/values/what-if.ts'
import { ConfigError } from '../../errors.ts'
import type { DiffCommand, Flags } from '../arguments.ts'
import type { Rules } from '../ring.ts'

type RuleOptions = Omit<Rules, 'shards' | 'cluster'>

/**
 * A list of shards does not tell hash and distribution: these come from flags, else from the other
 * side if it is a file. Throws ConfigError.
 */
export function loadSides({ before, after, flags }: DiffCommand): Sides {
  const [old, recent] = [before, after].map((word) => {
    return namesFile(word, '.') ? loadFile(word, flags) : undefined
  })
  return {
    before: old ?? sideOfList(before, flags, recent?.rules),
    after: recent ?? sideOfList(after, flags, old?.rules),
  }
}

export interface Sides {
  readonly before: Side
  readonly after: Side
}

export interface Side {
  /** Of the pool with the keys that have no route. */
  readonly rules: Rules
  readonly further: readonly PoolConfig[]
  readonly routes: readonly RouteConfig[]
}

function loadFile(path: string, { env, pool }: Flags): Side {
  // Variables that set options win over files, and would make the two sides look alike.
  const variables = Object.entries(process.env).filter(([name]) => OF_ENVIRONMENT.includes(name))
  const { pools, routes } = loadConfig({
    env: Object.fromEntries(variables),
    flags: {
      config: path,
      ...(env !== undefined && { env }),
      ...(pool !== undefined && isNutcrackerFile(resolve(path)) && { pool }),
    },
  })
  const [first, ...others] = pools
  if (first.name !== DEFAULT_POOL && others.length > 0) {
    const names = pools.map(({ name }) => JSON.stringify(name)).join(', ')
    throw new ConfigError([`${path} holds ${names}; choose one with --pool NAME`])
  }
  return { rules: first, further: others, routes }
}

function sideOfList(list: string, flags: Flags, other: RuleOptions | undefined): Side {
  const parsed = shardList.parse(list)
  if (!('value' in parsed)) {
    const hint = existsSync(list) ? '' : '; no file has that name either'
    throw new ConfigError(parsed.problems.map(({ text }) => `${text}${hint}`))
  }
  const { hash, distribution, hashTag, byteSign } = settingsOf(flags, other)
  const rules = { ...parsed.value, hash, distribution, hashTag, byteSign }
  return { rules, further: [], routes: [] }
}

function settingsOf({ pool: _, env: __, ...rules }: Flags, other: RuleOptions | undefined) {
  const findings: Findings = { problems: [], notes: [], files: new Set(), incomplete: false }
  const { values } = layerOfFlags(rules, '.', findings)
  if (findings.problems.length > 0) throw new ConfigError(findings.problems)
  if (other === undefined) return mergeLayers([values])
  const { hash, distribution, hashTag, byteSign } = other
  return mergeLayers([{ hash, distribution, hashTag, byteSign }, values])
}
