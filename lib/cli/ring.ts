/** The ring of a configuration, for the subcommands that talk about it. */
import type { Config } from '../config/config.ts'
import { crowdsOneShard, Placement } from '../routing/placement/placement.ts'

/** All that decides where a key goes. */
export type Rules = Pick<Config, 'shards' | 'hash' | 'distribution' | 'hashTag' | 'byteSign'>

export function placementOf(rules: Rules): Placement {
  const { shards: servers, hash, distribution, hashTag, byteSign } = rules
  return new Placement({ servers, hash, distribution, hashTag, byteSign })
}

/** By shard name, in the order of the configuration: its share of the ring, as `33.3 %`. */
export function shardShares(config: Config): [name: string, share: string][] {
  const shares = placementOf(config).shares()
  return config.shards.map(({ name }, index) => [name, percent(shares[index] ?? 0)])
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** The configuration's notes, and what the ring adds to them. */
export function notesOf(config: Config): readonly string[] {
  const { hash, distribution, shards } = config
  if (shards.length === 1 || !crowdsOneShard(hash, distribution)) return config.notes
  return [...config.notes, `${hash} with ${distribution} puts nearly all keys on one shard`]
}
