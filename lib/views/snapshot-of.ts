/** What the admin pages show of an ambassador: how its parts are at this moment. */
import { queuesOf, type Snapshot } from '../admin/pages/snapshot.ts'
import { packageVersion } from '../config/package-directory.ts'
import type { TopologyView } from '../topology/topology.ts'
import type { Shared } from './shared.ts'

const VERSION = packageVersion()

/** What one configuration makes of it. */
interface Current extends Pick<Snapshot, 'config' | 'shards' | 'poolOf' | 'placesBehind'> {
  readonly topology: { readonly view: TopologyView }
}

/** `draining`: it stops. */
export function snapshotOf(generation: Current, shared: Shared, draining: boolean): Snapshot {
  const { config, topology, shards } = generation
  const { clients, lanes, startedAtMs, lookout, pools, stats, rehearsals } = shared
  return {
    version: VERSION,
    ...{ startedAtMs, config, shards, lookout, draining, stats },
    topology: topology.view,
    poolOf: (key) => generation.poolOf(key),
    placesBehind: (pool) => generation.placesBehind(pool),
    cluster: pools.clusterState,
    clients: clients.size,
    lanes: lanes.size,
    preflight: () => rehearsals.current?.rehearsal.report(),
    commandName: (command) => shared.table.rows()[command]?.name,
    usedMemory: () => pools.memory.look(),
    credentials: () => pools.credentials,
    mirrors: () => shared.mirrors.states,
    nearCache: () => shared.nearCaching.cache?.state,
    clientQueues: () => queuesOf(clients.values()),
  }
}
