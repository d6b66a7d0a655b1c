/** Which program or file a shard's credentials come from. */
import type { ClusterConfig, PoolConfig, ShardConfig } from '../config/config.ts'
import { type CredentialSource, commandSource, fileSource } from './source.ts'

/** The user to log in, and the server. */
export type LoginPlace = Pick<
  ShardConfig,
  'name' | 'host' | 'port' | 'path' | 'username' | 'password'
>

/** A cluster whose nodes are not known yet. */
export function clusterPlace({ username, password }: ClusterConfig): LoginPlace {
  return { name: 'cluster', host: '', port: 0, path: undefined, username, password }
}

type ShardAuth = Pick<PoolConfig, 'shardAuthCommand' | 'shardAuthFile'>

/** Undefined for a shard that has a password of its own, and where no program or file is named. */
export function sourceFor(
  shard: LoginPlace,
  { shardAuthCommand: command, shardAuthFile: file }: ShardAuth,
): CredentialSource | undefined {
  if (shard.password !== undefined) return undefined
  if (command !== undefined) return commandSource(command.map((word) => filled(word, shard)))
  return file === undefined ? undefined : fileSource(filled(file, shard))
}

/** A token may be valid for one server only. A shard whose server moves has no host and no port. */
function filled(word: string, { name, host, port, path }: LoginPlace): string {
  const values: Readonly<Record<string, string>> = {
    shard: name,
    host: path ?? host,
    port: port === 0 ? '' : `${port}`,
  }
  return word.replace(/\{(shard|host|port)\}/g, (_, key: string) => values[key] ?? '')
}
