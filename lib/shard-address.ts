/** Where a shard is reached and, with TLS, how: from its configuration to a socket's options. */
import type { Config, ShardConfig } from './config/config.ts'
import { tlsOptions } from './upstream/connection/dial.ts'

/** The certificates are those of the configuration. */
export function shardAddress({ host, port, path, tls }: ShardConfig, { shardTls }: Config) {
  if (path !== undefined) return { path }
  if (!tls) return { host, port }
  const { authorities, certificate, key, serverName, insecure } = shardTls
  const settings = {
    authorities: authorities?.text,
    certificate: certificate?.text,
    key: key?.text,
    serverName,
    insecure,
  }
  return { host, port, tls: tlsOptions(settings, host) }
}
