/**
 * Which of the requests on a connection are for places that move, as the slots of a cluster do: arrays parallel to
 * the FIFO's own, so that a request costs no allocation.
 */
import type { ReplySink } from '../reply-sink.ts'

/** One of them, as the FIFO has it. */
export interface PlacedRequest {
  /** Whose it is, as its sender said. */
  readonly client: object
  readonly place: number
  readonly sink: ReplySink
  readonly ticket: number
  /** The turn's clock. */
  readonly deadlineMs: number
  /** Its bytes are `[start, end)` of the connection's stream. */
  readonly start: number
  readonly end: number
}

export class Placements {
  readonly #clients: (object | undefined)[]
  readonly #places: Int32Array

  constructor(capacity: number) {
    this.#clients = new Array(capacity).fill(undefined)
    this.#places = new Int32Array(capacity)
  }

  put(at: number, client: object, place: number): void {
    this.#clients[at] = client
    this.#places[at] = place
  }

  /** The request at `at` of `other` is at `to` here. */
  take(to: number, other: Placements, at: number): void {
    this.#clients[to] = other.clientAt(at)
    this.#places[to] = other.placeAt(at)
  }

  drop(at: number): void {
    this.#clients[at] = undefined
  }

  /** Undefined: the place of the request at `at` does not move, or it has none. */
  clientAt(at: number): object | undefined {
    return this.#clients[at]
  }

  placeAt(at: number): number {
    return this.#places[at] as number
  }
}
