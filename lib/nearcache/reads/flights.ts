/** The flights under way, by key. */
import type { Poison } from '../../stats/near-cache-stats.ts'
import type { Source } from '../tracking/source.ts'
import { Flight, type FlightOwner } from './flight.ts'

/** Flights kept to be used again. */
const SPARE_MAX = 1024

export class Flights {
  readonly #owner: FlightOwner
  readonly #byKey = new Map<number, Flight>()
  readonly #spare: Flight[] = []
  #count = 0

  constructor(owner: FlightOwner) {
    this.#owner = owner
  }

  get count(): number {
    return this.#count
  }

  /** Whether any reads a key with this number. */
  has(keyHash: number): boolean {
    return this.#count > 0 && this.#byKey.has(keyHash)
  }

  find(
    keyHash: number,
    identity: number,
    source: Source,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Flight | undefined {
    if (this.#count === 0) return undefined
    let flight = this.#byKey.get(keyHash)
    while (flight !== undefined && !flight.isFor(identity, source, bytes, start, end)) {
      flight = flight.next
    }
    return flight
  }

  /** One that is not under way yet. */
  take(): Flight {
    return this.#spare.pop() ?? new Flight(this.#owner)
  }

  add(keyHash: number, flight: Flight): void {
    flight.next = this.#byKey.get(keyHash)
    this.#byKey.set(keyHash, flight)
    this.#count++
  }

  remove(keyHash: number, flight: Flight): void {
    const first = this.#byKey.get(keyHash)
    if (first === flight) {
      if (flight.next === undefined) this.#byKey.delete(keyHash)
      else this.#byKey.set(keyHash, flight.next)
    } else {
      let before = first
      while (before !== undefined && before.next !== flight) before = before.next
      if (before !== undefined) before.next = flight.next
    }
    this.#count--
    flight.reset()
    if (this.#spare.length < SPARE_MAX) this.#spare.push(flight)
  }

  /** A client of ours writes the key. */
  writes(keyHash: number): void {
    for (let each = this.#byKey.get(keyHash); each !== undefined; each = each.next) {
      each.poison('ownWrite')
    }
  }

  /**
   * The key has changed. `from`: the source over whose own connection that was announced; what it has read
   * and not answered yet comes after the change. Undefined: it may have been before or after.
   */
  changed(keyHash: number, from: Source | undefined): void {
    for (let each = this.#byKey.get(keyHash); each !== undefined; each = each.next) {
      const isLater = each.plan?.source === from && !each.hasBegun
      if (!isLater) each.poison('push')
    }
  }

  poisonAll(by: Poison): void {
    for (const first of this.#byKey.values()) {
      for (let each: Flight | undefined = first; each !== undefined; each = each.next) {
        each.poison(by)
      }
    }
  }
}
