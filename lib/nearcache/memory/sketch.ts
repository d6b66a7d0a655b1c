/**
 * How often something was seen lately, in fixed memory: a count-min sketch. Each thing has four counters among
 * many, and the least of them is never too low. All counters are halved regularly, so that old sightings count
 * for less, and often enough that fewer than one thing in a hundred is mistaken for others.
 */

const COUNT_MAX = 15
/** All four counters of a thing lie in one line of the processor's cache, 64 bytes. */
const LINE_BITS = 6
const LINE_MASK = (1 << LINE_BITS) - 1
const PLACES_BITS = 4 * LINE_BITS
/** Makes four places in the line of a number. */
const SPREAD = 0x9e3779b1
/** All counters are halved when there was one sighting for this many counters. */
const COUNTERS_PER_SIGHTING = 8

export class Sketch {
  readonly #counters: Uint8Array
  /** The memory of `#counters`, as words. */
  readonly #words: Uint32Array
  /** Of a number the bits that say where its line begins. */
  readonly #lineMask: number
  readonly #sightingsMax: number
  #sightings = 0

  /** `counters`: a power of two; each is a byte. */
  constructor(counters: number) {
    this.#counters = new Uint8Array(counters)
    this.#words = new Uint32Array(this.#counters.buffer)
    this.#lineMask = (counters - 1) & ~LINE_MASK
    this.#sightingsMax = counters / COUNTERS_PER_SIGHTING
  }

  /** How often what has this number was seen, at most 15. */
  estimate(hash: number): number {
    const counters = this.#counters
    const line = hash & this.#lineMask
    const places = Math.imul(hash, SPREAD)
    let least = COUNT_MAX
    for (let shift = 0; shift < PLACES_BITS; shift += LINE_BITS) {
      const count = counters[line + ((places >>> shift) & LINE_MASK)] as number
      if (count < least) least = count
    }
    return least
  }

  /** Counts a sighting of what has this number; returns how many there were before, at most 15. */
  see(hash: number): number {
    const least = this.estimate(hash)
    if (least === COUNT_MAX) return least
    const counters = this.#counters
    const line = hash & this.#lineMask
    const places = Math.imul(hash, SPREAD)
    // Others may share a counter: only those that say the least can be this one's alone.
    for (let shift = 0; shift < PLACES_BITS; shift += LINE_BITS) {
      const at = line + ((places >>> shift) & LINE_MASK)
      if (counters[at] === least) counters[at] = least + 1
    }
    if (++this.#sightings === this.#sightingsMax) this.#age()
    return least
  }

  #age(): void {
    this.#sightings = 0
    const words = this.#words
    // Four at once: what falls out of one must not fall into the next.
    for (let at = 0; at < words.length; at++) words[at] = ((words[at] as number) >>> 1) & 0x7f7f7f7f
  }
}
