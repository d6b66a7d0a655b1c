/**
 * Who owns a key: which places there are, and which shard has each now. The ring of a static list and
 * the slots of a Redis Cluster are two topologies; the dispatcher sees no difference.
 */

import type { Explanation } from '../routing/placement/placement.ts'
import type { Places } from '../routing/places.ts'

/** `S`: a shard, whatever that is to the caller. */
export interface Topology<S> extends Places {
  /** The shard that has this place now. */
  shardAt(place: number): S
  /** For people and their pages. */
  readonly view: TopologyView
}

/** A topology for people. Shards are named by their index in the configuration. */
export interface TopologyView {
  /** Which shard owns the key, and why. */
  explain(key: Uint8Array): Explanation
  /** By shard: its share of the hash space, 0 to 1. */
  shares(): readonly number[]
  /** For a picture of the ring: the owners at `count` evenly spaced points. Empty when keys decide nothing. */
  ownersAlong(count: number): readonly number[]
}
