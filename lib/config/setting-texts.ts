/** The options in use as text, secrets masked: for `check` and AMBASSADOR CONFIG. */

import type { Config, PemFile } from './config.ts'
import { addressText } from './values/address.ts'

export function settingTexts(config: Config): Readonly<Record<string, string>> {
  const { adminListen, requestTimeoutMs, clientIdleTimeoutMs, clientTls, shardTls } = config
  const { slowRequestMs, bigReplyBytes } = config
  return {
    listen: config.listen.map(addressText).join(','),
    adminListen: adminListen === undefined ? 'off' : addressText(adminListen),
    adminHosts: config.adminHosts.length === 0 ? 'none' : config.adminHosts.join(','),
    readyMinShards: `${config.readyMinShards}`,
    hash: config.hash,
    distribution: config.distribution,
    hashTag: config.hashTag === '' ? 'none' : config.hashTag,
    byteSign: config.byteSign,
    connectionsPerShard: `${config.connectionsPerShard}`,
    requestTimeoutMs: `${requestTimeoutMs}${requestTimeoutMs === 0 ? ' (never)' : ''}`,
    connectTimeoutMs: `${config.connectTimeoutMs}`,
    drainTimeoutMs: `${config.drainTimeoutMs}`,
    maxClients: `${config.maxClients}`,
    maxClientMemoryMb: `${config.maxClientMemoryMb}`,
    clientIdleTimeoutMs: `${clientIdleTimeoutMs}${clientIdleTimeoutMs === 0 ? ' (never)' : ''}`,
    crossShardReads: yesOrNo(config.crossShardReads),
    ejectShards: yesOrNo(config.ejectShards),
    ejectAfterFailures: `${config.ejectAfterFailures}`,
    ejectRetryMs: `${config.ejectRetryMs}`,
    password: masked(config.password),
    users: config.users.length === 0 ? 'none' : config.users.map(({ name }) => name).join(','),
    authPassthrough: yesOrNo(config.authPassthrough),
    trustNetwork: yesOrNo(config.trustNetwork),
    tlsCert: pathOf(clientTls?.certificate),
    tlsKey: pathOf(clientTls?.key),
    tlsCa: pathOf(clientTls?.authorities),
    shardTlsCa: pathOf(shardTls.authorities),
    shardTlsCert: pathOf(shardTls.certificate),
    shardTlsKey: pathOf(shardTls.key),
    shardTlsServerName: shardTls.serverName ?? 'none',
    shardTlsInsecure: yesOrNo(shardTls.insecure),
    allowAdmin: yesOrNo(config.allowAdmin),
    slowRequestMs: `${slowRequestMs}${slowRequestMs === 0 ? ' (never)' : ''}`,
    bigReplyBytes: `${bigReplyBytes}${bigReplyBytes === 0 ? ' (never)' : ''}`,
    hotKeys: yesOrNo(config.hotKeys),
    showKeys: config.showKeys,
    logLevel: config.logLevel,
    logFormat: config.logFormat,
  }
}

export function masked(secret: string | undefined): string {
  return secret === undefined ? 'none' : '***'
}

/** Which file it is; not what stands in it. */
function pathOf(file: PemFile | undefined): string {
  return file?.path ?? 'none'
}

function yesOrNo(value: boolean): string {
  return value ? 'yes' : 'no'
}
