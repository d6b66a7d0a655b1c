/** The options in use as text, secrets masked: for `check` and AMBASSADOR CONFIG. */
import type { Config, PoolConfig } from './config.ts'
import { OPTION_NAMES, optionOf } from './schema.ts'

/** A password as operators are shown it. */
function masked(secret: string | undefined): string {
  return secret === undefined ? 'none' : '***'
}

/** The same where what `pool` says may stand in for it: the option that says where credentials come from. */
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
  watch,
  process,
}: Config): Readonly<Record<string, string>> {
  const { shards: _, cluster: __, name: ___, ...pool } = pools[0]
  const values: Readonly<Record<string, unknown>> = { ...edge, ...pool, ...watch, ...process }
  const shown = OPTION_NAMES.filter((option) => option in values)
  return Object.fromEntries(
    shown.map((option) => {
      const value = values[option]
      return [option, value === undefined ? 'none' : optionOf(option).format.text(value)]
    }),
  )
}
