/**
 * Sends requests to places that move while requests are under way, as the slots of a cluster do. Where no
 * place moves there is none of it, and requests go straight to their shards.
 */
import type { RefusalLine } from '../../routing/refusal-line.ts'
import type { Fragment, Frame, Parts } from '../../upstream/backend.ts'
import type { RowsSink } from '../../upstream/connection/placed/runs.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Destination } from '../cluster/redirects.ts'
import type { Order, PlaceSink } from '../cluster/slot-request.ts'

/** Where requests for places that move are sent. */
export interface PlaceSending {
  /** The reply, or the failure, goes to `sink` with `ticket`; a failure perhaps within the call. */
  send(order: Order, lane: Lane, frame: Frame, place: number, sink: PlaceSink, ticket: number): void
  sendFragment(
    order: Order,
    lane: Lane,
    fragment: Fragment,
    place: number,
    sink: PlaceSink,
    ticket: number,
  ): void
  /** As `sendFragment`, of all parts at once, each of which is answered with an array; undefined: there is no such way. */
  sendParts?(order: Order, lane: Lane, parts: Parts, sink: RowsSink): void
}

export interface MovingPlaces extends PlaceSending {
  /**
   * Whether a request for the place keeps its order behind the client's earlier ones if it is sent now; if
   * not, it must wait until they have their replies.
   */
  admits(order: Order, place: number): boolean
  /** Another number whenever something has happened to the place: see `Way.changedAt` of the near-cache. */
  changedAt(place: number): number
  /** Calls back whenever something has happened to some of them, until the returned function is called. */
  onTouch(listener: () => void): () => void
  /** Whether the shard has places of these: another may take its place. */
  has(shard: object): boolean
  /** How long a request may take, from its arrival, milliseconds. */
  readonly requestTimeoutMs: number
  /** Undefined while nobody serves the place. */
  ownerOf(place: number): Shard | undefined
  /** Undefined: the error is the shard's answer. Otherwise the request, for the place, was not executed. */
  refusalIn(bytes: Buffer, start: number, end: number, place: number): RefusalLine | undefined
  /** Where a request for the place goes at once that `from` has refused; undefined: it has to wait. */
  follow(
    line: RefusalLine,
    place: number,
    from: Shard,
    before: Shard | undefined,
  ): Destination | undefined
  /** Counts a request for the place that is sent again. */
  sentAgain(place: number): void
  /** There is a sign that what is known of the places is old. */
  lookAgain(): void
  /**
   * As `send`, of a request that the caller sends to the owner of the place: returns where the reply goes,
   * or undefined after a failure.
   */
  entrust(
    order: Order,
    lane: Lane,
    frame: Frame,
    place: number,
    sink: PlaceSink,
    ticket: number,
  ): ReplySink | undefined
}
