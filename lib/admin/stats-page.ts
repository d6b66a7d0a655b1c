/** /stats: what is under way, what has been since the start, and the last minutes. */
import { stateText, unreadyBecause } from './readiness.ts'
import { type ShardState, type Snapshot, totalsOf } from './snapshot.ts'

/** Durations in seconds, sizes in bytes; numbers, never formatted. */
export function statsOf(snapshot: Snapshot) {
  const { version, startedAtMs, config, shards, clients, lanes, draining, stats } = snapshot
  const shares = snapshot.topology.shares()
  const sum = (of: (shard: ShardState) => number) => shards.reduce((all, each) => all + of(each), 0)
  return {
    version,
    environment: config.environment,
    startedAt: new Date(startedAtMs).toISOString(),
    uptimeSeconds: Math.floor((Date.now() - startedAtMs) / 1000),
    ready: unreadyBecause(snapshot) === undefined,
    draining,
    clients,
    clientsMax: config.maxClients,
    ...totalsOf(shards),
    lanes,
    requests: stats.commands.requests,
    errors: { ...stats.errors },
    bytes: {
      fromClients: stats.bytesFromClients,
      toClients: stats.toClients.bytes,
      toShards: sum((shard) => shard.stats.sent.bytes),
      fromShards: sum((shard) => shard.stats.bytesReceived),
    },
    pauses: stats.pauses,
    reloads: { succeeded: stats.reloads.succeeded, failed: stats.reloads.failed },
    window: stats.window,
    history: stats.history.samples.map(({ atMs, ...sample }) => {
      return { at: new Date(atMs).toISOString(), ...sample }
    }),
    commands: stats.commands.used().map(({ command, requests, errors }) => {
      return { name: snapshot.commandName(command) ?? 'unknown', requests, errors }
    }),
    shards: shards.map((shard, at) => shardStatsOf(shard, shares[at] ?? 0)),
  }
}

function shardStatsOf(shard: ShardState, ringShare: number) {
  const { name, address, up, inFlight, leased, topics, connections, unsentBytes, stats } = shard
  return {
    name,
    address,
    state: stateText(up),
    inFlight,
    leases: leased,
    topics,
    ringShare,
    requests: stats.requests,
    errors: { ...stats.errors },
    bytesSent: stats.sent.bytes,
    bytesReceived: stats.bytesReceived,
    connections,
    reconnects: stats.reconnects,
    unsentBytes,
    window: stats.window,
    // Asked of the shard only while somebody looks.
    usedMemoryBytes: null as number | null,
  }
}
