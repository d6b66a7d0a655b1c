/** The metrics of the near-cache. They have no samples where it is off. */
import type { NearCacheState, NearCacheStats } from '../../stats/near-cache-stats.ts'
import type { Sample } from './exposition.ts'
import { labelText, type Metric } from './metric.ts'

type Read = (stats: NearCacheStats, state: NearCacheState) => number
type ReadBy = (
  stats: NearCacheStats,
  state: NearCacheState,
) => Readonly<Record<string, number>> | ReadonlyMap<string, number>

export const NEAR_CACHE_METRICS: readonly Metric[] = [
  one('counter', 'hits_total', 'Reads answered from memory.', ({ hits }) => hits),
  by(
    'counter',
    'misses_total',
    'Reads that the cache may answer and did not. absent: not in the cache; unconfirmed: the shard gave no sign of life; writing: a client of ours writes the key; untracked: the connection is not tracked; partial: another key of the same MGET had to be asked for.',
    'why',
    ({ misses }) => misses,
  ),
  one(
    'counter',
    'joined_total',
    'Reads that shared the reply to a read already under way.',
    (stats) => {
      return stats.joined
    },
  ),
  one('counter', 'fills_total', 'Replies kept.', ({ fills }) => fills),
  one(
    'counter',
    'not_admitted_total',
    'Replies that were not kept because they were asked for only once.',
    (stats) => {
      return stats.notAdmitted
    },
  ),
  by(
    'counter',
    'poisoned_total',
    'Reads whose replies were to be kept and were not. push, own_write: the key changed meanwhile; lost: the connection was lost; passed: a later request for the same went to the shard by itself; reply: the reply was an error, or too large.',
    'by',
    ({ poisoned }) => poisoned,
  ),
  by(
    'counter',
    'invalidations_total',
    'Entries removed because their key changed: told by the shard, or written by a client of ours.',
    'from',
    ({ invalidations }) => invalidations,
  ),
  by(
    'counter',
    'sources_ended_total',
    'Times that everything read over one connection was dropped. any_key: because of a script or another command that may change any key; refused: the shard does not track, or serves no slots of its cluster any more.',
    'why',
    ({ sourcesEnded }) => sourcesEnded,
  ),
  one('counter', 'evictions_total', 'Entries that made room for others.', (_stats, state) => {
    return state.evictions
  }),
  one('counter', 'touches_total', 'Keys that TOUCH named to shards as keys in use.', (stats) => {
    return stats.touches
  }),
  one('gauge', 'entries', 'Replies that are kept.', (_stats, { entries }) => entries),
  one(
    'gauge',
    'bytes',
    'Bytes of the requests and replies that are kept.',
    (_stats, { bytes }) => bytes,
  ),
  one('gauge', 'memory_bytes', 'All memory that the cache takes, in bytes.', (_stats, state) => {
    return state.memoryBytes
  }),
  one(
    'gauge',
    'flights',
    'Reads under way whose replies are to be kept.',
    (_stats, { flights }) => flights,
  ),
  one('gauge', 'keys_being_written', 'Keys that clients are writing.', (_stats, state) => {
    return state.writing
  }),
  one(
    'gauge',
    'untracked_connections',
    'Connections whose reads are not kept because the shard does not track them.',
    (_stats, { untracked }) => untracked,
  ),
  by(
    'gauge',
    'confirmed_age_seconds',
    'Seconds since it was last certain that the shard had announced every change.',
    'shard',
    (_stats, { confirmedAges }) => {
      return new Map([...confirmedAges].map(([shard, ms]) => [shard, ms / 1000]))
    },
  ),
  by(
    'counter',
    'prefix_hits_total',
    'Reads answered from memory, by prefix.',
    'prefix',
    (_stats, state) => {
      return new Map(state.prefixes.map(({ text, hits }) => [text, hits]))
    },
  ),
  by(
    'counter',
    'prefix_fills_total',
    'Replies kept, by prefix.',
    'prefix',
    (_stats, { prefixes }) => {
      return new Map(prefixes.map(({ text, fills }) => [text, fills]))
    },
  ),
]

function one(type: Metric['type'], name: string, help: string, read: Read): Metric {
  return metric(type, name, help, [], (stats, state) => [{ value: read(stats, state) }])
}

/** One number for each value of a label. */
function by(type: Metric['type'], name: string, help: string, label: string, read: ReadBy): Metric {
  return metric(type, name, help, [label], (stats, state) => {
    const counts = read(stats, state)
    // Names that operators gave stay as they are; our own words get the form of labels.
    const samples = counts instanceof Map ? [...counts] : Object.entries(counts).map(labelled)
    return samples.map(([text, value]) => ({ labels: { [label]: text }, value }))
  })
}

function labelled([name, value]: [string, number]): [string, number] {
  return [labelText(name), value]
}

function metric(
  type: Metric['type'],
  name: string,
  help: string,
  labels: readonly string[],
  read: (stats: NearCacheStats, state: NearCacheState) => readonly Sample[],
): Metric {
  return {
    name: `ambassador_near_cache_${name}`,
    type,
    help,
    labels,
    read: ({ nearCache, snapshot }) => {
      return nearCache === undefined ? [] : read(snapshot.stats.nearCache, nearCache)
    },
  }
}
