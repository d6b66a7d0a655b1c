/** The places of a placement, numbered from another number than 0: as they are among those of all pools. */
import type { Placement } from '../../routing/placement/placement.ts'
import type { Places } from '../../routing/places.ts'

export class PlacesFrom implements Places {
  readonly placeCount: number
  readonly #first: number
  readonly #placement: Placement

  constructor(first: number, placement: Placement, count: number) {
    this.#first = first
    this.#placement = placement
    this.placeCount = first + count
  }

  get keylessPlace(): number {
    return this.#first + this.#placement.keylessPlace
  }

  hashOf(bytes: Uint8Array, start: number, end: number): number {
    return this.#placement.hashOf(bytes, start, end)
  }

  placeOf(bytes: Uint8Array, start: number, end: number, hash: number): number {
    return this.#first + this.#placement.placeOf(bytes, start, end, hash)
  }

  placeOfPattern(bytes: Uint8Array, start: number, end: number): number | undefined {
    const place = this.#placement.placeOfPattern(bytes, start, end)
    return place === undefined ? undefined : this.#first + place
  }
}
