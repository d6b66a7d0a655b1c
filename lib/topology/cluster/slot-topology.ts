/**
 * The slots of a Redis Cluster: each is a place, and its owner changes while requests are under way.
 * Changes have numbers, *epochs*, so that the order of one client's requests can be kept: see
 * [decision 18](../../../docs/decisions/0018-redirects-and-order.md).
 */
import { SLOT_COUNT } from '../../control/cluster/view.ts'
import { HashTag } from '../../routing/placement/hash-tag.ts'
import type { Explanation } from '../../routing/placement/placement.ts'
import { slotOf } from '../../routing/placement/slot.ts'
import type { Topology, TopologyView } from '../topology.ts'
import { Epochs } from './epochs.ts'

const ASTERISK = 0x2a

/** For commands without keys that may touch keys: always the same slot. */
const KEYLESS_SLOT = 0

export class SlotTopology<S> implements Topology<S>, TopologyView {
  readonly placeCount = SLOT_COUNT
  readonly keylessPlace = KEYLESS_SLOT
  readonly #tag = new HashTag('{}')
  readonly #nobody: S
  readonly #owners: (S | undefined)[] = new Array(SLOT_COUNT).fill(undefined)
  readonly #listeners = new Set<() => void>()
  /** For each slot the epoch in which it last changed its owner, or a request met a redirect or had to wait. */
  readonly #changedAt = new Float64Array(SLOT_COUNT)
  readonly #epochs: Epochs
  /** Masters in the order in which people see them. */
  #masters: readonly S[] = []

  /** `nobody`: stands for the owner of a slot that has none. */
  constructor(nobody: S, epochs = new Epochs()) {
    this.#nobody = nobody
    this.#epochs = epochs
  }

  /** Of the newest change, here or elsewhere. */
  get epoch(): number {
    return this.#epochs.current
  }

  get view(): TopologyView {
    return this
  }

  shardAt(slot: number): S {
    return this.#owners[slot] ?? this.#nobody
  }

  /** Undefined while no node serves the slot. */
  ownerOf(slot: number): S | undefined {
    return this.#owners[slot]
  }

  /** It is a master, or stands for one. */
  has(shard: unknown): boolean {
    return shard === this.#nobody || this.#masters.some((master) => master === shard)
  }

  changedAt(slot: number): number {
    return this.#changedAt[slot] as number
  }

  hashOf(bytes: Uint8Array, start: number, end: number): number {
    return slotOf(bytes, start, end)
  }

  placeOf(_bytes: Uint8Array, _start: number, _end: number, slot: number): number {
    return slot
  }

  /** Defined when the `*` is behind the tag: no replacement of it can then change the tag. */
  placeOfPattern(bytes: Uint8Array, start: number, end: number): number | undefined {
    const tag = this.#tag
    tag.find(bytes, start, end)
    // Without a tag the whole key counts, and the `*` is in it.
    for (let i = start; i < tag.end; i++) if (bytes[i] === ASTERISK) return undefined
    return slotOf(bytes, start, end)
  }

  /** Something has happened to the slot: requests sent before may still be refused. */
  touch(slot: number): void {
    this.#changedAt[slot] = this.#epochs.next()
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Calls back whenever something has happened to slots, until the returned function is called. */
  onTouch(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** From now on the slot is the owner's. */
  assign(slot: number, owner: S): void {
    if (this.#owners[slot] === owner) return
    this.#owners[slot] = owner
    this.touch(slot)
  }

  /** From now on slots have these owners. All changes are one epoch. */
  follow(masters: readonly S[], ownerOf: (slot: number) => S | undefined): void {
    this.#masters = masters
    let epoch = 0
    for (let slot = 0; slot < SLOT_COUNT; slot++) {
      const owner = ownerOf(slot)
      if (this.#owners[slot] === owner) continue
      this.#owners[slot] = owner
      if (epoch === 0) epoch = this.#epochs.next()
      this.#changedAt[slot] = epoch
    }
    if (epoch !== 0) this.#tell()
  }

  explain(key: Uint8Array): Explanation {
    const hash = slotOf(key, 0, key.length)
    const owner = this.#owners[hash]
    const at = owner === undefined ? -1 : this.#masters.indexOf(owner)
    this.#tag.find(key, 0, key.length)
    const { start: hashedStart, end: hashedEnd } = this.#tag
    return { shard: at < 0 ? undefined : at, hashedStart, hashedEnd, hash, point: hash }
  }

  shares(): number[] {
    const counts = new Map<S | undefined, number>()
    for (const owner of this.#owners) counts.set(owner, (counts.get(owner) ?? 0) + 1)
    return this.#masters.map((master) => (counts.get(master) ?? 0) / SLOT_COUNT)
  }

  /** A slot without an owner counts as the first master's, since the picture needs an owner. */
  ownersAlong(count: number): number[] {
    const indexOf = new Map(this.#masters.map((master, index) => [master, index]))
    return Array.from({ length: count }, (_, point) => {
      const owner = this.#owners[Math.floor((point * SLOT_COUNT) / count)]
      return owner === undefined ? 0 : (indexOf.get(owner) ?? 0)
    })
  }
}
