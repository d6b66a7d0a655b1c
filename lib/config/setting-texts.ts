/** The options in use as text, secrets masked: for `check` and AMBASSADOR CONFIG. */
import type { Config, PoolConfig } from './config.ts'
import { OPTION_NAMES, optionOf } from './schema.ts'

/** A password as operators see it. */
function masked(secret: string | undefined): string {
  return secret === undefined ? 'none' : '***'
}

/**
 * A shard's password as operators see it. A shard without one shows the option of its pool that says where
 * credentials come from.
 */
export function passwordText(
  password: string | undefined,
  { shardAuthCommand, shardAuthFile }: PoolConfig,
): string {
  if (password !== undefined) return masked(password)
  if (shardAuthCommand !== undefined) return 'shardAuthCommand'
  return shardAuthFile === undefined ? 'none' : 'shardAuthFile'
}

/** By option name. Shards and their credentials are left out: they are a table of their own. */
export function settingTexts({
  edge,
  pools,
  routes,
  databases,
  watch,
  process,
}: Config): Readonly<Record<string, string>> {
  return textsOf({ ...edge, ...optionsOf(pools[0]), routes, databases, ...watch, ...process })
}

/** The options of one pool as text, by option name. */
export function poolTexts(pool: PoolConfig): Readonly<Record<string, string>> {
  return textsOf(optionsOf(pool))
}

function optionsOf({ shards: _, cluster: __, name: ___, ...options }: PoolConfig) {
  return options
}

function textsOf(values: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const shown = OPTION_NAMES.filter((option) => option in values)
  return Object.fromEntries(
    shown.map((option) => {
      const value = values[option]
      return [option, isNone(value) ? 'none' : optionOf(option).format.text(value)]
    }),
  )
}

function isNone(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
}
