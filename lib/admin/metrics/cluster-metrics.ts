/** The metrics of a Redis Cluster. They have no samples where no shard is in a cluster. */
import type { ClusterState } from '../../stats/cluster-state.ts'
import type { Sample } from './exposition.ts'
import type { Metric } from './metric.ts'

export const CLUSTER_METRICS: readonly Metric[] = [
  by('gauge', 'slots', 'Slots that a master owns.', 'shard', ({ nodes }) => {
    return Object.fromEntries(nodes.map(({ address, slots }) => [address, slots]))
  }),
  one('gauge', 'slots_uncovered', 'Slots that have no owner.', (state) => state.uncoveredSlots),
  one(
    'gauge',
    'config_epoch',
    'The highest configuration epoch that a node has reported.',
    ({ epoch }) => epoch,
  ),
  one('gauge', 'nodes_missing', 'Known nodes that do not answer.', ({ missing }) => missing.length),
  by(
    'counter',
    'redirects_total',
    'Requests that a node refused with a redirect, by the code in its reply. Clients see no redirect.',
    'code',
    ({ redirects }) => redirects,
  ),
  one('counter', 'resends_total', 'Requests that were sent again.', ({ resent }) => resent),
  one(
    'gauge',
    'requests_waiting',
    'Requests that wait here for an owner of their slots.',
    ({ waiting }) => waiting,
  ),
  one(
    'counter',
    'requests_held_total',
    'Times that a request had to wait for an owner of its slot.',
    ({ held }) => held,
  ),
  one(
    'counter',
    'requests_held_seconds_total',
    'How long requests waited for owners of their slots, added up.',
    ({ heldSeconds }) => heldSeconds,
  ),
  by(
    'counter',
    'refreshes_total',
    'Times that a node was asked for the map of the cluster.',
    'cause',
    ({ refreshes }) => refreshes,
  ),
  one(
    'counter',
    'failovers_total',
    'Masters that one of their replicas has replaced.',
    ({ failovers }) => failovers,
  ),
  one(
    'counter',
    'failover_seconds_total',
    'Time from the loss of a master until its successor was known, added up.',
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
