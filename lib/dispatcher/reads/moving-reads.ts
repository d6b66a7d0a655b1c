/**
 * Reads of the slots of a cluster: takes the place of what sends to places that move, and has each read go to a
 * replica of its slot's owner, as `readFrom` says, or to the owner. See docs/replicas.md.
 */
import { SLOT_SETTLES_MS } from '../../limits.ts'
import type { Order, PlaceSink } from '../../pool/cluster/slot-request.ts'
import type { MovingPlaces, PlaceSending } from '../../pool/router/moving-places.ts'
import type { Topology } from '../../topology/topology.ts'
import type { Fragment, Frame } from '../../upstream/backend.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { MovingRead } from '../../upstream/replicas/pending-read.ts'
import {
  type Certainty,
  keptFragment,
  type Reader,
  type ReadingNow,
} from '../../upstream/replicas/reader.ts'
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

/** One read, as those who choose a server for it see it. */
class SlotRead implements MovingRead {
  readonly floorMs: number
  readonly isUnsettled: boolean
  readonly #moving: MovingPlaces
  readonly #order: Order
  readonly #place: number
  readonly #certainty: Certainty
  readonly #keyCount: number
  readonly #changedAt: number

  constructor(
    moving: MovingPlaces,
    order: Order,
    place: number,
    certainty: Certainty,
    keyCount: number,
    touchedMs: number,
    nowMs: number,
  ) {
    this.floorMs = touchedMs
    this.isUnsettled = nowMs - touchedMs < SLOT_SETTLES_MS
    this.#moving = moving
    this.#order = order
    this.#place = place
    this.#certainty = certainty
    this.#keyCount = keyCount
    this.#changedAt = moving.changedAt(place)
  }

  toMaster(lane: Lane, frame: Frame, sink: ReplySink, ticket: number): void {
    this.#moving.send(this.#order, lane, frame, this.#place, sink, ticket)
  }

  isCertain(bytes: Buffer, start: number, end: number): boolean {
    return this.#certainty(bytes, start, end, this.#keyCount)
  }

  hasMoved(): boolean {
    return this.#moving.changedAt(this.#place) !== this.#changedAt
  }
}

export class MovingReads implements PlaceSending {
  readonly #options: MovingReadsOptions
  readonly #touches: Touches

  constructor(options: MovingReadsOptions) {
    this.#options = options
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

  #read(
    order: Order,
    lane: Lane,
    frame: Frame,
    place: number,
    sink: PlaceSink,
    ticket: number,
    keyCount: number,
  ): void {
    const { moving, topology, readerOf, now, nowMs } = this.#options
    const { certainty } = now
    const shard = topology.shardAt(place)
    const reader = readerOf(shard)
    if (reader !== undefined && !moving.has(shard)) {
      // Of a ring among the pools.
      reader.send(order.session.id, lane, frame, sink, ticket)
    } else if (reader === undefined || certainty === undefined) {
      // It shows what the owner has, whatever becomes of the slot.
      now.session?.seesNow()
      moving.send(order, lane, frame, place, sink, ticket)
    } else {
      const touchedMs = this.#touches.touchedMs(place)
      const read = new SlotRead(moving, order, place, certainty, keyCount, touchedMs, nowMs())
      reader.sendMoving(read, lane, frame, sink, ticket)
    }
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
}
