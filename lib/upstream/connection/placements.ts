/**
 * Which of the requests on a connection are for places that move, as the slots of a cluster do: arrays parallel to
 * the FIFO's own, so that a request costs no allocation.
 */
import type { ReplySink } from '../reply-sink.ts'

/** Whose requests they are. */
export interface PlacedClient {
  /** Its requests so far, which numbers them, wherever they are sent. */
  sent: number
}

/** One of them, as the FIFO has it. */
export interface PlacedRequest {
  readonly client: PlacedClient
  /** Among its client's. */
  readonly number: number
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
  readonly #clients: (PlacedClient | undefined)[]
  readonly #places: Int32Array
  readonly #numbers: Float64Array

  constructor(capacity: number) {
    this.#clients = new Array(capacity).fill(undefined)
    this.#places = new Int32Array(capacity)
    this.#numbers = new Float64Array(capacity)
  }

  /** It is the newest request of its client. */
  put(at: number, client: PlacedClient, place: number): void {
    this.#clients[at] = client
    this.#places[at] = place
    this.#numbers[at] = client.sent++
  }

  /** The request at `at` of `other` is at `to` here. */
  take(to: number, other: Placements, at: number): void {
    this.#clients[to] = other.clientAt(at)
    this.#places[to] = other.placeAt(at)
    this.#numbers[to] = other.numberAt(at)
  }

  drop(at: number): void {
    this.#clients[at] = undefined
  }

  /** Undefined: the place of the request at `at` does not move, or it has none. */
  clientAt(at: number): PlacedClient | undefined {
    return this.#clients[at]
  }

  placeAt(at: number): number {
    return this.#places[at] as number
  }

  numberAt(at: number): number {
    return this.#numbers[at] as number
  }
}
