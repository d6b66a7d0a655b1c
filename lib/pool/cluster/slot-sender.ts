/**
 * Sends requests to the owners of their slots and follows what nodes say about it: redirects come to an end
 * here, a request that was refused is sent again within its deadline, and nothing is sent again that may
 * have been executed. The order of one client's requests for one slot is kept: see
 * [decision 18](../../../docs/decisions/0018-redirects-and-order.md).
 */
import { type Failure, OVERLOADED } from '../../failures.ts'
import type { Turn } from '../../io/turn.ts'
import { KEPT_BYTES_MAX, REDIRECTS_MAX, WAITING_REQUESTS_MAX } from '../../limits.ts'
import type { RefusalLine } from '../../routing/refusal-line.ts'
import type { SlotTopology } from '../../topology/cluster/slot-topology.ts'
import type { Fragment, Frame } from '../../upstream/backend.ts'
import { encodeFragment } from '../../upstream/fragment.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { MovingPlaces } from '../router/moving-places.ts'
import { FrameBuilder } from './frame-builder.ts'
import { type Destination, type NodeGuide, Redirects } from './redirects.ts'
import { type QueueOwner, SlotQueues } from './slot-queues.ts'
import { type Order, type PlaceSink, type RequestOwner, SlotRequest } from './slot-request.ts'

export interface SlotSenderOptions {
  readonly topology: SlotTopology<Shard>
  readonly guide: NodeGuide
  readonly turn: Turn
  readonly requestTimeoutMs: number
}

/** Of requests that have ended, kept for the next ones. */
const SPARE_REQUESTS_MAX = 4096

export class SlotSender implements MovingPlaces, RequestOwner, QueueOwner {
  readonly redirects: Redirects
  readonly topology: SlotTopology<Shard>
  readonly #guide: NodeGuide
  readonly #turn: Turn
  readonly #queues: SlotQueues
  readonly #fragment = new FrameBuilder()
  readonly #spare: SlotRequest[] = []
  /** Sent again and without a reply: their deadlines are earlier than those of connections. */
  readonly #resent = new Set<SlotRequest>()
  #requestTimeoutMs: number
  #keptBytes = 0
  #isClosed = false

  constructor({ topology, guide, turn, requestTimeoutMs }: SlotSenderOptions) {
    this.topology = topology
    this.redirects = new Redirects(topology, guide)
    this.#guide = guide
    this.#turn = turn
    this.#requestTimeoutMs = requestTimeoutMs
    this.#queues = new SlotQueues(this, turn)
  }

  /** From now on requests may take so long. */
  allow(requestTimeoutMs: number): void {
    this.#requestTimeoutMs = requestTimeoutMs
  }

  /** Requests that wait for the owners of their slots, now and so far. */
  get waits(): Pick<SlotQueues, 'length' | 'held' | 'heldMs'> {
    return this.#queues
  }

