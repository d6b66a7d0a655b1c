/** The ring over a fixed list of shards: each shard is one place. */
import type { Placement } from '../routing/placement/placement.ts'
import type { Topology, TopologyView } from './topology.ts'

export class RingTopology<S> implements Topology<S> {
  readonly placeCount: number
  readonly #placement: Placement
  readonly #shards: readonly S[]

  /** `shards`: in the order in which the placement numbers them. */
  constructor(placement: Placement, shards: readonly S[]) {
    this.#placement = placement
    this.#shards = shards
    this.placeCount = shards.length
  }

  get view(): TopologyView {
    return this.#placement
  }

  shardAt(place: number): S {
    return this.#shards[place] as S
  }

  hashOf(bytes: Uint8Array, start: number, end: number): number {
    return this.#placement.hashOf(bytes, start, end)
  }

  placeOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#placement.placeOf(bytes, start, end, hash)
  }

  get keylessPlace(): number {
    return this.#placement.keylessPlace
  }

  placeOfPattern(bytes: Uint8Array, start: number, end: number): number | undefined {
    return this.#placement.placeOfPattern(bytes, start, end)
  }
}
