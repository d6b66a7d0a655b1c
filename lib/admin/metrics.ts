/** /metrics: what is counted now, by Prometheus' conventions for names, units and types. */
import type { Family, Sample } from './exposition.ts'
import type { ProcessFigures } from './process-figures.ts'
import { unreadyBecause } from './readiness.ts'
import type { ShardState, Snapshot } from './snapshot.ts'

export function metricFamilies(snapshot: Snapshot, figures: ProcessFigures): Family[] {
  return [
    ...ownFamilies(snapshot),
    ...shardFamilies(snapshot),
    ...processFamilies(snapshot, figures),
  ]
}

function gauge(name: string, help: string, ...samples: readonly (number | Sample)[]): Family {
  const asSamples = samples.map((each) => (typeof each === 'number' ? { value: each } : each))
  return { name, type: 'gauge', help, samples: asSamples }
}

function ownFamilies(snapshot: Snapshot): Family[] {
  const { version, startedAtMs, config, clients, lanes, draining } = snapshot
  const labels = { version, node_version: process.version, environment: config.environment.name }
  const uptimeSeconds = (Date.now() - startedAtMs) / 1000
  const ready = unreadyBecause(snapshot) === undefined
  return [
    gauge('ambassador_build_info', 'What runs; always 1.', { labels, value: 1 }),
    gauge('ambassador_uptime_seconds', 'Since it was started.', uptimeSeconds),
    gauge('ambassador_ready', '1 when /readyz says so.', Number(ready)),
    gauge('ambassador_draining', '1 while it stops.', Number(draining)),
    gauge('ambassador_clients', 'Clients connected.', clients),
    gauge('ambassador_clients_limit', 'Most clients that may be connected.', config.maxClients),
    gauge('ambassador_lanes', 'Combinations of protocol, database and user in use.', lanes),
  ]
}

function shardFamilies({ shards, topology }: Snapshot): Family[] {
  const shares = topology.shares()
  const each = (of: (shard: ShardState, index: number) => number): Sample[] => {
    return shards.map((shard, index) => {
      return { labels: { shard: shard.name }, value: of(shard, index) }
    })
  }
  const family = (name: string, help: string, of: Parameters<typeof each>[0]): Family => {
    return gauge(`ambassador_shard_${name}`, help, ...each(of))
  }
  return [
    family('up', '1 when at least one connection takes requests.', ({ up }) => Number(up)),
    family(
      'requests_in_flight',
      'Sent over shared connections and not answered.',
      ({ inFlight }) => inFlight,
    ),
    family('leases', 'Dedicated connections in use.', ({ leased }) => leased),
    family('topics', 'Channels and patterns subscribed.', ({ topics }) => topics),
    family(
      'ring_share_ratio',
      'Share of the hashes that are its own, 0 to 1.',
      (_, index) => shares[index] ?? 0,
    ),
  ]
}

function processFamilies({ startedAtMs }: Snapshot, figures: ProcessFigures): Family[] {
  const { residentBytes, heapUsedBytes, heapTotalBytes, externalBytes, lagSeconds } = figures
  const lag = (part: string, value: number): Family => {
    const help = `How late timers were since the last scrape, ${part}.`
    return gauge(`nodejs_eventloop_lag_${part}_seconds`, help, value)
  }
  return [
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'User and system time.',
      samples: [{ value: figures.cpuSeconds }],
    },
    gauge('process_resident_memory_bytes', 'Resident memory.', residentBytes),
    gauge('process_start_time_seconds', 'Start, since the epoch.', startedAtMs / 1000),
    gauge('nodejs_heap_size_used_bytes', 'Heap in use.', heapUsedBytes),
    gauge('nodejs_heap_size_total_bytes', 'Heap taken.', heapTotalBytes),
    gauge(
      'nodejs_external_memory_bytes',
      'Buffers and other memory beside the heap.',
      externalBytes,
    ),
    lag('p50', lagSeconds.p50),
    lag('p99', lagSeconds.p99),
    lag('max', lagSeconds.max),
  ]
}
