/** The places of several pools, those of clusters among them: each request goes the way of its pool. */
import type { RefusalLine } from '../../routing/refusal-line.ts'
import type { RoutedTopology } from '../../topology/routed-topology.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Fragment, Frame } from '../../upstream/backend.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Destination } from '../cluster/redirects.ts'
import type { Order, PlaceSink } from '../cluster/slot-request.ts'
import type { MovingPlaces } from './moving-places.ts'

/** One pool; without `moving` its places stay where they are. */
export interface PoolPlaces {
  readonly topology: Topology<Shard>
  readonly moving: MovingPlaces | undefined
}

export class RoutedPlaces implements MovingPlaces {
  readonly #routed: RoutedTopology<Shard>
  readonly #pools: readonly PoolPlaces[]

  /** `pools`: in the order of the routed topology's parts. */
  constructor(routed: RoutedTopology<Shard>, pools: readonly PoolPlaces[]) {
    this.#routed = routed
    this.#pools = pools
  }

  admits(order: Order, place: number): boolean {
    const part = this.#routed.partAt(place)
    const { moving } = this.#pools[part] as PoolPlaces
    return moving === undefined || moving.admits(order, this.#routed.placeIn(part, place))
  }

  /** 0 for a place that stays where it is. */
  changedAt(place: number): number {
    const part = this.#routed.partAt(place)
    const { moving } = this.#pools[part] as PoolPlaces
    return moving === undefined ? 0 : moving.changedAt(this.#routed.placeIn(part, place))
  }

  onTouch(listener: () => void): () => void {
    const ends = this.#pools.map(({ moving }) => moving?.onTouch(listener))
    return () => {
      for (const end of ends) end?.()
    }
  }

  has(shard: object): boolean {
    return this.#pools.some(({ moving }) => moving?.has(shard))
  }

  get requestTimeoutMs(): number {
    return Math.max(...this.#pools.map(({ moving }) => moving?.requestTimeoutMs ?? 0))
  }

  ownerOf(place: number): Shard | undefined {
    const { topology, moving, own } = this.#at(place)
    return moving === undefined ? topology.shardAt(own) : moving.ownerOf(own)
  }

  refusalIn(bytes: Buffer, start: number, end: number, place: number): RefusalLine | undefined {
    const { moving, own } = this.#at(place)
    return moving?.refusalIn(bytes, start, end, own)
  }

  follow(
    line: RefusalLine,
    place: number,
    from: Shard,
    before: Shard | undefined,
  ): Destination | undefined {
    const { moving, own } = this.#at(place)
    return moving?.follow(line, own, from, before)
  }

  sentAgain(place: number): void {
    const { moving, own } = this.#at(place)
    moving?.sentAgain(own)
  }

  lookAgain(): void {
    for (const { moving } of this.#pools) moving?.lookAgain()
  }

  #at(place: number): PoolPlaces & { readonly own: number } {
    const part = this.#routed.partAt(place)
    const { topology, moving } = this.#pools[part] as PoolPlaces
    return { topology, moving, own: this.#routed.placeIn(part, place) }
  }

  send(
    order: Order,
    lane: Lane,
    frame: Frame,
    place: number,
    sink: PlaceSink,
    ticket: number,
  ): void {
    const part = this.#routed.partAt(place)
    const own = this.#routed.placeIn(part, place)
    const { topology, moving } = this.#pools[part] as PoolPlaces
    if (moving !== undefined) moving.send(order, lane, frame, own, sink, ticket)
    else topology.shardAt(own).send(order.session.id, lane, frame, sink, ticket)
  }

  entrust(
    order: Order,
    lane: Lane,
    frame: Frame,
    place: number,
    sink: PlaceSink,
    ticket: number,
  ): ReplySink | undefined {
    const { moving, own } = this.#at(place)
    return moving === undefined ? sink : moving.entrust(order, lane, frame, own, sink, ticket)
  }

  sendFragment(
    order: Order,
    lane: Lane,
    fragment: Fragment,
    place: number,
    sink: PlaceSink,
    ticket: number,
  ): void {
    const part = this.#routed.partAt(place)
    const own = this.#routed.placeIn(part, place)
    const { topology, moving } = this.#pools[part] as PoolPlaces
    if (moving !== undefined) moving.sendFragment(order, lane, fragment, own, sink, ticket)
    else topology.shardAt(own).sendFragment(order.session.id, lane, fragment, sink, ticket)
  }
}
