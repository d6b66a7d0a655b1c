/**
 * A Redis Cluster: which master has how many slots, and what its moves have cost. Hidden where shards are none.
 *
 * @typedef {import('../stats.d.ts').Cluster} Cluster
 */
import { byId, setText } from '../dom.js'
import { count, duration } from '../format.js'
import { cell, number, table } from './table.js'

/** @param {Cluster | null} cluster */
export function showCluster(cluster) {
  byId('cluster-section').hidden = cluster === null
  if (cluster === null) return
  setText(byId('cluster-summary'), summary(cluster))
  const rows = cluster.nodes.map(({ address, slots, replicas }) => [
    cell(address),
    number(count(slots)),
    cell(replicas.length === 0 ? 'none' : replicas.join(', ')),
  ])
  const nodes = table(['Master', 'Slots', 'Replicas'], rows)
  const host = byId('cluster')
  // The same again would end a selection for nothing.
  if (host.firstElementChild?.isEqualNode(nodes) !== true) host.replaceChildren(nodes)
  setText(byId('cluster-moves'), moves(cluster))
}

/** @param {Cluster} cluster */
function summary({ nodes, uncoveredSlots, missing }) {
  const parts = [`${nodes.length} masters`]
  if (uncoveredSlots > 0) parts.push(`${count(uncoveredSlots)} slots without an owner`)
  if (missing.length > 0) parts.push(`no answer from ${missing.join(', ')}`)
  return parts.join(', ')
}

/** @param {Cluster} cluster */
function moves({ redirects, resent, waiting, failovers, failoverSeconds }) {
  const codes = Object.entries(redirects).map(([code, times]) => `${count(times)} ${code}`)
  const took = failovers === 0 ? '' : ` (${duration(Math.round(failoverSeconds))} in all)`
  return [
    codes.length === 0 ? 'No redirects' : codes.join(', '),
    `${count(resent)} requests sent again`,
    `${count(waiting)} waiting`,
    `${count(failovers)} failovers${took}`,
  ].join('; ')
}
