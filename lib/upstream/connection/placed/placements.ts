/**
 * Which of the requests on a connection are for places that move, as the slots of a cluster do: arrays parallel to
 * the FIFO's own, so that a request costs no allocation.
 */
import type { PlacedClient } from './placed-request.ts'
import type { Run } from './run.ts'

/** The place of a run: its parts have their own. */
const NOWHERE = -1

export class Placements {
  readonly #clients: (PlacedClient | undefined)[]
  readonly #places: Int32Array
  readonly #numbers: Float64Array
  /** Those that were entered as one. */
  readonly #runs: (Run | undefined)[]
  /** Of a run: the replies that it is owed besides the next one. */
  readonly #more: Int32Array

  constructor(capacity: number) {
    this.#clients = new Array(capacity).fill(undefined)
    this.#places = new Int32Array(capacity)
    this.#numbers = new Float64Array(capacity)
    this.#runs = new Array(capacity).fill(undefined)
    this.#more = new Int32Array(capacity)
  }

  /** It is the newest request of its client. */
  put(at: number, client: PlacedClient, place: number): void {
    this.#clients[at] = client
    this.#places[at] = place
    this.#numbers[at] = client.sent++
  }

  /** As `put`, for as many requests as the run has parts. */
  putRun(at: number, client: PlacedClient, run: Run): void {
    const more = run.left - 1
    this.put(at, client, NOWHERE)
    client.sent += more
    this.#runs[at] = run
    this.#more[at] = more
  }

  /** The request at `at` of `other` is at `to` here. */
  take(to: number, other: Placements, at: number): void {
    this.#clients[to] = other.clientAt(at)
    this.#places[to] = other.placeAt(at)
    this.#numbers[to] = other.numberAt(at)
    this.#runs[to] = other.runAt(at)
    this.#more[to] = other.moreAt(at)
  }

  /** Nothing is known of it any more but how many replies it is owed. */
  drop(at: number): void {
    this.#clients[at] = undefined
    this.#runs[at] = undefined
  }

  /** Undefined: what is at `at` is no run, or none any more. */
  runAt(at: number): Run | undefined {
    return this.#runs[at]
  }

  moreAt(at: number): number {
    return this.#more[at] as number
  }

  /** `count` replies to what is at `at` have come. Returns whether it is owed more. */
  goesOn(at: number, count: number): boolean {
    const more = this.#more[at] as number
    if (more === 0) return false
    this.#more[at] = Math.max(0, more - count)
    return count <= more
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
