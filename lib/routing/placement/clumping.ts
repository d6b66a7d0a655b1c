/**
 * Whether a hash keeps keys with ascending numbers (`user:1`, `user:2`, ...) together on one shard, as
 * twemproxy's default and some others of its twelve do. The ring matters too, so this file places runs of
 * keys and counts them. Pure.
 */
import { CLUMP_EXCESS_PERCENT, CLUMP_RUN_KEYS, CLUMP_RUN_KEYS_PER_SHARD } from '../../limits.ts'
import type { Placement } from './placement.ts'

/** Keys as applications make them: what they begin with, and the first number. */
const SAMPLE_RUNS = [
  { prefix: 'user:', first: 1 },
  { prefix: 'order:', first: 100_200 },
  { prefix: 'session:', first: 40_000 },
  { prefix: 'cart:item:', first: 1000 },
  { prefix: 'k', first: 1 },
] as const

export interface Fullest {
  /** The run's first and last key. */
  readonly from: string
  readonly to: string
  /** Index of the shard that holds most keys of the run. */
  readonly shard: number
  /** The part of the run's keys that it holds, 0 to 1. */
  readonly held: number
  /** The part of the hash space that it owns, 0 to 1. */
  readonly due: number
}

/**
 * The run whose fullest shard holds most, compared with its share; undefined where keys decide nothing. Runs
 * are long enough that chance alone makes no shard look full.
 */
export function fullestRun(placement: Placement): Fullest | undefined {
  const { placeCount } = placement
  if (placeCount === 1 || placement.layout().kind === 'random') return undefined
  const length = Math.max(CLUMP_RUN_KEYS, CLUMP_RUN_KEYS_PER_SHARD * placeCount)
  const runs = SAMPLE_RUNS.map(({ prefix, first }) => fullestOf(placement, prefix, first, length))
  return runs.reduce((worst, run) => (excess(run) > excess(worst) ? run : worst))
}

/** `fullestRun`, if its shard holds enough of it to call the hash clumping; otherwise undefined. */
export function clumpOf(placement: Placement): Fullest | undefined {
  const fullest = fullestRun(placement)
  const max = 1 + CLUMP_EXCESS_PERCENT / 100
  return fullest === undefined || excess(fullest) <= max ? undefined : fullest
}

/** How many times its share the shard holds. */
export function excess({ held, due }: Fullest): number {
  return held / due
}

function fullestOf(placement: Placement, prefix: string, first: number, length: number): Fullest {
  const counts = new Array<number>(placement.placeCount).fill(0)
  for (let number = first; number < first + length; number++) {
    const key = Buffer.from(`${prefix}${number}`)
    const shard = placement.shardOf(key, 0, key.length)
    counts[shard] = (counts[shard] as number) + 1
  }
  const most = Math.max(...counts)
  const shard = counts.indexOf(most)
  return {
    from: `${prefix}${first}`,
    to: `${prefix}${first + length - 1}`,
    shard,
    held: most / length,
    due: placement.shares()[shard] as number,
  }
}
