/** Where a shard is reached and, with TLS, how: from its configuration to a socket's options. */
import type { Config, ShardConfig, ShardTlsConfig } from './config/config.ts'
import { tlsOptions } from './upstream/connection/dial.ts'

/** Undefined for a shard whose server its sentinels name. The certificates are those of the configuration. */
export function shardAddress(shard: ShardConfig, config: Config) {
  if (shard.sentinel !== undefined) return undefined
  return shard.path === undefined ? serverAddressOf(shard, shard, config) : { path: shard.path }
}

/** The address of a server of this shard. */
export function serverAddressOf(
  { host, port }: { readonly host: string; readonly port: number },
  { tls }: ShardConfig,
  { shardTls }: Config,
) {
  return tls ? { host, port, tls: serverTls(host, shardTls) } : { host, port }
}

/** A sentinel's, or what one says of another. `tls`: undefined where they speak without it. */
export function sentinelAddressOf(
  { host, port }: { readonly host: string; readonly port: number | string },
  tls: ShardTlsConfig | undefined,
) {
  const place = { host, port: Number(port) }
  return tls === undefined ? place : { ...place, tls: serverTls(host, tls) }
}

/** How a server at this host is known to be the one. */
function serverTls(host: string, settings: ShardTlsConfig) {
  const { authorities, certificate, key, serverName, insecure } = settings
  const texts = {
    authorities: authorities?.text,
    certificate: certificate?.text,
    key: key?.text,
    serverName,
    insecure,
  }
  return tlsOptions(texts, host)
}
