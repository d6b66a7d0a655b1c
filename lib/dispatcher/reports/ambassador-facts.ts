/** What the ambassador knows about itself and its shards, for INFO and AMBASSADOR. */
import type { CommandTable } from '../../commands/lookup.ts'
import type { Lanes } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Clients } from '../core/dispatcher.ts'

/** Set once at start. */
export interface Identity {
  readonly version: string
  readonly environment: string
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number
}

/** What the facts are read from. */
export interface FactSources {
  readonly clients: Clients
  readonly shards: () => readonly Shard[]
  readonly lanes: Lanes
  readonly table: CommandTable
}

/**
 * Names carry our own, since many clients read INFO without its sections: `uptime_in_seconds` would
 * overwrite the shards'.
 */
export function ambassadorFacts(
  { clients, shards: now, lanes, table }: FactSources,
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
  ])
}
