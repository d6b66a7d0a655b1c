/** The metrics of each shard. */
import { SHARD_ERROR_KINDS } from '../../stats/error-kinds.ts'
import {
  bounds,
  histogramSamples,
  labelText,
  type Metric,
  perShard,
  shardLabels,
} from './metric.ts'

/** 100 microseconds to 6.6 seconds, each bound four times the one before: there may be many shards. */
const DURATION_BOUNDS = bounds(100, 4, 9)

export const SHARD_METRICS: readonly Metric[] = [
  perShard(
    'gauge',
    'up',
    '1 while at least one connection to the shard takes requests.',
    ({ up }) => Number(up),
  ),
  perShard(
    'gauge',
    'connections',
    'Connections to the shard, of every kind.',
    ({ connections }) => connections,
  ),
  perShard(
    'counter',
    'reconnects_total',
    'Shared connections that were lost and made again.',
    ({ stats }) => stats.reconnects,
  ),
  perShard(
    'counter',
    'requests_total',
    'Requests sent to the shard. A request that is split over several shards counts at each of them.',
    ({ stats }) => stats.requests,
  ),
  {
    name: 'ambassador_shard_errors_total',
    type: 'counter',
    help: 'Requests to the shard that failed, by kind. shard: the shard answered with an error.',
    labels: ['pool', 'shard', 'kind'],
    read: ({ snapshot }) => {
      return snapshot.shards.flatMap((shard) => {
        return SHARD_ERROR_KINDS.map((kind) => {
          const labels = { ...shardLabels(shard), kind: labelText(kind) }
          return { labels, value: shard.stats.errors[kind] }
        })
      })
    },
  },
  {
    name: 'ambassador_shard_request_duration_seconds',
    type: 'histogram',
    help: 'Time from handing a request to the socket to reading its reply, on shared connections.',
    labels: ['pool', 'shard'],
    read: ({ snapshot }) => {
      return snapshot.shards.flatMap((shard) => {
        return histogramSamples(shard.stats.latency, DURATION_BOUNDS, shardLabels(shard))
      })
    },
  },
  {
    name: 'ambassador_shard_logins_total',
    type: 'counter',
    help: 'Logins with new credentials on open connections. refused: the connections stay logged in as before.',
    labels: ['shard', 'outcome'],
    read: ({ snapshot }) => {
      return snapshot.shards.flatMap(({ name, stats }) => {
        return Object.entries(stats.logins).map(([outcome, value]) => {
          return { labels: { shard: name, outcome }, value }
        })
      })
    },
  },
  perShard(
    'gauge',
    'requests_in_flight',
    'Requests sent over shared connections and not answered yet.',
    ({ inFlight }) => inFlight,
  ),
  perShard(
    'gauge',
    'unsent_bytes',
    'Bytes of requests that wait until the shard takes them, on shared connections.',
    ({ unsentBytes }) => unsentBytes,
  ),
  perShard(
    'counter',
    'sent_bytes_total',
    'Bytes written to the shard.',
    ({ stats }) => stats.sent.bytes,
  ),
  perShard(
    'counter',
    'received_bytes_total',
    'Bytes read from the shard.',
    ({ stats }) => stats.bytesReceived,
  ),
  perShard(
    'counter',
    'moves_total',
    'Times that another server became the shard: a failover, or a name with a new address.',
    ({ history }) => history.moves,
  ),
  perShard(
    'gauge',
    'last_move_duration_seconds',
    'How long the last move took, from the loss of the old server to the new one; 0 until the shard moves.',
    ({ history }) => (history.lastMove?.tookMs ?? 0) / 1000,
  ),
  perShard(
    'gauge',
    'replicas',
    'Known replicas of the shard, where replicas are read from.',
    (shard) => {
      return shard.replicas?.list.length ?? 0
    },
  ),
  perShard(
    'gauge',
    'replicas_serving',
    'Replicas of the shard that are read from now.',
    ({ replicas }) => {
      return replicas?.serving ?? 0
    },
  ),
  perShard(
    'gauge',
    'replica_lag_bytes',
    'How far the replica with the largest lag is behind its master, as last reported.',
    ({ replicas }) => {
      return Math.max(0, ...(replicas?.list ?? []).map(({ lagBytes }) => lagBytes ?? 0))
    },
  ),
  perShard(
    'counter',
    'replica_reads_total',
    'Reads that replicas of the shard answered. They do not count as requests of the shard.',
    ({ replicas }) => replicas?.reads ?? 0,
  ),
  perShard('gauge', 'leases', 'Dedicated connections to the shard in use.', ({ leased }) => leased),
  perShard(
    'gauge',
    'topics',
    'Channels and patterns subscribed on the shard.',
    ({ topics }) => topics,
  ),
  perShard(
    'gauge',
    'ring_share_ratio',
    'The part of the hash space that the shard owns, 0 to 1.',
    (_shard, index, { shares }) => shares[index] ?? 0,
  ),
]
