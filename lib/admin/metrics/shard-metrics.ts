/** What /metrics says of each shard. */
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
  perShard('gauge', 'up', '1 when at least one connection takes requests.', ({ up }) => Number(up)),
  perShard('gauge', 'connections', 'Connections of every kind.', ({ connections }) => connections),
  perShard(
    'counter',
    'reconnects_total',
    'Shared connections that were lost and made again.',
    ({ stats }) => stats.reconnects,
  ),
  perShard(
    'counter',
    'requests_total',
    'Requests sent to it; one that is split over several shards counts at each.',
    ({ stats }) => stats.requests,
  ),
  {
    name: 'ambassador_shard_errors_total',
    type: 'counter',
    help: 'Requests to it that failed, by kind. shard: it answered with an error.',
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
    help: 'From handing a request to its socket to reading the reply, on shared connections.',
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
    help: 'Logins with other credentials on connections that there were. refused: they stay as they are.',
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
    'Sent over shared connections and not answered.',
    ({ inFlight }) => inFlight,
  ),
  perShard(
    'gauge',
    'unsent_bytes',
    'Bytes of requests that wait for it to take them, on shared connections.',
    ({ unsentBytes }) => unsentBytes,
  ),
  perShard('counter', 'sent_bytes_total', 'Bytes written to it.', ({ stats }) => stats.sent.bytes),
  perShard(
    'counter',
    'received_bytes_total',
    'Bytes read from it.',
    ({ stats }) => stats.bytesReceived,
  ),
  perShard(
    'counter',
    'moves_total',
    'Times that another server has taken over: a failover, a name that leads elsewhere.',
    ({ history }) => history.moves,
  ),
  perShard(
    'gauge',
    'last_move_duration_seconds',
    'From the loss of the server before to the newest one; 0: there was none before.',
    ({ history }) => (history.lastMove?.tookMs ?? 0) / 1000,
  ),
  perShard('gauge', 'replicas', 'Replicas that are known, where they are read from.', (shard) => {
    return shard.replicas?.list.length ?? 0
  }),
  perShard('gauge', 'replicas_serving', 'Those that are read from.', ({ replicas }) => {
    return replicas?.serving ?? 0
  }),
  perShard(
    'gauge',
    'replica_lag_bytes',
    'How far that one of them is behind its master which is furthest, as last heard.',
    ({ replicas }) => {
      return Math.max(0, ...(replicas?.list ?? []).map(({ lagBytes }) => lagBytes ?? 0))
    },
  ),
  perShard(
    'counter',
    'replica_reads_total',
    'Reads that replicas have answered; they are not among its requests.',
    ({ replicas }) => replicas?.reads ?? 0,
  ),
  perShard('gauge', 'leases', 'Dedicated connections in use.', ({ leased }) => leased),
  perShard('gauge', 'topics', 'Channels and patterns subscribed.', ({ topics }) => topics),
  perShard(
    'gauge',
    'ring_share_ratio',
    'Share of the hashes that are its own, 0 to 1.',
    (_shard, index, { shares }) => shares[index] ?? 0,
  ),
]