  /**
   * Whether a request for the slot keeps its place behind the client's earlier ones if it is sent now. If
   * not, it must wait until they have their replies: one of them may still come to another node. Asked
   * before the request counts as in flight.
   */
  admits(order: Order, slot: number): boolean {
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
  has(shard: object): boolean {
    return this.topology.has(shard)
  }

  /** MovingPlaces */
  get requestTimeoutMs(): number {
    return this.#requestTimeoutMs
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

  /** The reply, or the failure, goes to `sink` with `ticket`; a failure perhaps within the call. */
  send(
    order: Order,
    lane: Lane,
    frame: Frame,
    slot: number,
    sink: PlaceSink,
    ticket: number,
  ): void {
    const request = this.#keep(order, lane, frame, slot, sink, ticket)
    if (request === undefined) return
    const node = this.topology.ownerOf(slot)
    const mayGo = node !== undefined && (this.#queues.length === 0 || !request.isAwayFrom(node))
    if (mayGo) request.goFirstTo(node, frame)
    else this.#wait(request)
  }

  /** MovingPlaces */
  entrust(...sent: Parameters<MovingPlaces['entrust']>): ReplySink | undefined {
    const request = this.#keep(...sent)
    if (request !== undefined) request.node = this.topology.ownerOf(request.slot)
    return request
  }

  /** Undefined: there is no room for it, and the receiver knows. */
  #keep(
    order: Order,
    lane: Lane,
    frame: Frame,
    slot: number,
    sink: PlaceSink,
    ticket: number,
  ): SlotRequest | undefined {
    if (this.#keptBytes > KEPT_BYTES_MAX) {
      sink.failed(ticket, OVERLOADED)
      return undefined
    }
    const request = this.#spare.pop() ?? new SlotRequest(this)
    request.begin(order, lane, slot, sink, ticket, this.#turn.now() + this.#requestTimeoutMs)
    request.keep(frame)
    this.#keptBytes += request.length
    return request
  }

  sendFragment(
    order: Order,
    lane: Lane,
    fragment: Fragment,
    slot: number,
    sink: PlaceSink,
    ticket: number,
  ): void {
    const builder = this.#fragment
    builder.begin()
    encodeFragment(builder, fragment)
    this.send(order, lane, builder, slot, sink, ticket)
  }

  /** Slots have other owners. */
  mapChanged(): void {
    this.#queues.retryAll()
  }

  /** After the nodes: what they have not been sent fails here. */
  close(): void {
    this.#isClosed = true
    for (const request of this.#queues.clear()) request.fail(request.whyUnserved)
  }

  /** RequestOwner */
  refused(request: SlotRequest, bytes: Buffer, start: number, end: number): boolean {
    const { node, nodeBefore, slot } = request
    const line = this.redirects.refusalIn(bytes, start, end, slot)
    if (line === undefined || node === undefined) return false
    this.#resent.delete(request)
    request.declined = true
    request.hops = line.kind === 'later' ? 0 : request.hops + 1
    if (request.hops > REDIRECTS_MAX) {
      request.fail(node.errors.declined)
      return true
    }
    const to = this.redirects.follow(line, slot, node, nodeBefore)
    if (to === undefined) this.#wait(request)
    else this.#hurry(request, to)
    return true
  }

  /** RequestOwner */
  failed(request: SlotRequest, failure: Failure): void {
    const node = request.node
    this.#resent.delete(request)
    if (node !== undefined && failure.kind !== 'overloaded') {
      this.#guide.doubt(failure.kind === 'timedOut' ? 'timeout' : 'lost', node)
    }
    if (failure.kind !== 'unavailable') request.fail(failure)
    else this.#wait(request)
  }

  /** RequestOwner: what the older ones should have found is no longer there. */
  overtook(request: SlotRequest): void {
    for (const older of this.#queues.takeOlder(request)) older.fail(older.whyUnserved)
  }

  /** RequestOwner */
  ended(request: SlotRequest): void {
    this.#keptBytes -= request.length
    if (this.#resent.size > 0) this.#resent.delete(request)
    if (this.#spare.length < SPARE_REQUESTS_MAX) this.#spare.push(request)
  }

  /** QueueOwner */
  tryAgain(request: SlotRequest): boolean {
    if (request.order.session.closed) {
      request.fail(request.whyUnserved)
      return true
    }
    const node = this.topology.ownerOf(request.slot)
    if (node === undefined || request.isAwayFrom(node)) return false
    // What others have read of the slot while it waited must not be followed by what it may read now.
    this.topology.touch(request.slot)
    this.#sendAgain(request)
    request.goAgainTo(node)
    return true
  }

  /** QueueOwner */
  expired(request: SlotRequest): void {
    request.fail(request.whyUnserved)
  }

  /** QueueOwner */
  get isBusy(): boolean {
    return this.#resent.size > 0
  }

  /** QueueOwner */
  tick(nowMs: number): void {
    for (const request of this.#resent) {
      if (request.deadlineMs > nowMs) continue
      this.#resent.delete(request)
      const { node } = request
      if (node !== undefined) request.giveUp(node.errors.timedOut)
    }
  }

  /** Sends it again at once, unless an older one of its client waits for the same slot. */
  #hurry(request: SlotRequest, { node, asking }: Destination): void {
    const { order } = request
    if (order.session.closed) request.fail(request.whyUnserved)
    else if (order.waiting > 0 && request.isHeldUp) this.#wait(request)
    else {
      this.#sendAgain(request)
      if (asking) request.goAsking(node)
      else request.goAgainTo(node)
    }
  }

  #sendAgain(request: SlotRequest): void {
    this.redirects.counts.resent++
    this.#resent.add(request)
    this.#queues.watch()
  }

  #wait(request: SlotRequest): void {
    const isLate = request.deadlineMs <= this.#turn.now()
    const isFull = this.#queues.length >= WAITING_REQUESTS_MAX
    if (isLate || this.#isClosed || (isFull && request.declined)) request.fail(request.whyUnserved)
    else if (isFull) request.fail(OVERLOADED)
    else {
      this.topology.touch(request.slot)
      this.#queues.add(request)
    }
  }
}
