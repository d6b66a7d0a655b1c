/**
 * Finds the server that owns a key's hash, by twemproxy's three distributions.
 *
 * A ring is fixed once built. When the set of live servers changes, another one is built from the
 * servers that remain.
 */
import assert from 'node:assert/strict'
import { buildContinuum, type Server } from './continuum.ts'

export type { Server } from './continuum.ts'

export interface Ring {
  /** Index of the server that owns the hash (its 32 bits, signed or not), in the list the ring was built from. */
  ownerOf(hash: number): number
  /** Where the hash falls. ketama: the value of the point; modula: the slot; random: undefined. */
  pointOf(hash: number): number | undefined
  /** By server: its share of the hash space, 0 to 1. */
  shares(): number[]
  /** All of it, to compare rings. */
  layout(): RingLayout
}

/** Who owns which hashes. `ends` ascend; part `i` ends with `ends[i]`, and `owners[i]` owns it. */
export type RingLayout =
  /** Parts of the hash space, the last one ending with 2^32 - 1. */
  | { readonly kind: 'arcs'; readonly ends: Uint32Array; readonly owners: readonly number[] }
  /** Parts of the remainders modulo `count`, the last one ending with `count - 1`. */
  | {
      readonly kind: 'slots'
      readonly ends: Uint32Array
      readonly owners: readonly number[]
      readonly count: number
    }
  /** No hash has an owner. */
  | { readonly kind: 'random' }

const RINGS = {
  ketama: (servers, indexes) => new KetamaRing(servers, indexes),
  modula: (servers, indexes) => new ModulaRing(servers, indexes),
  random: (servers, _indexes, random) => new RandomRing(servers.length, random),
} as const satisfies Record<
  string,
  (servers: readonly Server[], indexes: readonly number[], random: () => number) => Ring
>

export type Distribution = keyof typeof RINGS

/**
 * Builds the ring of the servers that live, at least one. `random` (0 <= x < 1) is what the
 * distribution of that name draws from.
 */
export function buildRing(
  servers: readonly Server[],
  distribution: Distribution,
  random: () => number = Math.random,
): Ring {
  assert(servers.length > 0, 'a ring needs a server')
  const indexes = twemproxyOrder(servers)
  const ordered = indexes.map((index) => servers[index] as Server)
  return RINGS[distribution](ordered, indexes, random)
}

/** Indexes of the servers by length of the name, then by its bytes: the order in which they count. */
function twemproxyOrder(servers: readonly Server[]): number[] {
  const names = servers.map((server) => Buffer.from(server.name))
  return [...names.keys()].sort((left, right) => {
    const [a, b] = [names[left] as Buffer, names[right] as Buffer]
    return a.length - b.length || Buffer.compare(a, b)
  })
}

/** A hash belongs to the first point that is not below it; after the last point comes the first. */
class KetamaRing implements Ring {
  /** Ascending, and closed by a copy of the first point at the top of the hash space. */
  readonly #points: Uint32Array
  readonly #owners: Uint32Array
  /**
   * By a hash's highest bits: where to start looking. MD5 spreads the points evenly, so with about
   * as many regions as points a look-up takes a step or two, where a binary search takes eleven.
   */
  readonly #firstPoints: Uint32Array
  readonly #regionShift: number
  readonly #serverCount: number

  constructor(servers: readonly Server[], indexes: readonly number[]) {
    const { points, owners } = buildContinuum(servers)
    this.#serverCount = servers.length
    this.#points = append(points, 0xffffffff)
    this.#owners = append(owners, owners[0] as number).map((owner) => indexes[owner] as number)
    const regionBits = Math.ceil(Math.log2(points.length))
    this.#regionShift = 32 - regionBits
    this.#firstPoints = Uint32Array.from({ length: 2 ** regionBits }, (_, region) =>
      lowerBound(this.#points, region * 2 ** this.#regionShift),
    )
  }

  ownerOf(hash: number): number {
    return this.#owners[this.#find(hash)] as number
  }

  pointOf(hash: number): number {
    const at = this.#find(hash)
    return this.#points[at === this.#points.length - 1 ? 0 : at] as number
  }

  shares(): number[] {
    const shares = new Array<number>(this.#serverCount).fill(0)
    let previous = -1
    for (const [at, point] of this.#points.entries()) {
      const owner = this.#owners[at] as number
      shares[owner] = (shares[owner] as number) + (point - previous) / 2 ** 32
      previous = point
    }
    return shares
  }

  layout(): RingLayout {
    return { kind: 'arcs', ends: this.#points, owners: [...this.#owners] }
  }

  #find(hash: number): number {
    const unsigned = hash >>> 0
    let at = this.#firstPoints[unsigned >>> this.#regionShift] as number
    while ((this.#points[at] as number) < unsigned) at++
    return at
  }
}

/** Every server has as many slots as it weighs; a hash falls into the slot of its remainder. */
class ModulaRing implements Ring {
  /** By server: its last slot. Limits on shards and weights keep them far below 2^32. */
  readonly #lastSlots: Uint32Array
  readonly #slotCount: number
  readonly #indexes: readonly number[]

  constructor(servers: readonly Server[], indexes: readonly number[]) {
    let slotCount = 0
    this.#lastSlots = Uint32Array.from(servers, ({ weight }) => {
      slotCount += weight
      return slotCount - 1
    })
    this.#slotCount = slotCount
    this.#indexes = indexes
  }

  ownerOf(hash: number): number {
    return this.#indexes[lowerBound(this.#lastSlots, this.pointOf(hash))] as number
  }

  pointOf(hash: number): number {
    return (hash >>> 0) % this.#slotCount
  }

  shares(): number[] {
    const shares = new Array<number>(this.#indexes.length)
    let previous = -1
    for (const [at, lastSlot] of this.#lastSlots.entries()) {
      shares[this.#indexes[at] as number] = (lastSlot - previous) / this.#slotCount
      previous = lastSlot
    }
    return shares
  }

  layout(): RingLayout {
    const count = this.#slotCount
    return { kind: 'slots', ends: this.#lastSlots, owners: this.#indexes, count }
  }
}

/** Draws a server for every key of every request, for servers that are proxies or caches. */
class RandomRing implements Ring {
  readonly #serverCount: number
  readonly #random: () => number

  constructor(serverCount: number, random: () => number) {
    this.#serverCount = serverCount
    this.#random = random
  }

  ownerOf(): number {
    return Math.floor(this.#random() * this.#serverCount)
  }

  pointOf(): undefined {
    return undefined
  }

  shares(): number[] {
    return new Array<number>(this.#serverCount).fill(1 / this.#serverCount)
  }

  layout(): RingLayout {
    return { kind: 'random' }
  }
}

/**
 * For a picture: the owners at `count` evenly spaced places, from hash or slot 0 on; none when no hash
 * has an owner.
 */
export function ownersAlong(layout: RingLayout, count: number): number[] {
  if (layout.kind === 'random') return []
  const { kind, ends, owners } = layout
  const size = kind === 'slots' ? layout.count : 2 ** 32
  return Array.from({ length: count }, (_, at) => {
    return owners[lowerBound(ends, Math.floor((at * size) / count))] as number
  })
}

/** Index of the first element that is not below `value`; there must be one. */
function lowerBound(ascending: Uint32Array, value: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ascending[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

function append(values: Uint32Array, last: number): Uint32Array {
  const longer = new Uint32Array(values.length + 1)
  longer.set(values)
  longer[values.length] = last
  return longer
}
