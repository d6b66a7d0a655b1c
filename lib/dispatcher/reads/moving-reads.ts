/**
 * Reads of the slots of a cluster: takes the place of what sends to places that move, and has each read go to a
 * replica of its slot's owner, as `readFrom` says, or to the owner. See docs/replicas.md.
 */
import { SLOT_SETTLES_MS } from '../../limits.ts'
import type { Order, PlaceSink } from '../../pool/cluster/slot-request.ts'
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import type { RefusalLine } from '../../routing/refusal-line.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Fragment, Frame } from '../../upstream/backend.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { MovingRead } from '../../upstream/replicas/pending-read.ts'
import { keptFragment, type Reader, type ReadingNow } from '../../upstream/replicas/reader.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'

export interface MovingReadsOptions {
  readonly moving: MovingPlaces
  readonly topology: Topology<Shard>
  /** Undefined: its replicas are not read from. */
  readonly readerOf: (shard: Shard) => Reader | undefined
  readonly now: ReadingNow
  /** The turn's clock. */
  readonly nowMs: () => number
}

/** When something has happened to each place, as far as reads have noticed. */
class Touches {
  readonly #moving: MovingPlaces
  readonly #nowMs: () => number
  /** By place: the number that `changedAt` had when it was looked at last. */
  readonly #changedAt: Float64Array
  /** By place: not before it was touched, the turn's clock. */
  readonly #touchedMs: Float64Array

  constructor({ moving, topology, nowMs }: MovingReadsOptions) {
    this.#moving = moving
    this.#nowMs = nowMs
    this.#changedAt = new Float64Array(topology.placeCount)
    this.#touchedMs = new Float64Array(topology.placeCount)
  }

  touchedMs(place: number): number {
    const changedAt = this.#moving.changedAt(place)
    if (changedAt !== this.#changedAt[place]) {
      this.#changedAt[place] = changedAt
      this.#touchedMs[place] = this.#nowMs()
    }
    return this.#touchedMs[place] as number
  }
}

/** Everything but `send` and `sendFragment` is as `moving` has it. */
export class MovingReads implements MovingPlaces {
  readonly #options: MovingReadsOptions
  readonly #moving: MovingPlaces
  readonly #touches: Touches

  constructor(options: MovingReadsOptions) {
    this.#options = options
    this.#moving = options.moving
    this.#touches = new Touches(options)
  }

  send(
    order: Order,
    lane: Lane,
    frame: Frame,
    place: number,
    sink: PlaceSink,
    ticket: number,
  ): void {
    this.#read(order, lane, frame, place, sink, ticket, this.#options.now.keyCount)
  }

  sendFragment(
    order: Order,
    lane: Lane,
    fragment: Fragment,
    place: number,
    sink: PlaceSink,
    ticket: number,
  ): void {
    this.#read(order, lane, keptFragment(fragment), place, sink, ticket, fragment.keyCount)
  }

  #read(
    order: Order,
    lane: Lane,
    frame: Frame,
    place: number,
    sink: PlaceSink,
    ticket: number,
    keyCount: number,
  ): void {
    const { topology, readerOf, now, nowMs } = this.#options
    const moving = this.#moving
    const { certainty } = now
    const shard = topology.shardAt(place)
    const reader = readerOf(shard)
    if (reader !== undefined && !moving.has(shard)) {
      // Of a ring among the pools.
      reader.send(order.session.id, lane, frame, sink, ticket)
      return
    }
    if (reader === undefined || certainty === undefined) {
      // It shows what the owner has, whatever becomes of the slot.
      now.session?.seesNow()
      moving.send(order, lane, frame, place, sink, ticket)
      return
    }
    const changedAt = moving.changedAt(place)
    const touchedMs = this.#touches.touchedMs(place)
    const read: MovingRead = {
      floorMs: touchedMs,
      isUnsettled: nowMs() - touchedMs < SLOT_SETTLES_MS,
      toMaster: (...[readLane, bytes, reply, number]) => {
        moving.send(order, readLane, bytes, place, reply, number)
      },
      isCertain: (bytes, start, end) => certainty(bytes, start, end, keyCount),
      hasMoved: () => moving.changedAt(place) !== changedAt,
    }
    reader.sendMoving(read, lane, frame, sink, ticket)
  }

  admits(order: Order, place: number): boolean {
    return this.#moving.admits(order, place)
  }

  changedAt(place: number): number {
    return this.#moving.changedAt(place)
  }

  onTouch(listener: () => void): () => void {
    return this.#moving.onTouch(listener)
  }

  has(shard: object): boolean {
    return this.#moving.has(shard)
  }

  get requestTimeoutMs(): number {
    return this.#moving.requestTimeoutMs
  }

  ownerOf(place: number): Shard | undefined {
    return this.#moving.ownerOf(place)
  }

  refusalIn(bytes: Buffer, start: number, end: number, place: number): RefusalLine | undefined {
    return this.#moving.refusalIn(bytes, start, end, place)
  }

  follow(...refused: Parameters<MovingPlaces['follow']>): ReturnType<MovingPlaces['follow']> {
    return this.#moving.follow(...refused)
  }

  sentAgain(place: number): void {
    this.#moving.sentAgain(place)
  }

  lookAgain(): void {
    this.#moving.lookAgain()
  }

  entrust(...sent: Parameters<MovingPlaces['entrust']>): ReplySink | undefined {
    return this.#moving.entrust(...sent)
  }
}
