/** The ring of a configuration, for the subcommands that talk about it. */
import type { Config, PoolConfig } from '../config/config.ts'
import { DEFAULT_POOL } from '../config/pool-name.ts'
import { optionOf } from '../config/schema.ts'
import { clumpOf } from '../routing/placement/clumping.ts'
import { crowdsOneShard, Placement } from '../routing/placement/placement.ts'

/** All that decides where a key goes. */
export type Rules = Pick<
  PoolConfig,
  'shards' | 'cluster' | 'hash' | 'distribution' | 'hashTag' | 'byteSign'
>

/** A cluster places its keys itself, so all its keys get one place here. */
export function placementOf(rules: Rules): Placement {
  const { shards, cluster, hash, distribution, hashTag, byteSign } = rules
  const servers = cluster === undefined ? shards : [{ name: 'cluster', weight: 1 }]
  return new Placement({ servers, hash, distribution, hashTag, byteSign })
}

/** By shard name, in the order of the configuration: its share of the ring, as `33.3 %`. */
export function shardShares(pool: PoolConfig): [name: string, share: string][] {
  const shares = placementOf(pool).shares()
  return pool.shards.map(({ name }, index) => [name, percent(shares[index] ?? 0)])
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** The configuration's notes, and what the ring adds to them. */
export function notesOf({ pools, process: { notes } }: Config): readonly string[] {
  const crowds = pools.filter(crowded).map(({ hash, distribution }) => {
    return `${hash} with ${distribution} puts nearly all keys on one shard`
  })
  return [...notes, ...new Set(crowds)]
}

function crowded({ hash, distribution, shards }: PoolConfig): boolean {
  return shards.length > 1 && crowdsOneShard(hash, distribution)
}

/** The prefix of lines about a further pool. */
function ofPool({ name }: PoolConfig): string {
  return name === DEFAULT_POOL ? '' : `pool ${name}: `
}

/** What was seen, and what to do about it. */
export interface ClumpNote {
  readonly saw: string
  readonly advice: string
}

/**
 * A note if the hash keeps keys with ascending numbers together. It is not logged at each start: with
 * a hash inherited from twemproxy it stays true for years, and operators know.
 */
export function clumpNote(pool: PoolConfig): ClumpNote | undefined {
  if (pool.cluster !== undefined) return undefined
  // A stronger note covers that. The sample keys have no hash tags.
  if (crowded(pool)) return undefined
  const clump = clumpOf(placementOf({ ...pool, hashTag: '' }))
  if (clump === undefined) return undefined
  const { from, to, held, due } = clump
  const shard = pool.shards[clump.shard]?.name
  return {
    saw:
      `${ofPool(pool)}${pool.hash} with ${pool.distribution} keeps neighbours together: of ${from} to ${to} ` +
      `${shard} gets ${percent(held)}, where its share is ${percent(due)}`,
    advice: `${optionOf('hash').default} spreads such keys; a new hash moves keys, which \`diff\` counts`,
  }
}
