/** What the ambassador knows about itself and its shards, for INFO and AMBASSADOR. */
import type { CommandTable } from '../../commands/lookup.ts'
import type { Cache } from '../../nearcache/cache-client.ts'
import type { MirrorState } from '../../stats/mirror/mirror-counts.ts'
import type { NearCacheStats } from '../../stats/near-cache-stats.ts'
import { sumOf } from '../../stats/shard-stats.ts'
import type { Lanes } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { ListedClients } from '../core/dispatcher.ts'

/** Set once at start. */
export interface Identity {
  readonly version: string
  readonly environment: string
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number
}

/** What the facts are read from. */
export interface FactSources {
  readonly clients: ListedClients
  readonly shards: () => readonly Shard[]
  readonly lanes: Lanes
  readonly table: CommandTable
  /** Undefined: the near-cache is off. */
  readonly near: Cache<Shard> | undefined
  readonly nearStats: NearCacheStats
  /** Of the pools that are mirrored. */
  readonly mirrors: () => readonly MirrorState[]
}

/**
 * Names carry our own, since many clients read INFO without its sections: `uptime_in_seconds` would
 * overwrite the shards'.
 */
export function ambassadorFacts(
  { clients, shards: now, lanes, table, near, nearStats, mirrors }: FactSources,
  identity: Identity,
): Map<string, string | number> {
  const shards = now()
  const blocked = [...clients.values()].filter((client) => client.blocked !== undefined)
  return new Map<string, string | number>([
    ['ambassador_version', identity.version],
    ['ambassador_environment', identity.environment],
    ['ambassador_uptime_in_seconds', Math.floor((Date.now() - identity.startedAtMs) / 1000)],
    ['ambassador_clients', clients.size],
    ['ambassador_blocked_clients', blocked.length],
    ['ambassador_requests_in_flight', shards.reduce((sum, shard) => sum + shard.inFlight, 0)],
    ['ambassador_lanes', lanes.size],
    ['ambassador_leases', shards.reduce((sum, shard) => sum + shard.leased, 0)],
    ['ambassador_commands_known', table.rows().length],
    ['ambassador_shards', shards.length],
    ['ambassador_shards_up', shards.filter((shard) => shard.up).length],
    ...(near === undefined ? [] : nearCacheFacts(near, nearStats)),
    ...mirrorFacts(mirrors()),
  ])
}

/** Alike for all workers, or of the process that looks after them. */
const NOT_SUMMED: ReadonlySet<string> = new Set([
  'ambassador_uptime_in_seconds',
  'ambassador_commands_known',
  'ambassador_shards',
])

type Fact = readonly [string, string | number]

/** The facts of all workers together. A shard is up that is up for all of them. */
export function sumFacts(
  own: ReadonlyMap<string, string | number>,
  others: readonly (readonly Fact[])[],
): ReadonlyMap<string, string | number> {
  const sum = new Map(own)
  for (const [name, value] of others.flat()) {
    const before = sum.get(name)
    if (typeof value !== 'number' || typeof before !== 'number' || NOT_SUMMED.has(name)) continue
    sum.set(name, name === 'ambassador_shards_up' ? Math.min(before, value) : before + value)
  }
  return sum
}

function nearCacheFacts({ state }: Cache<Shard>, stats: NearCacheStats): [string, number][] {
  const misses = Object.values(stats.misses).reduce((sum, count) => sum + count, 0)
  return [
    ['ambassador_near_cache_hits', stats.hits],
    ['ambassador_near_cache_joined', stats.joined],
    ['ambassador_near_cache_misses', misses],
    ['ambassador_near_cache_entries', state.entries],
    ['ambassador_near_cache_bytes', state.bytes],
    ['ambassador_near_cache_untracked_connections', state.untracked],
  ]
}

/** Over all mirrors. */
function mirrorFacts(mirrors: readonly MirrorState[]): [string, number][] {
  if (mirrors.length === 0) return []
  const sum = (of: (counts: MirrorState['counts']) => number) => {
    return mirrors.reduce((all, { counts }) => all + of(counts), 0)
  }
  return [
    ['ambassador_mirror_sent', sum(({ sent }) => sent)],
    ['ambassador_mirror_errors', sum(({ errors }) => errors)],
    ['ambassador_mirror_unanswered', sum(({ unanswered }) => unanswered)],
    ['ambassador_mirror_dropped', sum(({ dropped }) => sumOf(dropped))],
    ['ambassador_mirror_skipped', sum(({ skipped }) => sumOf(skipped))],
  ]
}
