/** `check`: the configuration as it would be used, where each value comes from, and the ring. */

import type { Config } from '../config/config.ts'
import { passwordText, settingTexts } from '../config/setting-texts.ts'
import { clusterText, shardAddressText } from '../config/values/address.ts'
import { columns } from './columns.ts'
import { clumpNote, notesOf, shardShares } from './ring.ts'

export function checkText(config: Config): string {
  const clump = clumpNote(config.pools[0])
  const texts = clump === undefined ? [] : [`${clump.saw}; ${clump.advice}`]
  const notes = [...notesOf(config), ...texts].map((note) => `note: ${note}\n`)
  return [
    settingsText(config),
    shardsText(config),
    ...(notes.length > 0 ? [notes.join('')] : []),
  ].join('\n')
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

function shardsText({ pools: [pool], process }: Config): string {
  if (pool.cluster !== undefined) {
    const { username = '-', password } = pool.cluster
    const row = [clusterText(pool.cluster), username, passwordText(password, pool)]
    return `${columns([['cluster', 'user', 'password'], row])}(from ${process.sources['shards']})\n`
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
  return `${columns([header, ...rows], [5, 6])}(from ${process.sources['shards']})\n`
}
