/** /metrics: every metric, by Prometheus' conventions for names, units and types. */

import { CUT_OFF_REASONS } from '../../stats/cut-offs.ts'
import { unreadyBecause } from '../pages/readiness.ts'
import type { Snapshot } from '../pages/snapshot.ts'
import { CLUSTER_METRICS } from './cluster-metrics.ts'
import { CREDENTIAL_METRICS } from './credential-metrics.ts'
import type { Family, Sample } from './exposition.ts'
import { bounds, histogramSamples, labelText, type Metric, plain, type Scene } from './metric.ts'
import { MIRROR_METRICS } from './mirror-metrics.ts'
import { NEAR_CACHE_METRICS } from './near-cache-metrics.ts'
import { PREFLIGHT_METRICS } from './preflight-metrics.ts'
import type { ProcessFigures } from './process-figures.ts'
import { PROCESS_METRICS } from './process-metrics.ts'
import { SHARD_METRICS } from './shard-metrics.ts'

/** 50 microseconds to 13 seconds, each bound twice the one before. */
const DURATION_BOUNDS = bounds(50, 2, 19)

const SERVICE_METRICS: readonly Metric[] = [
  {
    name: 'ambassador_build_info',
    type: 'gauge',
    help: 'The version that runs; always 1.',
    labels: ['version', 'node_version', 'environment'],
    read: ({ snapshot }) => [{ labels: buildLabels(snapshot), value: 1 }],
  },
  plain(
    'gauge',
    'ambassador_uptime_seconds',
    'Seconds since the ambassador was started.',
    ({ snapshot }) => {
      return (Date.now() - snapshot.startedAtMs) / 1000
    },
  ),
  // With several workers, who looks after them puts the numbers in.
  plain('gauge', 'ambassador_workers', 'Processes that serve clients.', () => 1),
  plain(
    'counter',
    'ambassador_worker_deaths_total',
    'Workers that ended without being told to; each is replaced. Always 0 without workers.',
    () => 0,
  ),
  plain(
    'gauge',
    'ambassador_ready',
    '1 when /readyz says that traffic may come.',
    ({ snapshot }) => {
      return Number(unreadyBecause(snapshot) === undefined)
    },
  ),
  plain(
    'gauge',
    'ambassador_draining',
    '1 while the ambassador drains and stops.',
    ({ snapshot }) => {
      return Number(snapshot.draining)
    },
  ),
  {
    name: 'ambassador_config_reloads_total',
    type: 'counter',
    help: 'Reloads whose configuration was taken over (succeeded) or refused as invalid (failed).',
    labels: ['outcome'],
    read: ({ snapshot }) => {
      const { succeeded, failed } = snapshot.stats.reloads
      return samplesBy('outcome', { succeeded, failed })
    },
  },
  plain(
    'gauge',
    'ambassador_config_last_reload_successful',
    '0 when the last reload was refused and an older configuration is in use.',
    ({ snapshot }) => Number(snapshot.stats.reloads.lastSucceeded),
  ),
]

const CUT_OFFS_HELP = `Clients that were closed because of what they did. ${Object.entries(
  CUT_OFF_REASONS,
)
  .map(([reason, done]) => `${reason}: ${done}`)
  .join('; ')}.`

const CLIENT_METRICS: readonly Metric[] = [
  plain('gauge', 'ambassador_clients', 'Connected clients.', ({ snapshot }) => snapshot.clients),
  plain(
    'gauge',
    'ambassador_clients_limit',
    'How many clients may be connected at a time.',
    (scene) => {
      return scene.snapshot.config.edge.maxClients
    },
  ),
  plain(
    'gauge',
    'ambassador_lanes',
    'Combinations of protocol, database and user in use.',
    ({ snapshot }) => snapshot.lanes,
  ),
  plain(
    'counter',
    'ambassador_client_received_bytes_total',
    'Bytes read from clients.',
    ({ snapshot }) => snapshot.stats.bytesFromClients,
  ),
  plain(
    'counter',
    'ambassador_client_sent_bytes_total',
    'Bytes written to clients.',
    ({ snapshot }) => snapshot.stats.toClients.bytes,
  ),
  plain(
    'gauge',
    'ambassador_client_input_bytes',
    'Bytes of requests that are incomplete or wait, over all clients.',
    ({ queues }) => queues.inputBytes,
  ),
  plain(
    'gauge',
    'ambassador_client_output_bytes',
    'Bytes of replies that wait for their turn or until their client reads them.',
    ({ queues }) => queues.outputBytes,
  ),
  plain(
    'counter',
    'ambassador_client_pauses_total',
    'Times that reading from a client was paused because it had too much under way.',
    ({ snapshot }) => snapshot.stats.pauses,
  ),
  {
    name: 'ambassador_client_cut_offs_total',
    type: 'counter',
    help: CUT_OFFS_HELP,
    labels: ['reason'],
    read: ({ snapshot }) => samplesBy('reason', snapshot.stats.cutOffs),
  },
  plain(
    'counter',
    'ambassador_pops_lost_total',
    'Elements that blocking pops over several shards have popped for clients which had left by then.',
    ({ snapshot }) => snapshot.stats.popsLost,
  ),
]

