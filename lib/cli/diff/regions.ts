/** Which parts of the key space `diff` looks at, each by itself: routes and pools of either side. Pure. */
import type { PoolConfig } from '../../config/config.ts'
import { NO_PREFIX, Prefixes } from '../../routing/prefixes.ts'
import type { Rules } from '../ring.ts'
import type { Side } from './diff-side.ts'

/** Who has these keys on one side. */
export interface Target {
  /** The name of a further pool; undefined: the first one. */
  readonly pool: string | undefined
  readonly rules: Rules
}

/** Keys that begin with `prefix` and with no longer one of either side. */
export interface RouteRegion {
  readonly prefix: string
  readonly before: Target
  readonly after: Target
}

/** What addresses and databases find that lead to the pool of this name, which both sides have. */
export interface PoolRegion {
  readonly pool: string
  readonly before: Target
  readonly after: Target
}

/** In the order in which routes are written, those that only the new side has at the end. */
export function routeRegions(before: Side, after: Side): RouteRegion[] {
  return prefixesOf(before, after).map((prefix) => {
    return { prefix, before: targetOf(prefix, before), after: targetOf(prefix, after) }
  })
}

/** Further pools of both sides. */
export function poolRegions(before: Side, after: Side): PoolRegion[] {
  return before.further.flatMap((old): PoolRegion[] => {
    const recent = after.further.find(({ name }) => name === old.name)
    if (recent === undefined) return []
    return [{ pool: old.name, before: targetOfPool(old), after: targetOfPool(recent) }]
  })
}

/** A line for each pool that one side has alone. */
export function poolNotes(before: Side, after: Side): string[] {
  const onlyIn = (side: Side, other: Side) => {
    return side.further.filter(({ name }) => !other.further.some((each) => each.name === name))
  }
  return [
    ...onlyIn(before, after).map(({ name }) => `pool ${name} is gone`),
    ...onlyIn(after, before).map(({ name }) => `pool ${name} is new`),
  ]
}

/** Says of a key which of the route regions has it; undefined: none, it has no route. */
export function routeFinder(
  regions: readonly RouteRegion[],
): (key: Uint8Array) => number | undefined {
  const prefixes = new Prefixes(regions.map(({ prefix }) => Buffer.from(prefix)))
  return (key) => {
    const found = prefixes.longestOf(key, 0, key.length)
    return found === NO_PREFIX ? undefined : found
  }
}

export function targetText({ pool, rules }: Target): string {
  const [shard, ...others] = rules.shards
  const isShard = others.length === 0 && shard !== undefined
  const name = pool ?? 'default'
  return isShard ? `${name}/${shard.name}` : name
}

function prefixesOf(before: Side, after: Side): string[] {
  return [...new Set([...before.routes, ...after.routes].map(({ prefix }) => prefix))]
}

function targetOf(prefix: string, { rules, further, routes }: Side): Target {
  const [route] = routes
    .filter((each) => prefix.startsWith(each.prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length)
  const pool = further.find(({ name }) => name === route?.pool)
  const target = pool === undefined ? { pool: undefined, rules } : targetOfPool(pool)
  if (route?.shard === undefined) return target
  const shards = target.rules.shards.filter(({ name }) => name === route.shard)
  return { ...target, rules: { ...target.rules, shards } }
}

function targetOfPool(pool: PoolConfig): Target {
  return { pool: pool.name, rules: pool }
}
