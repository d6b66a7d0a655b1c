/** How keys and requests would spread over the shards of a future configuration. */

/** A shard, or the run of a cluster's slots that a shard may have. */
export interface Share {
  readonly name: string
  /** Its places are `[first, first + count)`. */
  readonly first: number
  readonly count: number
}

export interface LoadReport {
  readonly name: string
  /** Keys that requests have named, each as often as it was named. */
  readonly keys: number
  readonly requests: number
}

export class Loads {
  /** By place. */
  readonly #keys: Float64Array
  readonly #requests: Float64Array
  readonly #shares: readonly Share[]
  /** Requests to every shard. */
  #everywhere = 0

  constructor(shares: readonly Share[]) {
    this.#shares = shares
    const placeCount = shares.reduce((sum, { count }) => sum + count, 0)
    this.#keys = new Float64Array(placeCount)
    this.#requests = new Float64Array(placeCount)
  }

  /** Counts a request, or a part of one, with `keys` keys that goes to the place. */
  add(place: number, keys: number): void {
    this.#requests[place] = (this.#requests[place] as number) + 1
    this.#keys[place] = (this.#keys[place] as number) + keys
  }

  addEverywhere(): void {
    this.#everywhere++
  }

  report(): LoadReport[] {
    const sum = (counts: Float64Array, { first, count }: Share): number => {
      return counts.subarray(first, first + count).reduce((total, each) => total + each, 0)
    }
    return this.#shares.map((share) => ({
      name: share.name,
      keys: sum(this.#keys, share),
      requests: sum(this.#requests, share) + this.#everywhere,
    }))
  }
}
