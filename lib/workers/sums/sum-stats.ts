/** What /stats tells, of several workers as of one ambassador. */
import { STATS_HISTORY_SECONDS } from '../../limits.ts'
import type { Statistics } from '../messages.ts'

type Shard = Statistics['shards'][number]
type Mirror = Statistics['mirrors'][number]
type Cluster = NonNullable<Statistics['cluster']>

/**
 * Counts add up. Quantiles are those of the worker where they are highest: what each of them has counted is not
 * known here. What is alike for all (the version, a shard's address) is taken from the first.
 */
export function sumStats([first, ...others]: readonly [Statistics, ...Statistics[]]): Statistics {
  return others.reduce(both, first)
}

function both(one: Statistics, other: Statistics): Statistics {
  const { environment, notes, startedAt, version, nearCache } = one
  return {
    ...{ version, environment, notes, startedAt, nearCache },
    uptimeSeconds: Math.max(one.uptimeSeconds, other.uptimeSeconds),
    ready: one.ready && other.ready,
    draining: one.draining || other.draining,
    clients: one.clients + other.clients,
    clientsMax: one.clientsMax,
    inFlight: one.inFlight + other.inFlight,
    leases: one.leases + other.leases,
    topics: one.topics + other.topics,
    lanes: one.lanes + other.lanes,
    requests: one.requests + other.requests,
    errors: added(one.errors, other.errors),
    bytes: added(one.bytes, other.bytes),
    pauses: one.pauses + other.pauses,
    reloads: one.reloads,
    window: bothWindows(one.window, other.window),
    history: bothHistories(one.history, other.history),
    commands: bothCommands(one.commands, other.commands),
    mirrors: one.mirrors.map((mirror, at) => bothMirrors(mirror, other.mirrors[at] ?? mirror)),
    cluster: bothClusters(one.cluster, other.cluster),
    shards: one.shards.map((shard) => {
      const same = other.shards.find(({ name }) => name === shard.name)
      return same === undefined ? shard : bothShards(shard, same)
    }),
    process: bothProcesses(one.process, other.process),
  }
}

/** Field by field. */
function added<T extends Readonly<Record<keyof T, number>>>(one: T, other: T): T {
  const sums = Object.keys(one).map((name) => [
    name,
    one[name as keyof T] + (other[name as keyof T] ?? 0),
  ])
  return Object.fromEntries(sums) as T
}

/** Field by field. */
function highest<T extends Readonly<Record<keyof T, number>>>(one: T, other: T): T {
  const most = Object.keys(one).map((name) => [
    name,
    Math.max(one[name as keyof T], other[name as keyof T]),
  ])
  return Object.fromEntries(most) as T
}

function bothWindows(one: Statistics['window'], other: Statistics['window']): Statistics['window'] {
  const [these, those] = [one.latencySeconds, other.latencySeconds]
  return {
    seconds: Math.max(one.seconds, other.seconds),
    requestsPerSecond: one.requestsPerSecond + other.requestsPerSecond,
    errorsPerSecond: one.errorsPerSecond + other.errorsPerSecond,
    latencySeconds: {
      total: highest(these.total, those.total),
      shard: highest(these.shard, those.shard),
      own: highest(these.own, those.own),
    },
  }
}

/** Seconds of different workers do not begin together; the newest are those that belong together. */
function bothHistories(
  one: Statistics['history'],
  other: Statistics['history'],
): Statistics['history'] {
  const [longer, shorter] = one.length >= other.length ? [one, other] : [other, one]
  const missing = longer.length - shorter.length
  return longer.slice(-STATS_HISTORY_SECONDS).map((sample, at) => {
    const same = shorter[at - missing]
    if (same === undefined) return sample
    return {
      at: sample.at,
      requests: sample.requests + same.requests,
      errors: sample.errors + same.errors,
      p50Seconds: Math.max(sample.p50Seconds, same.p50Seconds),
      p99Seconds: Math.max(sample.p99Seconds, same.p99Seconds),
    }
  })
}

function bothCommands(
  one: Statistics['commands'],
  other: Statistics['commands'],
): Statistics['commands'] {
  const byName = new Map(one.map((command) => [command.name, command]))
  for (const { name, requests, errors } of other) {
    const known = byName.get(name)
    byName.set(name, {
      name,
      requests: requests + (known?.requests ?? 0),
      errors: errors + (known?.errors ?? 0),
    })
  }
  return [...byName.values()].sort((these, those) => those.requests - these.requests)
}

