/**
 * Which shards there are and which one owns a key. A static ring now; the dispatcher would not
 * notice a topology that follows Sentinel or Redis Cluster slots.
 */
import type { Explanation } from '../routing/placement/placement.ts'

export interface Topology {
  readonly shardCount: number
  /** Index of the shard that owns the key `bytes[start, end)`. Pure and fast: once per key. */
  shardOf(bytes: Uint8Array, start: number, end: number): number
  /** The uint32 by which the key is placed, and known to operators. */
  hashOf(bytes: Uint8Array, start: number, end: number): number
  /** Index of the shard that owns keys of this hash. `shardOf` is this of `hashOf`. */
  ownerOf(hash: number): number
  /**
   * The shard that owns every key which the pattern can become when its `*` is replaced, or -1
   * when they may live on several.
   */
  shardOfPattern(bytes: Uint8Array, start: number, end: number): number
  /** For people: which shard owns the key, and why. */
  explain(key: Uint8Array): Explanation
  /** By shard: its share of the hash space, 0 to 1. */
  shares(): readonly number[]
  /** For a picture of the ring: the owners at so many evenly spaced places; empty when keys decide nothing. */
  ownersAlong(count: number): readonly number[]
}
