/** `check`: the configuration as it would be used, where each value comes from, and the ring. */

import type { Config, PoolConfig } from '../config/config.ts'
import { DEFAULT_POOL } from '../config/pool-name.ts'
import { passwordText, poolTexts, settingTexts } from '../config/setting-texts.ts'
import { DEFAULT_SOURCE } from '../config/sources/resolve.ts'
import { clusterText, shardAddressText } from '../config/values/address.ts'
import { columns } from './columns.ts'
import { clumpNote, notesOf, shardShares } from './ring.ts'

export function checkText(config: Config): string {
  const [first, ...others] = config.pools
  const clumps = config.pools.flatMap((pool) => clumpNote(pool) ?? [])
  const texts = clumps.map(({ saw, advice }) => `${saw}; ${advice}`)
  const notes = [...notesOf(config), ...texts].map((note) => `note: ${note}\n`)
  const { sources } = config.process
  return [
    settingsText(config),
    `${headingOf(first)}${shardsText(first, sources['shards'])}`,
    ...[...others, ...config.mirrors].map((pool) => poolText(pool, sources)),
    ...(notes.length > 0 ? [notes.join('')] : []),
  ].join('\n')
}

/** The options of the first pool are those at the top; it has a name of its own if it comes from nutcracker. */
function headingOf({ name }: PoolConfig): string {
  return name === DEFAULT_POOL ? '' : `pool ${name}\n`
}

type Sources = Config['process']['sources']

/** A further pool: the options that were set, and its shards. */
function poolText(pool: PoolConfig, sources: Sources): string {
  const sourceOf = (option: string) => sources[`pools.${pool.name}.${option}`] ?? '-'
  const rows = Object.entries(poolTexts(pool))
    .map(([option, value]) => [option, value, sourceOf(option)])
    .filter(([, , source]) => source !== DEFAULT_SOURCE)
  const options = rows.length === 0 ? '' : columns([['option', 'value', 'from'], ...rows])
  return `pool ${pool.name}\n${options}${shardsText(pool, sourceOf('shards'))}`
}

function settingsText(config: Config): string {
  const { environment, sources } = config.process
  return columns([
    ['option', 'value', 'from'],
    ['environment', environment.name, environment.source],
    ...Object.entries(settingTexts(config)).map(([name, value]) => [
      name,
      value,
      sources[name] ?? '-',
    ]),
  ])
}

function shardsText(pool: PoolConfig, source = '-'): string {
  if (pool.cluster !== undefined) {
    const { username = '-', password } = pool.cluster
    const row = [clusterText(pool.cluster), username, passwordText(password, pool)]
    return `${columns([['cluster', 'user', 'password'], row])}(from ${source})\n`
  }
  const shares = new Map(shardShares(pool))
  const rows = pool.shards.map((shard) => [
    shard.name,
    shardAddressText(shard),
    `${shard.database}`,
    shard.username ?? '-',
    passwordText(shard.password, pool),
    `${shard.weight}`,
    shares.get(shard.name) ?? '-',
  ])
  const header = ['shard', 'address', 'database', 'user', 'password', 'weight', 'share']
  return `${columns([header, ...rows], [5, 6])}(from ${source})\n`
}
