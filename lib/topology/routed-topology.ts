/**
 * Several topologies as one: routes give each key, by its prefix, to one of them or to one of its places.
 * Places are numbered through, so that keys of two pools are simply keys of two places.
 */
import type { Explanation } from '../routing/placement/placement.ts'
import { NO_PREFIX, Prefixes } from '../routing/prefixes.ts'
import type { Topology, TopologyView } from './topology.ts'

/** One of them. */
export interface Part<S> {
  readonly topology: Topology<S>
  /** Its shards at this moment, in the order in which its view numbers them. */
  readonly shards: () => readonly S[]
}

export interface Route {
  readonly prefix: Uint8Array
  /** Index of the part. */
  readonly part: number
  /** In the part; undefined: its own rules decide. */
  readonly place: number | undefined
}

export class RoutedTopology<S> implements Topology<S>, TopologyView {
  readonly placeCount: number
  readonly #parts: readonly Part<S>[]
  readonly #routes: readonly Route[]
  readonly #prefixes: Prefixes
  /** By part: its first place. */
  readonly #firstPlaces: readonly number[]
  /** The key whose hash was asked for last, and its route. */
  #bytes: Uint8Array | undefined
  #start = 0
  #end = 0
  #route = NO_PREFIX

  /** `parts`: the first has the keys without a route. Throws Error when two routes have one prefix. */
  constructor(parts: readonly [Part<S>, ...Part<S>[]], routes: readonly Route[]) {
    this.#parts = parts
    this.#routes = routes
    this.#prefixes = new Prefixes(routes.map(({ prefix }) => prefix))
    let placeCount = 0
    this.#firstPlaces = parts.map(({ topology }) => {
      const first = placeCount
      placeCount += topology.placeCount
      return first
    })
    this.placeCount = placeCount
  }

  get view(): TopologyView {
    return this
  }

  /** Which part has the place. */
  partAt(place: number): number {
    let part = this.#firstPlaces.length - 1
    while (place < (this.#firstPlaces[part] as number)) part--
    return part
  }

  /** The place as its part numbers it. */
  placeIn(part: number, place: number): number {
    return place - (this.#firstPlaces[part] as number)
  }

  /** Which part has the key. */
  partOf(key: Uint8Array): number {
    return this.#partOfRoute(this.#prefixes.longestOf(key, 0, key.length))
  }

  shardAt(place: number): S {
    const part = this.partAt(place)
    return this.#topology(part).shardAt(this.placeIn(part, place))
  }

  hashOf(bytes: Uint8Array, start: number, end: number): number {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
    this.#route = this.#prefixes.longestOf(bytes, start, end)
    return this.#topology(this.#partOfRoute(this.#route)).hashOf(bytes, start, end)
  }

  placeOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const isKnown = bytes === this.#bytes && start === this.#start && end === this.#end
    const route = isKnown ? this.#route : this.#prefixes.longestOf(bytes, start, end)
    const part = this.#partOfRoute(route)
    const fixed = this.#routes[route]?.place
    const place = fixed ?? this.#topology(part).placeOf(bytes, start, end, hash)
    return (this.#firstPlaces[part] as number) + place
  }

  /** The keyless place of the first part, which exists without routes as well. */
  get keylessPlace(): number {
    return this.#topology(0).keylessPlace
  }

  placeOfPattern(bytes: Uint8Array, start: number, end: number): number | undefined {
    const star = bytes.subarray(start, end).indexOf('*'.charCodeAt(0))
    const fixedEnd = star < 0 ? end : start + star
    if (star >= 0 && !this.#prefixes.isDecidedBy(bytes, start, fixedEnd)) return undefined
    const route = this.#prefixes.longestOf(bytes, start, fixedEnd)
    const part = this.#partOfRoute(route)
    const fixed = this.#routes[route]?.place
    const place = fixed ?? this.#topology(part).placeOfPattern(bytes, start, end)
    return place === undefined ? undefined : (this.#firstPlaces[part] as number) + place
  }

  explain(key: Uint8Array): Explanation {
    const route = this.#prefixes.longestOf(key, 0, key.length)
    const part = this.#partOfRoute(route)
    const explanation = this.#topology(part).view.explain(key)
    const shard = this.#routes[route]?.place ?? explanation.shard
    const before = this.#parts.slice(0, part).reduce((sum, { shards }) => sum + shards().length, 0)
    return { ...explanation, shard: shard === undefined ? undefined : before + shard }
  }

  /** The shares within each part. How many keys routes take away from a part is unknown. */
  shares(): number[] {
    return this.#parts.flatMap(({ topology }) => topology.view.shares())
  }

  /** The picture of the first part. */
  ownersAlong(count: number): readonly number[] {
    return this.#topology(0).view.ownersAlong(count)
  }

  #topology(part: number): Topology<S> {
    return (this.#parts[part] as Part<S>).topology
  }

  #partOfRoute(route: number): number {
    return this.#routes[route]?.part ?? 0
  }
}
