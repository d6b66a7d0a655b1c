/** What of the keys moves between two sets of shards: from pairs of owners to a table. Pure. */

import type { ShardConfig } from '../../config/config.ts'
import { addressText, shardAddressText } from '../../config/values/address.ts'
import type { Rules } from '../ring.ts'

/** A shard, or a cluster as a whole. */
export interface Owner {
  readonly name: string
  /** Where its keys lie. */
  readonly place: string
}

/** Who has the keys, in the order of the placement. `pool`: the name of a further pool. */
export function ownersOf(
  { shards, cluster }: Pick<Rules, 'shards' | 'cluster'>,
  pool?: string,
): Owner[] {
  const named = (name: string) => (pool === undefined ? name : `${pool}/${name}`)
  if (cluster === undefined)
    return shards.map((shard) => ({ name: named(shard.name), place: placeOf(shard) }))
  // Any of its seeds leads to the same cluster, and one more or less is no other one.
  const [first] = cluster.seeds.map(addressText).sort()
  return [{ name: named('cluster'), place: `cluster at ${first}` }]
}

export interface Move {
  /** Names of shards. */
  readonly from: string
  readonly to: string
  readonly amount: number
}

export interface ShardMovement {
  readonly name: string
  /** What it had and what it has; undefined where it is not there. */
  readonly before: number | undefined
  readonly after: number | undefined
}

export interface Movement {
  readonly total: number
  readonly moved: number
  /** The largest first. */
  readonly moves: readonly Move[]
  /** Those of the old side, then those that are new. */
  readonly shards: readonly ShardMovement[]
}

/**
 * For each new shard the index of the old one that it is. That is the one at the same place; else the
 * one with its name, since an address may be another way to the same server.
 */
export function matchShards(
  before: readonly Owner[],
  after: readonly Owner[],
): (number | undefined)[] {
  const matches: (number | undefined)[] = after.map(() => undefined)
  for (const keyOf of [({ place }: Owner) => place, ({ name }: Owner) => name]) {
    const free = new Map<string, number>()
    for (const [index, shard] of before.entries()) {
      if (!matches.includes(index)) free.set(keyOf(shard), index)
    }
    for (const [index, shard] of after.entries()) {
      const match = free.get(keyOf(shard))
      if (matches[index] !== undefined || match === undefined) continue
      matches[index] = match
      free.delete(keyOf(shard))
    }
  }
  return matches
}

function placeOf(shard: ShardConfig): string {
  return `${shardAddressText({ ...shard, tls: false })}/${shard.database}`
}

/** `amounts[i][j]`: what the old shard `i` had and the new shard `j` has. */
export function movementOf(
  before: readonly Owner[],
  after: readonly Owner[],
  amounts: readonly (readonly number[])[],
): Movement {
  const matches = matchShards(before, after)
  const moves: Move[] = []
  for (const [i, { name: from }] of before.entries()) {
    for (const [j, { name: to }] of after.entries()) {
      const amount = amounts[i]?.[j] ?? 0
      if (matches[j] !== i && amount > 0) moves.push({ from, to, amount })
    }
  }
  moves.sort((a, b) => b.amount - a.amount)
  const rows = amounts.map(sum)
  const columns = after.map((_, j) => sum(amounts.map((row) => row[j] ?? 0)))
  const stayed = before.map(({ name }, i): ShardMovement => {
    const j = matches.indexOf(i)
    const renamed = j >= 0 && after[j]?.name !== name
    return {
      name: renamed ? `${name} = ${after[j]?.name}` : name,
      before: rows[i] ?? 0,
      after: j < 0 ? undefined : (columns[j] ?? 0),
    }
  })
  const added = after.flatMap(({ name }, j): ShardMovement[] => {
    return matches[j] === undefined ? [{ name, before: undefined, after: columns[j] ?? 0 }] : []
  })
  return {
    total: sum(rows),
    moved: sum(moves.map(({ amount }) => amount)),
    moves,
    shards: [...stayed, ...added],
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
