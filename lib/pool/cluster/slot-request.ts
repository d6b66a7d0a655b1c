/**
 * One request on its way through a cluster that no node takes, or that was under way when one refused it or another,
 * until its reply. It stands between the connection and the receiver of the reply: redirects end here. Its bytes
 * are kept until then, since a node that refuses it has not executed it, and another will be sent the same.
 */
import { type Failure, NOT_SERVED } from '../../failures.ts'
import { LARGE_BYTES } from '../../io/outbox.ts'
import { shelve } from '../../io/shelf.ts'
import { MINUS } from '../../resp/bytes.ts'
import type { KeptMemory } from '../../resp/request.ts'
import type { Frame } from '../../upstream/backend.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { PlacedClient } from '../../upstream/connection/placed/placed-request.ts'
import type { KeptBytes } from '../../upstream/connection/placed/sent-bytes.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'

/** Decides what becomes of a request that has no reply yet. */
export interface RequestOwner {
  /** The error `bytes[start, end)` came. False: it is the reply. */
  refused(request: SlotRequest, bytes: Buffer, start: number, end: number): boolean
  /** It will get no reply from where it is. */
  failed(request: SlotRequest, failure: Failure): void
  /** It has its reply, or the beginning of it, though an older one of its client waits. */
  overtook(request: SlotRequest): void
  /** It is not needed any more. */
  ended(request: SlotRequest): void
}

/** Receives the reply to a request for a place that moves. */
export interface PlaceSink extends ReplySink {
  /**
   * The request is about to be sent again, over this connection: what it needs at that node, such as its
   * script, goes there first.
   */
  prepare?(connection: ShardConnection): void
}

/** A client's session, as far as order is concerned. */
export interface OrderedSession {
  readonly id: number
  /** Requests without a reply, of every kind. */
  readonly inFlight: number
  readonly closed: boolean
  /** Bytes that are kept for it elsewhere, counted as its memory. */
  keptBytes: number
}

/** What is remembered of one client so that its requests keep their order. */
export class Order implements PlacedClient {
  readonly session: OrderedSession
  /** The epoch of the topology in which it last had nothing in flight. */
  quietAt = 0
  /** The newest of its requests under way; each knows the one before it. */
  newest: SlotRequest | undefined
  /** How many of them wait for the owners of their slots. */
  waiting = 0
  /** PlacedClient */
  sent = 0

  constructor(session: OrderedSession) {
    this.session = session
  }
}

const NOTHING = Buffer.alloc(0)

export class SlotRequest implements ReplySink, Frame {
  /** Frame: its bytes, kept. */
  bytes: Buffer = NOTHING
  frameStart = 0
  frameEnd = 0
  owned = false
  /** Frame: what they lie in, which a connection that still reads them keeps as well. */
  memory: KeptMemory | undefined
  order!: Order
  lane!: Lane
  slot = 0
  deadlineMs = 0
  /** Of two requests of one client the later has the higher one. */
  number = 0
  /** Where it is, or was last. */
  node: Shard | undefined
  /** Where it was before that. */
  nodeBefore: Shard | undefined
  /** Redirects in a row. */
  hops = 0
  /** How often it has waited. */
  waits = 0
  /** A node has said that it does not execute it. */
  declined = false
  /** It waits here, and no connection has it. */
  isWaiting = false
  /** Since when, the turn's clock. */
  waitsSinceMs = 0
  /** The receiver has its answer already: a later reply is dropped. */
  #isOver = false
  /** Of the client's requests under way the one before and the one behind it. */
  older: SlotRequest | undefined
  newer: SlotRequest | undefined
  readonly #owner: RequestOwner
  #sink!: PlaceSink
  #ticket = 0
  #hasBegun = false

  constructor(owner: RequestOwner) {
    this.#owner = owner
  }

  begin(
    order: Order,
    lane: Lane,
    slot: number,
    sink: PlaceSink,
    ticket: number,
    deadlineMs: number,
    number: number,
  ): void {
    this.order = order
    this.lane = lane
    this.slot = slot
    this.#sink = sink
    this.#ticket = ticket
    this.deadlineMs = deadlineMs
    this.number = number
    // As a rule it is the newest.
    let newer: SlotRequest | undefined
    let older = order.newest
    while (older !== undefined && older.number > number) {
      newer = older
      older = older.older
    }
    this.older = older
    this.newer = newer
    if (older !== undefined) older.newer = this
    if (newer !== undefined) newer.older = this
    else order.newest = this
  }

  /** Keeps the frame. */
  keep(frame: Frame): void {
    const { bytes, frameStart, frameEnd, owned, memory } = frame
    if (owned || memory !== undefined) {
      memory?.keep()
      this.#hold({ bytes, start: frameStart, end: frameEnd, memory })
      return
    }
    const { chunk, start, end } = shelve(bytes, frameStart, frameEnd)
    this.#hold({ bytes: chunk.bytes, start, end, memory: chunk })
  }

