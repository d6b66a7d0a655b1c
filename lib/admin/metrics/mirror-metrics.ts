/** The metrics of mirrors. They have no samples where no pool has one. */
import type { MirrorState } from '../../stats/mirror/mirror-counts.ts'
import { labelText, type Metric } from './metric.ts'

export const MIRROR_METRICS: readonly Metric[] = [
  one(
    'counter',
    'sent_total',
    'Copies of requests that were sent to the mirror. A request that is split counts at each server.',
    ({ counts }) => counts.sent,
  ),
  one(
    'counter',
    'errors_total',
    'Copies that the mirror answered with an error.',
    ({ counts }) => counts.errors,
  ),
  one(
    'counter',
    'unanswered_total',
    'Copies that had no reply: the mirror was lost, or too slow.',
    ({ counts }) => counts.unanswered,
  ),
  by(
    'dropped_total',
    'Copies that were not sent. full: too many wait for their replies, or too many bytes; away: the server is not there.',
    ({ counts }) => counts.dropped,
  ),
  by(
    'skipped_total',
    'Requests that cannot be mirrored. script: a script without keys; crossslot: keys with several places at the mirror.',
    ({ counts }) => counts.skipped,
  ),
  one(
    'gauge',
    'waiting',
    'Copies that were sent and have no reply so far.',
    ({ counts }) => counts.waiting,
  ),
  one(
    'gauge',
    'waiting_bytes',
    'Bytes of the copies that have no reply so far.',
    ({ counts }) => counts.waitingBytes,
  ),
  one('gauge', 'shards_up', 'Servers of the mirror that take requests.', ({ shards }) => {
    return shards.filter(({ up }) => up).length
  }),
]

function labelsOf({ pool, mirror }: MirrorState): Record<string, string> {
  return { pool, mirror }
}

function one(
  type: Metric['type'],
  name: string,
  help: string,
  read: (state: MirrorState) => number,
): Metric {
  return {
    ...{ name: `ambassador_mirror_${name}`, type, help, labels: ['pool', 'mirror'] },
    read: ({ snapshot }) => {
      return snapshot.mirrors().map((state) => ({ labels: labelsOf(state), value: read(state) }))
    },
  }
}

/** One number for each reason. */
function by(
  name: string,
  help: string,
  read: (state: MirrorState) => Readonly<Record<string, number>>,
): Metric {
  return {
    ...{ name: `ambassador_mirror_${name}`, type: 'counter', help },
    labels: ['pool', 'mirror', 'why'],
    read: ({ snapshot }) => {
      return snapshot.mirrors().flatMap((state) => {
        return Object.entries(read(state)).map(([why, value]) => {
          return { labels: { ...labelsOf(state), why: labelText(why) }, value }
        })
      })
    },
  }
}
