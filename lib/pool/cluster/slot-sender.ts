/**
 * Sends requests to the owners of their slots. As a rule a request is an entry in the FIFO of a connection to its
 * node and nothing else, and the connection keeps its bytes; what has a history is tracked elsewhere. The order of
 * one client's requests for one slot is kept: see [decision 18](../../../docs/decisions/0018-redirects-and-order.md).
 */

import type { Outbox } from '../../io/outbox.ts'
import type { Turn } from '../../io/turn.ts'
import { KEPT_BYTES_MAX } from '../../limits.ts'
import type { RefusalLine } from '../../routing/refusal-line.ts'
import type { SlotTopology } from '../../topology/cluster/slot-topology.ts'
import type { Fragment, Frame, Parts } from '../../upstream/backend.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import { type RowsSink, Runs } from '../../upstream/connection/placed/runs.ts'
import { appendFrame, encodeFragment, encodeOne } from '../../upstream/fragment.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { MovingPlaces } from '../router/moving-places.ts'
import { FrameBuilder } from './frame-builder.ts'
import { NodeKeeper } from './node-keeper.ts'
import { type Destination, type NodeGuide, Redirects } from './redirects.ts'
import type { SlotQueues } from './slot-queues.ts'
import type { Order, PlaceSink } from './slot-request.ts'
import { TrackedRequests } from './tracked-requests.ts'

export interface SlotSenderOptions {
  readonly topology: SlotTopology<Shard>
  readonly guide: NodeGuide
  readonly turn: Turn
  readonly requestTimeoutMs: number
}

export class SlotSender implements MovingPlaces {
  readonly redirects: Redirects
  readonly topology: SlotTopology<Shard>
  readonly #guide: NodeGuide
  readonly #tracked: TrackedRequests
  readonly #fragment = new FrameBuilder()

  constructor(options: SlotSenderOptions) {
    const { topology, guide } = options
    this.topology = topology
    this.redirects = new Redirects(topology, guide)
    this.#guide = guide
    this.#tracked = new TrackedRequests({ ...options, redirects: this.redirects })
  }

  /** From now on requests may take so long. */
  allow(requestTimeoutMs: number): void {
    this.#tracked.requestTimeoutMs = requestTimeoutMs
  }

  /** Requests that wait for the owners of their slots, now and so far. */
  get waits(): Pick<SlotQueues, 'length' | 'held' | 'heldMs'> {
    return this.#tracked.waits
  }

  /**
   * Whether a request for the slot keeps its place behind the client's earlier ones if it is sent now. If
   * not, it must wait until they have their replies: one of them may still come to another node. Asked
   * before the request counts as in flight.
   */
  admits(order: Order, slot: number): boolean {
    // Nearly always nothing has changed at all.
    if (order.quietAt === this.topology.epoch) return true
    if (order.session.inFlight > 0) return this.topology.changedAt(slot) <= order.quietAt
    // What the client has been answered is past.
    order.quietAt = this.topology.epoch
    return true
  }

  /** MovingPlaces */
  changedAt(slot: number): number {
    return this.topology.changedAt(slot)
  }

  /** MovingPlaces */
  onTouch(listener: () => void): () => void {
    return this.topology.onTouch(listener)
  }

  /** MovingPlaces */
  has(shard: object): boolean {
    return this.topology.has(shard)
  }

  /** MovingPlaces */
  get requestTimeoutMs(): number {
    return this.#tracked.requestTimeoutMs
  }

  /** MovingPlaces */
  ownerOf(slot: number): Shard | undefined {
    return this.topology.ownerOf(slot)
  }

  /** MovingPlaces */
  refusalIn(bytes: Buffer, start: number, end: number, slot: number): RefusalLine | undefined {
    return this.redirects.refusalIn(bytes, start, end, slot)
  }

  /** MovingPlaces */
  follow(
    line: RefusalLine,
    slot: number,
    from: Shard,
    before: Shard | undefined,
  ): Destination | undefined {
    return this.redirects.follow(line, slot, from, before)
  }

  /** MovingPlaces */
  sentAgain(): void {
    this.redirects.counts.resent++
  }

  /** MovingPlaces */
  lookAgain(): void {
    this.#guide.lookAgain()
  }

