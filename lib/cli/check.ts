/** `check`: the configuration as it would be used, where each value comes from, and the ring. */
import { addressText, shardAddressText } from '../config/address.ts'
import type { Config } from '../config/config.ts'
import { columns } from './columns.ts'
import { notesOf, shardShares } from './ring.ts'

export function checkText(config: Config): string {
  const notes = notesOf(config).map((note) => `note: ${note}\n`)
  return [
    settingsText(config),
    shardsText(config),
    ...(notes.length > 0 ? [notes.join('')] : []),
  ].join('\n')
}

function settingsText(config: Config): string {
  const { environment, sources, adminListen } = config
  const text: Record<string, string> = {
    listen: config.listen.map(addressText).join(','),
    adminListen: adminListen === undefined ? 'off' : addressText(adminListen),
    hash: config.hash,
    distribution: config.distribution,
    hashTag: config.hashTag === '' ? 'none' : config.hashTag,
    byteSign: config.byteSign,
    connectionsPerShard: `${config.connectionsPerShard}`,
    requestTimeoutMs: `${config.requestTimeoutMs}${config.requestTimeoutMs === 0 ? ' (never)' : ''}`,
    connectTimeoutMs: `${config.connectTimeoutMs}`,
    drainTimeoutMs: `${config.drainTimeoutMs}`,
    maxClients: `${config.maxClients}`,
    password: masked(config.password),
    users: config.users.length === 0 ? 'none' : `${config.users.length} (***)`,
    authPassthrough: config.authPassthrough ? 'yes' : 'no',
    allowAdmin: config.allowAdmin ? 'yes' : 'no',
    logLevel: config.logLevel,
    logFormat: config.logFormat,
  }
  return columns([
    ['option', 'value', 'from'],
    ['environment', environment.name, environment.source],
    ...Object.entries(text).map(([name, value]) => [name, value, sources[name] ?? '-']),
  ])
}

function shardsText(config: Config): string {
  const shares = new Map(shardShares(config))
  const rows = config.shards.map((shard) => [
    shard.name,
    shardAddressText(shard),
    `${shard.database}`,
    shard.username ?? '-',
    masked(shard.password),
    `${shard.weight}`,
    shares.get(shard.name) ?? '-',
  ])
  const header = ['shard', 'address', 'database', 'user', 'password', 'weight', 'share']
  return `${columns([header, ...rows], [5, 6])}(from ${config.sources['shards']})\n`
}

function masked(secret: string | undefined): string {
  return secret === undefined ? 'none' : '***'
}