  #hold({ bytes, start, end, memory }: KeptBytes): void {
    this.bytes = bytes
    this.frameStart = start
    this.frameEnd = end
    this.memory = memory
    this.owned = memory === undefined
    this.order.session.keptBytes += this.length
  }

  /** Sends it for the first time: what is large by reference, and of what is small the frame, which is at hand. */
  goFirstTo(node: Shard, frame: Frame): void {
    this.goTo(node, this.length >= LARGE_BYTES ? this : frame)
  }

  /** It has been sent to the node, with these bytes, which are its own now. */
  continueAt(node: Shard, bytes: KeptBytes): void {
    this.node = node
    this.#hold(bytes)
  }

  /** Sends it again. */
  goAgainTo(node: Shard): void {
    this.#prepare(node)
    this.goTo(node, this)
  }

  /** Sends it. */
  goTo(node: Shard, frame: Frame): void {
    if (node !== this.node) {
      this.nodeBefore = this.node
      this.node = node
    }
    node.send(this.order.session.id, this.lane, frame, this, 0)
  }

  /** Sends it again, to a node that does not own its slot yet. */
  goAsking(node: Shard): void {
    this.#prepare(node)
    this.nodeBefore = this.node
    this.node = node
    const bytes = this.bytes.subarray(this.frameStart, this.frameEnd)
    node.sendAsking(this.order.session.id, this.lane, bytes, this, 0)
  }

  #prepare(node: Shard): void {
    const { lane, order } = this
    this.#sink.prepare?.(node.connectionFor(lane, order.session.id))
  }

  /** ReplySink */
  reply(_ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.#isOver) {
      if (last) this.#end()
      return
    }
    const begins = !this.#hasBegun
    if (begins && bytes[start] === MINUS && this.#owner.refused(this, bytes, start, end)) return
    this.#hasBegun = true
    if (begins && this.order.waiting > 0) this.#owner.overtook(this)
    const sink = this.#sink
    const ticket = this.#ticket
    if (last) this.#end()
    sink.reply(ticket, bytes, start, end, last)
  }

  /** ReplySink */
  failed(_ticket: number, failure: Failure): void {
    if (this.#isOver) this.#end()
    else if (this.#hasBegun) this.fail(failure)
    else this.#owner.failed(this, failure)
  }

  /** Tells the receiver that there will be no reply. No connection has the request. */
  fail(failure: Failure): void {
    const sink = this.#sink
    const ticket = this.#ticket
    this.#end()
    sink.failed(ticket, failure)
  }

  /** As `fail`, while a connection still holds it. */
  giveUp(failure: Failure): void {
    this.#isOver = true
    this.#sink.failed(this.#ticket, failure)
  }

  /** Whether a newer request of its client for its slot has been sent and has no reply yet. */
  get isFollowed(): boolean {
    for (let other = this.newer; other !== undefined; other = other.newer) {
      if (this.#isForSlotOf(other) && !other.isWaiting && !other.#isOver) return true
    }
    return false
  }

  /** Whether an older request of its client for its slot waits: it must not be overtaken. */
  get isHeldUp(): boolean {
    for (let other = this.older; other !== undefined; other = other.older) {
      if (other.isWaiting && this.#isForSlotOf(other)) return true
    }
    return false
  }

  /** Both are for one slot of one cluster: a client may have requests under way to several. */
  #isForSlotOf(other: SlotRequest): boolean {
    return other.slot === this.slot && other.#owner === this.#owner
  }

  /** The node would refuse it at once, unsent. */
  isAwayFrom(node: Shard): boolean {
    return node.isAway(this.lane, this.order.session.id)
  }

  /** The failure for a request that could not be sent in time, or not in its order. */
  get whyUnserved(): Failure {
    const { node, declined } = this
    if (node === undefined) return NOT_SERVED
    return declined ? node.errors.declined : node.errors.unavailable
  }

  get length(): number {
    return this.frameEnd - this.frameStart
  }

  #end(): void {
    const { older, newer, order } = this
    if (older !== undefined) older.newer = newer
    if (newer !== undefined) newer.older = older
    else order.newest = older
    this.older = undefined
    this.newer = undefined
    this.#owner.ended(this)
    order.session.keptBytes -= this.length
    this.memory?.letGo()
    this.memory = undefined
    this.bytes = NOTHING
    this.frameStart = 0
    this.frameEnd = 0
    this.owned = false
    this.node = undefined
    this.nodeBefore = undefined
    this.hops = 0
    this.waits = 0
    this.declined = false
    this.#hasBegun = false
    this.#isOver = false
  }
}
