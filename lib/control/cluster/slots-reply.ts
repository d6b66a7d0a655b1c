/**
 * What a node answers to CLUSTER SLOTS, made into ranges with owners. Everything that makes no sense is
 * left out; a slot without a credible owner has no owner.
 *
 * Each entry is `[first, last, master, replica...]`, each server `[endpoint, port, id, metadata]`, where
 * metadata is a flat list (`ip 10.0.0.1`, `hostname a.example`). Redis 3 has neither id nor metadata.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CLUSTER_NODES_MAX, CLUSTER_REPLICAS_MAX } from '../../limits.ts'
import { addressKey, serverAddress } from '../server-address.ts'
import { type AddressMap, reachedAt } from './address-map.ts'
import { type ClusterNode, type NodeAddress, SLOT_COUNT, type SlotRange } from './view.ts'

/** Entries that are read before others have their turn: about a millisecond. */
const ENTRIES_AT_ONCE = 512

/**
 * `asked`: where the node is that answered. Resolves with undefined if this is no answer to CLUSTER SLOTS. A
 * long one is read in slices: clients' requests come in between, at `pause`.
 */
export async function readSlots(
  reply: unknown,
  asked: NodeAddress,
  map: AddressMap,
  pause: () => Promise<unknown> = nextTurn,
): Promise<SlotRange[] | undefined> {
  if (!Array.isArray(reply)) return undefined
  /** In a fragmented cluster thousands of ranges have the same few owners. */
  const owners = new Map<string, ClusterNode>()
  const ranges: SlotRange[] = []
  const count = Math.min(reply.length, SLOT_COUNT)
  for (let at = 0; at < count; at++) {
    if (at > 0 && at % ENTRIES_AT_ONCE === 0) await pause()
    const range = readEntry(reply[at], owners, (servers) => ownerOf(servers, asked, map))
    if (range !== undefined) ranges.push(range)
  }
  return ranges
}

/** `owners`: those that are known, by what is told of them. */
function readEntry(
  entry: unknown,
  owners: Map<string, ClusterNode>,
  read: (servers: readonly unknown[]) => ClusterNode | undefined,
): SlotRange | undefined {
  if (!Array.isArray(entry)) return undefined
  const [from, to, ...servers] = entry as unknown[]
  const first = slotNumber(from)
  const last = slotNumber(to)
  if (first === undefined || last === undefined || last < first) return undefined
  const key = servers.map(serverKey).join()
  const known = owners.get(key)
  if (known !== undefined) return { first, last, owner: known }
  const owner = owners.size < CLUSTER_NODES_MAX ? read(servers) : undefined
  if (owner === undefined) return undefined
  owners.set(key, owner)
  return { first, last, owner }
}

/** What identifies a server within a reply. Cheap, since there are thousands. */
function serverKey(server: unknown): string {
  if (!Array.isArray(server)) return ''
  const told = server as unknown[]
  // Only where the endpoint is unknown does the metadata count.
  const metadata = told[0] === '?' ? String(told[3]) : ''
  return `${told[0]}|${told[1]}|${told[2]}|${metadata}`
}

function ownerOf(
  [master, ...replicas]: readonly unknown[],
  asked: NodeAddress,
  map: AddressMap,
): ClusterNode | undefined {
  const address = addressOf(master, asked, map)
  if (address === undefined) return undefined
  const id: unknown = Array.isArray(master) ? master[2] : undefined
  return {
    id: typeof id === 'string' && id !== '' ? id : addressKey(address),
    address,
    replicas: replicas
      .slice(0, CLUSTER_REPLICAS_MAX)
      .flatMap((replica) => addressOf(replica, asked, map) ?? []),
  }
}

function addressOf(server: unknown, asked: NodeAddress, map: AddressMap): NodeAddress | undefined {
  if (!Array.isArray(server)) return undefined
  const [endpoint, port, , metadata] = server as unknown[]
  const announced = serverAddress(hostOf(endpoint, metadata, asked), port)
  return announced && reachedAt(map, announced)
}

/** Null and empty mean the host that was asked; `?` that the node does not know the preferred one. */
function hostOf(endpoint: unknown, metadata: unknown, asked: NodeAddress): unknown {
  if (endpoint === null || endpoint === '') return asked.host
  if (endpoint !== '?') return endpoint
  const fields = Array.isArray(metadata) ? (metadata as unknown[]) : []
  const at = ['ip', 'hostname'].map((name) => fields.indexOf(name)).find((index) => index >= 0)
  return at === undefined ? undefined : fields[at + 1]
}

function slotNumber(told: unknown): number | undefined {
  const slot = Number(told)
  return Number.isInteger(slot) && slot >= 0 && slot < SLOT_COUNT ? slot : undefined
}