  /** MovingPlaces */
  send(
    order: Order,
    lane: Lane,
    frame: Frame,
    slot: number,
    sink: PlaceSink,
    ticket: number,
  ): void {
    const outbox = this.#enter(order, lane, slot, sink, ticket)
    if (outbox !== undefined) appendFrame(outbox, frame)
    else this.#tracked.send(order, lane, frame, slot, sink, ticket)
  }

  /** MovingPlaces */
  entrust(...sent: Parameters<MovingPlaces['entrust']>): ReplySink | undefined {
    return this.#tracked.entrust(...sent)
  }

  /** MovingPlaces */
  sendFragment(
    order: Order,
    lane: Lane,
    fragment: Fragment,
    slot: number,
    sink: PlaceSink,
    ticket: number,
  ): void {
    const outbox = this.#enter(order, lane, slot, sink, ticket)
    if (outbox !== undefined) {
      encodeFragment(outbox, fragment)
      return
    }
    const builder = this.#fragment
    builder.begin()
    encodeFragment(builder, fragment)
    this.#tracked.send(order, lane, builder, slot, sink, ticket)
  }

  /** Enters a request for the owner of the slot, who gets its bytes next; undefined: it must be kept here. */
  #enter(
    order: Order,
    lane: Lane,
    slot: number,
    sink: PlaceSink,
    ticket: number,
  ): Outbox | undefined {
    const node = this.topology.ownerOf(slot)
    if (node === undefined || this.#isFull) return undefined
    return this.#connectionTo(node, order, lane).enterPlaced(order, slot, sink, ticket)
  }

  get #isFull(): boolean {
    return this.#tracked.kept.bytes > KEPT_BYTES_MAX
  }

  #connectionTo(node: Shard, order: Order, lane: Lane): ShardConnection {
    const connection = node.connectionFor(lane, order.session.id)
    if (!connection.isKept) {
      connection.keepFor(new NodeKeeper(this.#tracked, node, lane), this.#tracked.kept)
    }
    return connection
  }

  /** MovingPlaces: those of one key, and of one node, are entered there as one. */
  sendParts(order: Order, lane: Lane, parts: Parts, sink: RowsSink): void {
    const runs = new Runs(parts, (slot) => this.topology.ownerOf(slot))
    sink.expectRows(runs.runOf)
    for (let number = 0; number < runs.servers.length; number++) {
      const isSent = !this.#isFull && this.#sendRun(order, lane, parts, runs, number, sink)
      // What no node takes is kept part by part.
      if (!isSent) runs.dissolve(number)
    }
    for (let part = 0; part < runs.runOf.length; part++) {
      if ((runs.runOf[part] as number) < 0) this.#sendPart(order, lane, parts, part, sink)
    }
  }

  /** Returns whether the node takes it. */
  #sendRun(
    order: Order,
    lane: Lane,
    parts: Parts,
    runs: Runs<Shard>,
    number: number,
    sink: RowsSink,
  ): boolean {
    const from = runs.starts[number] as number
    const to = runs.starts[number + 1] as number
    const connection = this.#connectionTo(runs.servers[number] as Shard, order, lane)
    parts.about(runs.parts.partAt(from))
    const outbox = connection.enterRun(order, runs.run(number, sink))
    if (outbox === undefined) return false
    const { request, stride, firstKeys, opening } = parts
    let end = 0
    for (let at = from; at < to; at++) {
      const key = firstKeys[runs.parts.partAt(at)] as number
      end += encodeOne(outbox, request, stride, key, opening)
      runs.parts.putEnd(at, end)
    }
    return true
  }

  #sendPart(order: Order, lane: Lane, parts: Parts, part: number, sink: RowsSink): void {
    parts.about(part)
    const { request, stride, groupOf, opening } = parts
    const keyCount = parts.counts[part] as number
    const firstKey = parts.firstKeys[part] as number
    const fragment = { request, stride, groupOf, index: part, keyCount, firstKey, opening }
    this.sendFragment(order, lane, fragment, parts.places[part] as number, sink, part)
  }

  /** Slots have other owners. */
  mapChanged(): void {
    this.#tracked.retryAll()
  }

  /** After the nodes: what they have not been sent fails here. */
  close(): void {
    this.#tracked.close()
  }
}
