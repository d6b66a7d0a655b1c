/** What /metrics says of a Redis Cluster; no samples where shards are none. */
import type { ClusterState } from '../../stats/cluster-state.ts'
import type { Sample } from './exposition.ts'
import type { Metric } from './metric.ts'

export const CLUSTER_METRICS: readonly Metric[] = [
  by('gauge', 'slots', 'Slots of each master.', 'shard', ({ nodes }) => {
    return Object.fromEntries(nodes.map(({ address, slots }) => [address, slots]))
  }),
  one('gauge', 'slots_uncovered', 'Slots that have no owner.', (state) => state.uncoveredSlots),
  one('gauge', 'config_epoch', 'The highest that a node has told.', ({ epoch }) => epoch),
  one(
    'gauge',
    'nodes_missing',
    'Nodes that are known and do not answer.',
    ({ missing }) => missing.length,
  ),
  by(
    'counter',
    'redirects_total',
    'Requests that a node has refused, by its word; none of it comes to a client.',
    'code',
    ({ redirects }) => redirects,
  ),
  one('counter', 'resends_total', 'Requests that were sent again.', ({ resent }) => resent),
  one(
    'gauge',
    'requests_waiting',
    'Requests that wait for the owners of their slots.',
    ({ waiting }) => waiting,
  ),
  one('counter', 'requests_held_total', 'Times that one had to wait.', ({ held }) => held),
  one(
    'counter',
    'requests_held_seconds_total',
    'How long they waited, all together.',
    ({ heldSeconds }) => heldSeconds,
  ),
  by('counter', 'refreshes_total', 'Looks at the map.', 'cause', ({ refreshes }) => refreshes),
  one(
    'counter',
    'failovers_total',
    'Masters whose place a replica has taken.',
    ({ failovers }) => failovers,
  ),
  one(
    'counter',
    'failover_seconds_total',
    'From the loss of a master until its heir was known, all together.',
    ({ failoverSeconds }) => failoverSeconds,
  ),
]

function one(
  type: Metric['type'],
  name: string,
  help: string,
  read: (state: ClusterState) => number,
): Metric {
  return metric(type, name, help, [], (state) => [{ value: read(state) }])
}

/** One number for each value of a label. */
function by(
  type: Metric['type'],
  name: string,
  help: string,
  label: string,
  read: (state: ClusterState) => Readonly<Record<string, number>>,
): Metric {
  return metric(type, name, help, [label], (state) => {
    return Object.entries(read(state)).map(([text, value]) => {
      return { labels: { [label]: text.toLowerCase() }, value }
    })
  })
}

function metric(
  type: Metric['type'],
  name: string,
  help: string,
  labels: readonly string[],
  read: (state: ClusterState) => readonly Sample[],
): Metric {
  return {
    name: `ambassador_cluster_${name}`,
    type,
    help,
    labels,
    read: ({ snapshot }) => (snapshot.cluster === undefined ? [] : read(snapshot.cluster)),
  }
}
