/** /stats: what is under way, what has been since the start, and the last minutes. */
import type { KeeperState } from '../../credentials/keeper.ts'
import type { MirrorState } from '../../stats/mirror/mirror-counts.ts'
import { stateText, unreadyBecause } from './readiness.ts'
import { type ReplicaState, type ShardState, type Snapshot, totalsOf } from './snapshot.ts'

/** What /events sends once a second: /stats with only the newest sample of its history; listeners have the others. */
export function newestStatsOf(snapshot: Snapshot) {
  const stats = statsOf(snapshot)
  return { ...stats, history: stats.history.slice(-1) }
}

/** Durations in seconds, sizes in bytes; numbers, never formatted. */
export function statsOf(snapshot: Snapshot) {
  const { version, startedAtMs, config, shards, clients, lanes, draining, stats } = snapshot
  const shares = snapshot.topology.shares()
  const usedMemory = snapshot.usedMemory()
  const credentials = snapshot.credentials()
  const sum = (of: (shard: ShardState) => number) => shards.reduce((all, each) => all + of(each), 0)
  return {
    version,
    environment: config.process.environment,
    // What was said of the configuration: options that are not used, say.
    notes: config.process.notes,
    startedAt: new Date(startedAtMs).toISOString(),
    uptimeSeconds: Math.floor((Date.now() - startedAtMs) / 1000),
    ready: unreadyBecause(snapshot) === undefined,
    draining,
    clients,
    clientsMax: config.edge.maxClients,
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
    // null: the near-cache is off.
    nearCache: nearCacheOf(snapshot),
    mirrors: snapshot.mirrors().map(mirrorStatsOf),
    // null: shards are no Redis Cluster.
    cluster: snapshot.cluster ?? null,
    shards: shards.map((shard, at) => {
      const stats = shardStatsOf(shard, shares[at] ?? 0, usedMemory[at])
      return { ...stats, credentials: credentialsOf(credentials[at]) }
    }),
  }
}

function nearCacheOf({ stats: { nearCache }, nearCache: state }: Snapshot) {
  const now = state()
  if (now === undefined) return null
  const { hits, joined, fills, notAdmitted, touches } = nearCache
  const { entries, bytes, memoryBytes, evictions, connections, untracked } = now
  return {
    ...{ hits, joined, fills, notAdmitted, touches, evictions },
    misses: { ...nearCache.misses },
    poisoned: { ...nearCache.poisoned },
    invalidations: { ...nearCache.invalidations },
    sourcesEnded: { ...nearCache.sourcesEnded },
    ...{ entries, bytes, memoryBytes, connections, untracked },
    prefixes: now.prefixes.map(({ text, hits, fills }) => ({ prefix: text, hits, fills })),
  }
}

function mirrorStatsOf({ counts, shards, ...mirror }: MirrorState) {
  const { dropped, skipped, ...own } = counts
  return {
    ...{ ...mirror, ...own },
    dropped: { ...dropped },
    skipped: { ...skipped },
    shards: shards.map(({ name, up }) => ({ name, state: stateText(up) })),
  }
}

/** null: the shard has no credentials that expire. Fields are null where nothing is known. */
function credentialsOf(state: KeeperState | undefined) {
  if (state === undefined) return null
  const { ageSeconds, endsInSeconds, problem, ...rest } = state
  return {
    ...rest,
    ageSeconds: ageSeconds ?? null,
    endsInSeconds: endsInSeconds ?? null,
    problem: problem ?? null,
  }
}

function shardStatsOf(shard: ShardState, ringShare: number, usedMemoryBytes: number | undefined) {
  const { name, pool, address, up, inFlight, leased, topics, connections, unsentBytes, stats } =
    shard
  return {
    name,
    pool,
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
    logins: { ...stats.logins },
    unsentBytes,
    window: stats.window,
    // null: not asked yet, or the shard does not tell.
    usedMemoryBytes: usedMemoryBytes ?? null,
    ...serverStatsOf(shard),
  }
}

/** Which server it has, and which replicas. */
function serverStatsOf({ history, replicas }: ShardState) {
  const { sinceMs, lastMove } = history
  return {
    since: new Date(sinceMs).toISOString(),
    // null: the shard has had the same server since the start.
    lastMove: lastMove === undefined ? null : moveStatsOf(lastMove),
    // null: all is read from the master.
    replicas: replicas === undefined ? null : replicas.list.map(replicaStatsOf),
    replicaReads: replicas?.reads ?? 0,
  }
}

function moveStatsOf({ atMs, tookMs }: NonNullable<ShardState['history']['lastMove']>) {
  return { at: new Date(atMs).toISOString(), tookSeconds: tookMs / 1000 }
}

function replicaStatsOf({ address, serves, ailment, lagBytes, sinceMs }: ReplicaState) {
  return {
    address,
    serves,
    // null: it is read from.
    reason: ailment ?? null,
    // null: not known.
    lagBytes: lagBytes ?? null,
    since: new Date(sinceMs).toISOString(),
  }
}
