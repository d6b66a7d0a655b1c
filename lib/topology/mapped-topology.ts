/** A topology over what stands before each shard of another topology. */
import type { Topology, TopologyView } from './topology.ts'

export class MappedTopology<S, T> implements Topology<T> {
  readonly #topology: Topology<S>
  readonly #of: (shard: S) => T

  /** `of` gives the same for the same shard. */
  constructor(topology: Topology<S>, of: (shard: S) => T) {
    this.#topology = topology
    this.#of = of
  }

  get placeCount(): number {
    return this.#topology.placeCount
  }

  get keylessPlace(): number {
    return this.#topology.keylessPlace
  }

  get view(): TopologyView {
    return this.#topology.view
  }

  shardAt(place: number): T {
    return this.#of(this.#topology.shardAt(place))
  }

  hashOf(bytes: Uint8Array, start: number, end: number): number {
    return this.#topology.hashOf(bytes, start, end)
  }

  placeOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#topology.placeOf(bytes, start, end, hash)
  }

  placeOfPattern(bytes: Uint8Array, start: number, end: number): number | undefined {
    return this.#topology.placeOfPattern(bytes, start, end)
  }
}
