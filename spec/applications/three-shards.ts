/** The configuration of an ambassador over three shards, with a line of it that an application needs. */
import type { ShardAddress } from '../support/ambassador.ts'

/** Options by name. `line`: YAML; empty for none. */
export function threeShards(
  shards: readonly ShardAddress[],
  line: string,
): Readonly<Record<string, string>> {
  const list = shards.map((shard, at) => {
    return `${'abc'[at]}=127.0.0.1:${typeof shard === 'string' ? shard : shard.port}`
  })
  return { shards: list.join(','), configInline: line === '' ? '{}' : line }
}
