/** What is believed about a Redis Cluster: its masters, and which of them owns each slot. Pure. */
import { addressKey, type ServerAddress } from '../server-address.ts'

export type NodeAddress = ServerAddress

/** Slots are numbered from 0 to one less than this, in every cluster. */
export const SLOT_COUNT = 16_384

/** A master that owns slots. */
export interface ClusterNode {
  /** The server's own, 40 hexadecimal digits; its address where it tells none. */
  readonly id: string
  readonly address: NodeAddress
  readonly replicas: readonly NodeAddress[]
}

export interface ClusterView {
  /** Ordered by id. */
  readonly nodes: readonly ClusterNode[]
  /** By slot: the index of its owner in `nodes`, or -1. */
  readonly ownerOf: Int16Array
  /** How many slots have an owner. */
  readonly covered: number
}

/** Consecutive slots of one master, both ends included. */
export interface SlotRange {
  readonly first: number
  readonly last: number
  readonly owner: ClusterNode
}

/**
 * An owner may have several ranges; its replicas are taken from all of them. Where ranges overlap the
 * later one counts. Owners at one address are one node, whatever ids they go by.
 */
export function viewOf(ranges: readonly SlotRange[]): ClusterView {
  const owners: ClusterNode[] = []
  const indexOf = new Map<ClusterNode, number>()
  const ownerOf = new Int32Array(SLOT_COUNT).fill(NOBODY)
  for (const { first, last, owner } of ranges) {
    let index = indexOf.get(owner)
    if (index === undefined) {
      index = owners.push(owner) - 1
      indexOf.set(owner, index)
    }
    // As a rule a few slots: `fill` costs more than they do.
    for (let slot = first; slot <= last; slot++) ownerOf[slot] = index
  }
  return viewFrom(owners, ownerOf)
}

/**
 * `ownerOf`: by slot the index of its owner in `owners`, which may have some that own nothing, and several at one
 * address; or a negative number. In a fragmented cluster each slot has another owner than its neighbours: what is done
 * for each slot is simple.
 */
export function viewFrom(owners: readonly ClusterNode[], ownerOf: Int32Array): ClusterView {
  /** By index in `owners`: whether it has been seen, and later its index in the view. */
  const numbers = new Int32Array(owners.length).fill(NOBODY)
  const byKey = new Map<string, ClusterNode>()
  let covered = 0
  for (const index of ownerOf) {
    if (index < 0) continue
    covered++
    if (numbers[index] !== NOBODY) continue
    numbers[index] = 0
    const owner = owners[index] as ClusterNode
    const key = addressKey(owner.address)
    const known = byKey.get(key)
    byKey.set(key, known === undefined ? owner : withReplicas(known, owner.replicas))
  }
  const sorted = [...byKey].sort(([, one], [, other]) => compareIds(one, other))
  const indexByKey = new Map(sorted.map(([key], index) => [key, index]))
  for (const [index, { address }] of owners.entries()) {
    numbers[index] = indexByKey.get(addressKey(address)) ?? NOBODY
  }
  const result = new Int16Array(SLOT_COUNT).fill(NOBODY)
  for (let slot = 0; slot < SLOT_COUNT; slot++) {
    const index = ownerOf[slot] as number
    if (index >= 0) result[slot] = numbers[index] as number
  }
  return { nodes: sorted.map(([, node]) => node), ownerOf: result, covered }
}

/** A copy of the view in which one slot has another owner. A master that was not known before has no replicas yet. */
export function withSlotMoved(view: ClusterView, slot: number, to: NodeAddress): ClusterView {
  const key = addressKey(to)
  const index = view.nodes.findIndex(({ address }) => addressKey(address) === key)
  const before = view.ownerOf[slot] ?? NOBODY
  if (index === before && index !== NOBODY) return view
  const ownerOf = view.ownerOf.slice()
  ownerOf[slot] = index
  // Slots move by thousands: the usual case must cost no more than the copy.
  const isUsual = index !== NOBODY && before !== NOBODY && ownerOf.includes(before)
  if (isUsual) return { ...view, ownerOf }
  const owners: ClusterNode[] = [...view.nodes, { id: key, address: to, replicas: [] }]
  const indexes = Int32Array.from(ownerOf)
  if (index === NOBODY) indexes[slot] = view.nodes.length
  return viewFrom(owners, indexes)
}

/** The owner of a slot; undefined while it has none. */
export function ownerAt({ nodes, ownerOf }: ClusterView, slot: number): ClusterNode | undefined {
  return nodes[ownerOf[slot] ?? NOBODY]
}

/** The master, and then its replicas. */
export function serversOf({ address, replicas }: ClusterNode): NodeAddress[] {
  return [address, ...replicas]
}

/** Runs of slots with the same owner, in the order of the slots. */
export function rangesOf(view: ClusterView): SlotRange[] {
  const ranges: SlotRange[] = []
  for (let first = 0; first < SLOT_COUNT; ) {
    const at = view.ownerOf[first]
    let last = first
    while (last + 1 < SLOT_COUNT && view.ownerOf[last + 1] === at) last += 1
    const owner = ownerAt(view, first)
    if (owner !== undefined) ranges.push({ first, last, owner })
    first = last + 1
  }
  return ranges
}

/** Whether both say the same of every slot, master and replica. */
export function sameView(one: ClusterView, other: ClusterView): boolean {
  const isSame = one.nodes.length === other.nodes.length && one.covered === other.covered
  return (
    isSame &&
    one.nodes.every((node, index) => nodeText(node) === nodeText(other.nodes[index])) &&
    areSame(one.ownerOf, other.ownerOf)
  )
}

function areSame(one: Int16Array, other: Int16Array): boolean {
  for (let slot = 0; slot < SLOT_COUNT; slot++) if (one[slot] !== other[slot]) return false
  return true
}

const NOBODY = -1

function compareIds(one: ClusterNode, other: ClusterNode): number {
  if (one.id === other.id) return 0
  return one.id < other.id ? -1 : 1
}

function withReplicas(node: ClusterNode, more: readonly NodeAddress[]): ClusterNode {
  const all = [...node.replicas, ...more]
  return { ...node, replicas: [...new Map(all.map((each) => [addressKey(each), each])).values()] }
}

/** Replicas in any order. */
function nodeText(node: ClusterNode | undefined): string | undefined {
  if (node === undefined) return undefined
  return [node.id, addressKey(node.address), ...node.replicas.map(addressKey).sort()].join(' ')
}
