/** What has changed from one view of a cluster to the next, for the log and for counters. Pure. */
import { addressKey } from '../server-address.ts'
import { REFRESH_CAUSES, type RefreshCause } from './refresh-clock.ts'
import { type ClusterView, type NodeAddress, SLOT_COUNT } from './view.ts'

/** What is counted of a cluster; it outlives the watch, of which a reload makes another. */
export interface ClusterCounts {
  /** By cause: how often the map was looked at. */
  readonly refreshes: Record<RefreshCause, number>
  /** Masters whose place a replica has taken. */
  failovers: number
  /** Of those that were missed: from the loss to the heir, seconds, all together. */
  failoverSeconds: number
}

export function noClusterCounts(): ClusterCounts {
  const refreshes = Object.fromEntries(REFRESH_CAUSES.map((cause) => [cause, 0]))
  return {
    refreshes: refreshes as Record<RefreshCause, number>,
    failovers: 0,
    failoverSeconds: 0,
  }
}

export interface Change {
  /** `10.0.0.1:6379 -> 10.0.0.2:6379 (5461 slots)`, most slots first. */
  readonly moves: readonly string[]
  /** Former masters that one of their replicas has replaced. */
  readonly replaced: readonly NodeAddress[]
}

/** More than there are masters: two indexes make one number. */
const PAIRED = SLOT_COUNT + 2

export function changeBetween(before: ClusterView | undefined, after: ClusterView): Change {
  if (before === undefined) return { moves: [], replaced: [] }
  const from = before.nodes.map(({ address }) => addressKey(address))
  const to = after.nodes.map(({ address }) => addressKey(address))
  const indexByKey = new Map(to.map((key, index) => [key, index]))
  /** By index in the view before: the index of the same server in the one after. */
  const same = from.map((key) => indexByKey.get(key))
  /** By pair of indexes: how many slots. */
  const counts = new Map<number, number>()
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const one = before.ownerOf[slot] as number
    const other = after.ownerOf[slot] as number
    if (one < 0 ? other < 0 : same[one] === other) continue
    const pair = (one + 1) * PAIRED + other + 1
    counts.set(pair, (counts.get(pair) ?? 0) + 1)
  }
  const moves = [...counts].sort(([, one], [, other]) => other - one)
  const name = (keys: readonly string[], index: number): string => keys[index] ?? 'nobody'
  return {
    moves: moves.map(([pair, slots]) => {
      const [one, other] = [Math.floor(pair / PAIRED) - 1, (pair % PAIRED) - 1]
      return `${name(from, one)} -> ${name(to, other)} (${slots} slots)`
    }),
    replaced: replacedIn(before, after),
  }
}

function replacedIn(before: ClusterView, after: ClusterView): NodeAddress[] {
  const masters = new Set(after.nodes.map(({ address }) => addressKey(address)))
  return before.nodes
    .filter(({ address }) => !masters.has(addressKey(address)))
    .filter(({ replicas }) => replicas.some((replica) => masters.has(addressKey(replica))))
    .map(({ address }) => address)
}
