/**
 * Requests that have a history: no node takes them at this moment, or one has refused them. Each is an object from
 * then on. Redirects come to an end here, what was refused is sent again within its deadline, and nothing is sent
 * again that may have been executed.
 */
import { type Failure, OVERLOADED } from '../../failures.ts'
import type { ByteCount } from '../../io/outbox.ts'
import type { Turn } from '../../io/turn.ts'
import { KEPT_BYTES_MAX, REDIRECTS_MAX, WAITING_REQUESTS_MAX } from '../../limits.ts'
import type { SlotTopology } from '../../topology/cluster/slot-topology.ts'
import type { Frame } from '../../upstream/backend.ts'
import type { PlacedRequest } from '../../upstream/connection/placed/placed-request.ts'
import type { KeptBytes } from '../../upstream/connection/placed/sent-bytes.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { MovingPlaces } from '../router/moving-places.ts'
import type { RequestHeir } from './node-keeper.ts'
import type { Destination, NodeGuide, Redirects } from './redirects.ts'
import { type QueueOwner, SlotQueues } from './slot-queues.ts'
import { type Order, type PlaceSink, type RequestOwner, SlotRequest } from './slot-request.ts'

export interface TrackedRequestsOptions {
  readonly topology: SlotTopology<Shard>
  readonly redirects: Redirects
  readonly guide: NodeGuide
  readonly turn: Turn
  readonly requestTimeoutMs: number
}

/** Of requests that have ended, kept for the next ones. */
const SPARE_REQUESTS_MAX = 4096

export class TrackedRequests implements RequestOwner, RequestHeir, QueueOwner {
  /** Bytes of all requests without a reply, those included that are no objects. */
  readonly kept: ByteCount = { bytes: 0 }
  requestTimeoutMs: number
  readonly #topology: SlotTopology<Shard>
  readonly #redirects: Redirects
  readonly #guide: NodeGuide
  readonly #turn: Turn
  readonly #queues: SlotQueues
  readonly #spare: SlotRequest[] = []
  /** Sent again and without a reply: their deadlines are earlier than those of connections. */
  readonly #resent = new Set<SlotRequest>()
  #isClosed = false

  constructor(options: TrackedRequestsOptions) {
    this.#topology = options.topology
    this.#redirects = options.redirects
    this.#guide = options.guide
    this.#turn = options.turn
    this.requestTimeoutMs = options.requestTimeoutMs
    this.#queues = new SlotQueues(this, options.turn)
  }

  /** Those that wait, now and so far. */
  get waits(): Pick<SlotQueues, 'length' | 'held' | 'heldMs'> {
    return this.#queues
  }

  /** Sends a request, or lets it wait. The reply, or the failure, goes to `sink` with `ticket`. */
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
    const node = this.#topology.ownerOf(slot)
    const mayGo = node !== undefined && (this.#queues.length === 0 || !request.isAwayFrom(node))
    if (mayGo) request.goFirstTo(node, frame)
    else this.#wait(request)
  }

  /** As `send`, of a request that the caller sends to the owner of the slot: returns where the reply goes. */
  entrust(...sent: Parameters<MovingPlaces['entrust']>): SlotRequest | undefined {
    const request = this.#keep(...sent)
    if (request !== undefined) request.node = this.#topology.ownerOf(request.slot)
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
    if (this.kept.bytes > KEPT_BYTES_MAX) {
      sink.failed(ticket, OVERLOADED)
      return undefined
    }
    const request = this.#spare.pop() ?? new SlotRequest(this)
    const deadlineMs = this.#turn.now() + this.requestTimeoutMs
    request.begin(order, lane, slot, sink, ticket, deadlineMs, order.sent++)
    request.keep(frame)
    this.kept.bytes += request.length
    return request
  }

  /** RequestHeir */
  takeOver(placed: PlacedRequest, bytes: KeptBytes, node: Shard, lane: Lane): SlotRequest {
    const { client, place, sink, ticket, deadlineMs, number } = placed
    const request = this.#spare.pop() ?? new SlotRequest(this)
    // Only requests of a `SlotSender` are handed over.
    request.begin(client as Order, lane, place, sink, ticket, deadlineMs, number)
    request.continueAt(node, bytes)
    this.kept.bytes += request.length
    return request
  }

  /** RequestHeir */
  troubled(node: Shard, { kind }: Failure): void {
    this.#guide.doubt(kind === 'timedOut' ? 'timeout' : 'lost', node)
  }

  /** Slots have other owners. */
  retryAll(): void {
    this.#queues.retryAll()
  }

  /** What no node has fails. */
  close(): void {
    this.#isClosed = true
    for (const request of this.#queues.clear()) request.fail(request.whyUnserved)
  }

  /** RequestOwner */
  refused(request: SlotRequest, bytes: Buffer, start: number, end: number): boolean {
    const { node, nodeBefore, slot } = request
    const line = this.#redirects.refusalIn(bytes, start, end, slot)
    if (line === undefined || node === undefined) return false
    this.#resent.delete(request)
    request.declined = true
    this.#handOverBehind(request, node)
    request.hops = line.kind === 'later' ? 0 : request.hops + 1
    if (request.hops > REDIRECTS_MAX) {
      request.fail(node.errors.declined)
      return true
    }
    const to = this.#redirects.follow(line, slot, node, nodeBefore)
    if (to === undefined) this.#wait(request)
    else this.#hurry(request, to)
    return true
  }

  /** RequestOwner */
  failed(request: SlotRequest, failure: Failure): void {
    const node = request.node
    this.#resent.delete(request)
    if (node !== undefined && failure.kind !== 'overloaded') this.troubled(node, failure)
    if (failure.kind !== 'unavailable') request.fail(failure)
    else {
      if (node !== undefined) this.#handOverBehind(request, node)
      this.#wait(request)
    }
  }

  /** RequestOwner: what the older ones should have found is no longer there. */
  overtook(request: SlotRequest): void {
    for (const older of this.#queues.takeOlder(request)) older.fail(older.whyUnserved)
  }

  /** RequestOwner */
  ended(request: SlotRequest): void {
    this.kept.bytes -= request.length
    if (this.#resent.size > 0) this.#resent.delete(request)
    if (this.#spare.length < SPARE_REQUESTS_MAX) this.#spare.push(request)
  }

  /** QueueOwner */
  tryAgain(request: SlotRequest): boolean {
    if (request.order.session.closed) {
      request.fail(request.whyUnserved)
      return true
    }
    const node = this.#topology.ownerOf(request.slot)
    if (node === undefined || request.isAwayFrom(node)) return false
    // What others have read of the slot while it waited must not be followed by what it may read now.
    this.#topology.touch(request.slot)
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

  /** Others of its client for its slot may be under way there that are no objects yet. */
  #handOverBehind({ order, lane }: SlotRequest, node: Shard): void {
    const { session } = order
    if (!session.closed) node.connectionFor(lane, session.id).handOver()
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
    this.#redirects.counts.resent++
    this.#resent.add(request)
    this.#queues.watch()
  }

  #wait(request: SlotRequest): void {
    const isLate = request.deadlineMs <= this.#turn.now()
    const isFull = this.#queues.length >= WAITING_REQUESTS_MAX
    if (isLate || this.#isClosed || (isFull && request.declined)) request.fail(request.whyUnserved)
    else if (isFull) request.fail(OVERLOADED)
    else {
      this.#topology.touch(request.slot)
      this.#queues.add(request)
    }
  }
}
