/**
 * How often something was seen lately, in a quarter of a megabyte whatever there is: a count-min sketch.
 * Each thing has four counters among many, and the least of them is at most too high. All are halved again
 * and again, so that what was seen long ago counts for less.
 */

const COUNTERS = 2 ** 18
const MASK = COUNTERS - 1
const COUNT_MAX = 15
/** Sightings before all counters are halved. */
const SIGHTINGS_MAX = 2 * COUNTERS

export class Sketch {
  readonly #counters = new Uint8Array(COUNTERS)
  #sightings = 0

  /** How often what has this number was seen, at most 15. */
  estimate(hash: number): number {
    const counters = this.#counters
    const step = (hash >>> 15) | 1
    let least = COUNT_MAX
    for (let row = 0, at = hash; row < 4; row++, at += step) {
      const count = counters[at & MASK] as number
      if (count < least) least = count
    }
    return least
  }

  /** Counts a sighting of what has this number; returns how many there were before, at most 15. */
  see(hash: number): number {
    const counters = this.#counters
    const step = (hash >>> 15) | 1
    const least = this.estimate(hash)
    if (least === COUNT_MAX) return least
    // Others may share a counter: only those that say the least can be this one's alone.
    for (let row = 0, at = hash; row < 4; row++, at += step) {
      if (counters[at & MASK] === least) counters[at & MASK] = least + 1
    }
    if (++this.#sightings === SIGHTINGS_MAX) this.#age()
    return least
  }

  #age(): void {
    this.#sightings = SIGHTINGS_MAX >> 1
    const counters = this.#counters
    for (let at = 0; at < COUNTERS; at++) counters[at] = (counters[at] as number) >> 1
  }
}