/** Up for all, or down. Where its server is, and its replicas, each worker sees for itself: one of them tells. */
function bothShards(one: Shard, other: Shard): Shard {
  return {
    ...one,
    state: one.state === 'up' ? other.state : one.state,
    inFlight: one.inFlight + other.inFlight,
    leases: one.leases + other.leases,
    topics: one.topics + other.topics,
    requests: one.requests + other.requests,
    errors: added(one.errors, other.errors),
    bytesSent: one.bytesSent + other.bytesSent,
    bytesReceived: one.bytesReceived + other.bytesReceived,
    connections: one.connections + other.connections,
    reconnects: one.reconnects + other.reconnects,
    logins: added(one.logins, other.logins),
    unsentBytes: one.unsentBytes + other.unsentBytes,
    window: {
      requestsPerSecond: one.window.requestsPerSecond + other.window.requestsPerSecond,
      errorsPerSecond: one.window.errorsPerSecond + other.window.errorsPerSecond,
      p50Seconds: Math.max(one.window.p50Seconds, other.window.p50Seconds),
      p99Seconds: Math.max(one.window.p99Seconds, other.window.p99Seconds),
    },
    usedMemoryBytes: one.usedMemoryBytes ?? other.usedMemoryBytes,
    replicaReads: one.replicaReads + other.replicaReads,
  }
}

function bothMirrors(one: Mirror, other: Mirror): Mirror {
  return {
    ...one,
    sent: one.sent + other.sent,
    errors: one.errors + other.errors,
    unanswered: one.unanswered + other.unanswered,
    dropped: added(one.dropped, other.dropped),
    skipped: added(one.skipped, other.skipped),
    waiting: one.waiting + other.waiting,
    waitingBytes: one.waitingBytes + other.waitingBytes,
    shards: one.shards.map((shard, at) => {
      return shard.state === 'up' ? (other.shards[at] ?? shard) : shard
    }),
  }
}

/** The map is that of one worker. */
function bothClusters(one: Cluster | null, other: Cluster | null): Cluster | null {
  if (one === null || other === null) return one ?? other
  return {
    ...one,
    redirects: addedByName(one.redirects, other.redirects),
    refreshes: addedByName(one.refreshes, other.refreshes),
    resent: one.resent + other.resent,
    waiting: one.waiting + other.waiting,
    held: one.held + other.held,
    heldSeconds: one.heldSeconds + other.heldSeconds,
    failovers: Math.max(one.failovers, other.failovers),
    failoverSeconds: Math.max(one.failoverSeconds, other.failoverSeconds),
  }
}

type Counts = Readonly<Record<string, number>>

/** Either may have names that the other has not. */
function addedByName(one: Counts, other: Counts): Counts {
  const names = new Set([...Object.keys(one), ...Object.keys(other)])
  return Object.fromEntries([...names].map((name) => [name, (one[name] ?? 0) + (other[name] ?? 0)]))
}

/** Of all processes. */
export function bothProcesses(
  one: Statistics['process'],
  other: Statistics['process'],
): Statistics['process'] {
  const { lagSeconds: these, ...sums } = one
  const { lagSeconds: those, ...others } = other
  return { ...added(sums, others), lagSeconds: highest(these, those) }
}

/** What stays of a worker that has died: its counts, and the shards that they are about. */
export function countsOfStats(stats: Statistics): Statistics {
  const { window } = stats
  return {
    ...stats,
    ready: true,
    draining: false,
    ...{ clients: 0, inFlight: 0, leases: 0, topics: 0, lanes: 0, history: [] },
    window: { ...window, ...NO_RATES, latencySeconds: NO_LATENCIES },
    mirrors: stats.mirrors.map((mirror) => ({
      ...mirror,
      waiting: 0,
      waitingBytes: 0,
      shards: [],
    })),
    cluster: stats.cluster === null ? null : { ...stats.cluster, waiting: 0 },
    shards: stats.shards.map((shard) => ({
      ...shard,
      ...{ state: 'up', inFlight: 0, leases: 0, topics: 0, connections: 0, unsentBytes: 0 },
      window: { ...NO_RATES, p50Seconds: 0, p99Seconds: 0 },
      usedMemoryBytes: null,
    })),
    process: {
      ...{ residentBytes: 0, heapUsedBytes: 0, heapTotalBytes: 0, externalBytes: 0 },
      cpuSeconds: stats.process.cpuSeconds,
      lagSeconds: { p50: 0, p99: 0, max: 0 },
    },
  }
}

const NO_RATES = { requestsPerSecond: 0, errorsPerSecond: 0 }
const NONE = { p50: 0, p99: 0, p999: 0, max: 0 }
const NO_LATENCIES = { total: NONE, shard: NONE, own: NONE }
