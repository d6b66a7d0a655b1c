/**
 * What a node answers to CLUSTER SLOTS, made into ranges with owners. Everything that makes no sense is
 * left out; a slot without a credible owner has no owner.
 *
 * Each entry is `[first, last, master, replica...]`, each server `[endpoint, port, id, metadata]`, where
 * metadata is a flat list (`ip 10.0.0.1`, `hostname a.example`). Redis 3 has neither id nor metadata.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CLUSTER_NODES_MAX, CLUSTER_REPLICAS_MAX } from '../../limits.ts'
import { ASTERISK, COLON, LF, MINUS, parseInteger } from '../../resp/bytes.ts'
import type { Value } from '../../resp/encode.ts'
import { ReplyScanner } from '../../resp/reply-scanner.ts'
import { readReply } from '../../resp/reply-value.ts'
import { addressKey, serverAddress } from '../server-address.ts'
import { type AddressMap, reachedAt } from './address-map.ts'
import { type ClusterNode, type NodeAddress, SLOT_COUNT, type SlotRange } from './view.ts'

/** Entries that are read before others have their turn: less than a millisecond. */
const ENTRIES_AT_ONCE = 256

const SLOT_DIGITS_MAX = 5

/**
 * `frame`: the whole reply, verified. `asked`: where the node is that answered. Resolves with undefined if this is no
 * answer to CLUSTER SLOTS. A long one is read in slices: clients' requests come in between, at `pause`.
 */
export async function readSlots(
  frame: Buffer | undefined,
  asked: NodeAddress,
  map: AddressMap,
  pause: () => Promise<unknown> = nextTurn,
): Promise<SlotRange[] | undefined> {
  if (frame?.[0] !== ASTERISK || frame[1] === MINUS) return undefined
  const owners = new KnownOwners(frame, (servers) => ownerOf(servers, asked, map))
  const ranges: SlotRange[] = []
  const entries = new ReplyScanner()
  let at = frame.indexOf(LF) + 1
  for (let count = 0; at < frame.length && count < SLOT_COUNT; count++) {
    if (count > 0 && count % ENTRIES_AT_ONCE === 0) await pause()
    const end = entries.scan(frame, at, frame.length)
    const range = readEntry(frame, at, end, owners)
    if (range !== undefined) ranges.push(range)
    at = end
  }
  // So that nothing long follows in the same turn.
  if (ranges.length > ENTRIES_AT_ONCE) await pause()
  return ranges
}

function readEntry(
  frame: Buffer,
  start: number,
  end: number,
  owners: KnownOwners,
): SlotRange | undefined {
  if (frame[start] !== ASTERISK) return undefined
  const fromAt = lineAfter(frame, start)
  const first = slotNumber(frame, fromAt, end)
  if (first === undefined) return undefined
  const toAt = lineAfter(frame, fromAt)
  const last = slotNumber(frame, toAt, end)
  if (last === undefined || last < first) return undefined
  const owner = owners.of(start, lineAfter(frame, toAt), end)
  return owner && { first, last, owner }
}

/** In a fragmented cluster thousands of ranges have the same few owners: what is told of one is decoded once. */
class KnownOwners {
  readonly #frame: Buffer
  readonly #read: (servers: readonly unknown[]) => ClusterNode | undefined
  /** By a hash of what is told of them: where that is, and the owner. */
  readonly #known = new Map<number, { start: number; end: number; owner: ClusterNode }[]>()
  #count = 0

  constructor(frame: Buffer, read: (servers: readonly unknown[]) => ClusterNode | undefined) {
    this.#frame = frame
    this.#read = read
  }

  /** Of the entry `[entryStart, end)`, whose servers begin at `start`. */
  of(entryStart: number, start: number, end: number): ClusterNode | undefined {
    const frame = this.#frame
    const hash = hashOf(frame, start, end)
    const alike = this.#known.get(hash) ?? []
    const known = alike.find((each) => frame.compare(frame, each.start, each.end, start, end) === 0)
    if (known !== undefined) return known.owner
    if (this.#count === CLUSTER_NODES_MAX) return undefined
    const [, , ...servers] = plain(readReply(frame.subarray(entryStart, end))) ?? []
    const owner = this.#read(servers)
    if (owner === undefined) return undefined
    this.#count++
    this.#known.set(hash, [...alike, { start, end, owner }])
    return owner
  }
}

/** FNV-1a. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return hash
}

function lineAfter(frame: Buffer, at: number): number {
  let end = at
  while (frame[end] !== LF) end++
  return end + 1
}

/** Texts and numbers in place of bytes; undefined for what is no list. */
function plain(value: Value | undefined): unknown[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.map((each: Value) => {
    if (Buffer.isBuffer(each)) return each.toString('latin1')
    return typeof each === 'bigint' ? Number(each) : (plain(each) ?? each)
  })
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

/** The integer at `at`, if it is there, before `end`, and a slot. */
function slotNumber(frame: Buffer, at: number, end: number): number | undefined {
  if (at >= end || frame[at] !== COLON) return undefined
  const lineEnd = lineAfter(frame, at) - 2
  if (lineEnd - at - 1 > SLOT_DIGITS_MAX) return undefined
  const slot = parseInteger(frame, at + 1, lineEnd) ?? -1
  return slot >= 0 && slot < SLOT_COUNT ? slot : undefined
}
