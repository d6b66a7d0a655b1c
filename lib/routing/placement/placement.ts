/**
 * Which shard owns a key. Hash, distribution, hash tag, byte sign and the shards' names and weights
 * decide, bit for bit as in twemproxy. This is a contract: to change an answer is a breaking
 * change.
 */
import type { Places } from '../places.ts'
import { HashTag } from './hash-tag.ts'
import { type ByteSign, type HashName, type KeyHash, keyHash } from './key-hash.ts'
import {
  buildRing,
  type Distribution,
  ownersAlong,
  type Ring,
  type RingLayout,
  type Server,
} from './ring.ts'

const ASTERISK = 0x2a

/** Hashes are uint32. */
const HASH_MAX = 0xffffffff

/** twemproxy does not call the hash function for the empty key. */
const EMPTY_KEY_HASH = 0

export interface PlacementOptions {
  /** The shards that live, at least one, in any order. */
  readonly servers: readonly Server[]
  readonly hash: HashName
  readonly distribution: Distribution
  /** Two characters of one byte each, or empty for none. */
  readonly hashTag: string
  readonly byteSign: ByteSign
  /** What the distribution `random` draws from, 0 <= x < 1. Default: Math.random. */
  readonly random?: () => number
}

/** Why a key is where it is. */
export interface Explanation {
  /** Index of the shard, in the order of the options; undefined when each request draws another. */
  readonly shard: number | undefined
  /** What was hashed is `key[hashedStart, hashedEnd)`. */
  readonly hashedStart: number
  readonly hashedEnd: number
  /** A uint32 that stands for the key in reports, also where it decides nothing. */
  readonly hash: number
  /**
   * ketama: the value of the point that owns the hash; modula: the slot; undefined when the key
   * decides nothing: one shard, or distribution `random`.
   */
  readonly point: number | undefined
}

export class Placement implements Places {
  readonly placeCount: number
  readonly #ring: Ring
  readonly #hash: KeyHash
  readonly #hashTag: HashTag
  /** With one shard, as with `random`, twemproxy does not look at the key. */
  readonly #keyDecides: boolean

  constructor(options: PlacementOptions) {
    const { servers, distribution } = options
    this.placeCount = servers.length
    this.#ring = buildRing(servers, distribution, options.random)
    this.#hash = keyHash(options.hash, options.byteSign)
    this.#hashTag = new HashTag(options.hashTag)
    this.#keyDecides = servers.length > 1 && distribution !== 'random'
  }

  /** Index of the shard that owns the key `bytes[start, end)`, in the order of the options. */
  shardOf(bytes: Uint8Array, start: number, end: number): number {
    return this.#ring.ownerOf(this.#keyDecides ? this.hashOf(bytes, start, end) : 0)
  }

  /** What decides where the key `bytes[start, end)` lives: the hash of its tag, or of all of it. An int32. */
  hashOf(bytes: Uint8Array, start: number, end: number): number {
    const tag = this.#hashTag
    tag.find(bytes, start, end)
    return this.#hashOf(bytes, tag.start, tag.end)
  }

  /** Index of the shard, in the order of the options, that owns keys of this hash. */
  placeOf(_bytes: Uint8Array, _start: number, _end: number, hash: number): number {
    return this.#ring.ownerOf(hash)
  }

  /**
   * The place of the empty key, so that it moves as seldom as a key does; the first place where
   * each request draws one.
   */
  get keylessPlace(): number {
    return this.#keyDecides ? this.#ring.ownerOf(EMPTY_KEY_HASH) : 0
  }

  /** Defined when the `*` is outside the part that is hashed. */
  placeOfPattern(bytes: Uint8Array, start: number, end: number): number | undefined {
    if (!this.#keyDecides) return this.placeCount === 1 ? 0 : undefined
    const tag = this.#hashTag
    tag.find(bytes, start, end)
    for (let i = tag.start; i < tag.end; i++) if (bytes[i] === ASTERISK) return undefined
    // What replaces the `*` may itself hold a tag, which counts if it comes before this one.
    for (let i = start; i < tag.start; i++) if (bytes[i] === ASTERISK) return undefined
    return this.#ring.ownerOf(this.#hashOf(bytes, tag.start, tag.end))
  }

  /** The shard of a key, and why it is that one: for people. */
  explain(key: Uint8Array): Explanation {
    this.#hashTag.find(key, 0, key.length)
    const { start, end } = this.#hashTag
    const hash = this.#hashOf(key, start, end)
    const part = { hashedStart: start, hashedEnd: end, hash: hash >>> 0 }
    if (this.#keyDecides) {
      return { ...part, shard: this.#ring.ownerOf(hash), point: this.#ring.pointOf(hash) }
    }
    return { ...part, shard: this.placeCount === 1 ? 0 : undefined, point: undefined }
  }

  /** For each shard its share of the hash space, 0 to 1; with ketama the sum of its arcs. */
  shares(): number[] {
    return this.#ring.shares()
  }

  /** Who owns which hashes. With one shard the only one owns all, whatever the distribution. */
  layout(): RingLayout {
    if (this.placeCount > 1) return this.#ring.layout()
    return { kind: 'arcs', ends: Uint32Array.of(HASH_MAX), owners: [0] }
  }

  /** For a picture of the ring: the owners at `count` evenly spaced places. Empty when keys decide nothing. */
  ownersAlong(count: number): number[] {
    return this.#keyDecides ? ownersAlong(this.#ring.layout(), count) : []
  }

  #hashOf(bytes: Uint8Array, start: number, end: number): number {
    return start === end ? EMPTY_KEY_HASH : this.#hash(bytes, start, end)
  }
}

/**
 * Whether this pair puts (nearly) all keys on one shard: crc32 gives 15 bits, a corner of ketama's
 * circle of 32 bits that seldom holds a point. twemproxy does the same, but the operator should know.
 */
export function crowdsOneShard(hash: HashName, distribution: Distribution): boolean {
  return hash === 'crc32' && distribution === 'ketama'
}
