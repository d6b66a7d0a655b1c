/** Turns a shard's configuration into the address and the TLS options of a socket. */
import type { PoolConfig, ShardConfig } from './config/config.ts'
import { tlsOptions } from './upstream/connection/making/dial.ts'

/** The options of a pool for TLS towards its servers. */
export type PoolTls = Pick<
  PoolConfig,
  'shardTlsCa' | 'shardTlsCert' | 'shardTlsKey' | 'shardTlsServerName' | 'shardTlsInsecure'
>

/** A text that differs where any of it does. It holds a key and must never be shown. */
export function tlsKeyOf(pool: PoolTls): string {
  const { shardTlsCa, shardTlsCert, shardTlsKey, shardTlsServerName, shardTlsInsecure } = pool
  return JSON.stringify([
    [shardTlsCa, shardTlsCert, shardTlsKey],
    [shardTlsServerName, shardTlsInsecure],
  ])
}

/** Undefined for a shard whose server its sentinels name. The certificates are those of the configuration. */
export function shardAddress(shard: ShardConfig, config: PoolConfig) {
  if (shard.sentinel !== undefined) return undefined
  return shard.path === undefined ? serverAddressOf(shard, shard, config) : { path: shard.path }
}

/** The address of a server of this shard. */
export function serverAddressOf(
  { host, port }: { readonly host: string; readonly port: number },
  { tls }: ShardConfig,
  pool: PoolTls,
) {
  return tls ? { host, port, tls: serverTls(host, pool) } : { host, port }
}

/**
 * The address of a sentinel, configured or named by another sentinel. `tls`: undefined where they
 * speak without it.
 */
export function sentinelAddressOf(
  { host, port }: { readonly host: string; readonly port: number | string },
  tls: PoolTls | undefined,
) {
  const place = { host, port: Number(port) }
  return tls === undefined ? place : { ...place, tls: serverTls(host, tls) }
}

/**
 * The address of a cluster's node. `serverName`: the name in its certificate, where that is not its host.
 */
export function nodeAddressOf(
  { host, port }: { readonly host: string; readonly port: number },
  serverName: string | undefined,
  pool: PoolTls & Pick<PoolConfig, 'cluster'>,
) {
  if (pool.cluster?.tls !== true) return { host, port }
  return { host, port, tls: serverTls(serverName ?? host, pool) }
}

/** How the certificate of a server at this host is verified. */
function serverTls(host: string, pool: PoolTls) {
  const texts = {
    authorities: pool.shardTlsCa?.text,
    certificate: pool.shardTlsCert?.text,
    key: pool.shardTlsKey?.text,
    serverName: pool.shardTlsServerName,
    insecure: pool.shardTlsInsecure,
  }
  return tlsOptions(texts, host)
}