const REQUEST_METRICS: readonly Metric[] = [
  {
    name: 'ambassador_requests_total',
    type: 'counter',
    help: 'Requests of clients, by command. unknown: no such command, or a malformed request.',
    labels: ['command'],
    read: (scene) => samplesByCommand(scene, 'requests'),
  },
  {
    name: 'ambassador_command_errors_total',
    type: 'counter',
    help: 'Requests that were answered with an error, by command.',
    labels: ['command'],
    read: (scene) => samplesByCommand(scene, 'errors'),
  },
  {
    name: 'ambassador_errors_total',
    type: 'counter',
    help: 'Requests that were answered with an error, by kind. shard: an error from the shard; refused: by the ambassador; the other kinds say what happened to a shard.',
    labels: ['kind'],
    read: ({ snapshot }) => samplesBy('kind', snapshot.stats.errors),
  },
  plain(
    'gauge',
    'ambassador_requests_in_flight',
    'Requests that were received and are not answered yet.',
    ({ queues }) => queues.inFlight,
  ),
  duration(
    'ambassador_request_duration_seconds',
    'Time from reading a request to handing its reply to the socket. Blocking commands are left out.',
    'total',
  ),
  duration(
    'ambassador_request_shard_duration_seconds',
    'The part of the request duration that is spent waiting for shards.',
    'shard',
  ),
  duration(
    'ambassador_request_own_duration_seconds',
    'The part of the request duration that is spent in the ambassador itself.',
    'own',
  ),
]

/** In the order in which they are served and documented. */
export const METRICS: readonly Metric[] = [
  ...SERVICE_METRICS,
  ...CLIENT_METRICS,
  ...REQUEST_METRICS,
  ...SHARD_METRICS,
  ...CREDENTIAL_METRICS,
  ...NEAR_CACHE_METRICS,
  ...MIRROR_METRICS,
  ...PREFLIGHT_METRICS,
  ...CLUSTER_METRICS,
  ...PROCESS_METRICS,
]

export function metricFamilies(snapshot: Snapshot, figures: ProcessFigures): Family[] {
  const shares = snapshot.topology.shares()
  const queues = snapshot.clientQueues()
  const known = { nearCache: snapshot.nearCache(), preflight: snapshot.preflight() }
  const scene: Scene = { snapshot, figures, shares, queues, ...known }
  return METRICS.map(({ name, type, help, read }) => {
    return { name, type, help, samples: read(scene) }
  })
}

function buildLabels({ version, config }: Snapshot): Record<string, string> {
  return { version, node_version: process.version, environment: config.process.environment.name }
}

function duration(name: string, help: string, part: 'total' | 'shard' | 'own'): Metric {
  const read = ({ snapshot }: Scene) => {
    return histogramSamples(snapshot.stats.latencies[part], DURATION_BOUNDS)
  }
  return { name, type: 'histogram', help, labels: [], read }
}

function samplesBy(label: string, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([name, value]) => {
    return { labels: { [label]: labelText(name) }, value }
  })
}

/** Only names of the command table become labels, so that no client can invent new ones. */
function samplesByCommand({ snapshot }: Scene, count: 'requests' | 'errors'): Sample[] {
  return snapshot.stats.commands.used().map((used) => {
    const command = snapshot.commandName(used.command) ?? 'unknown'
    return { labels: { command }, value: used[count] }
  })
}
