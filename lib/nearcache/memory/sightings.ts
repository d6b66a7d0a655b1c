/**
 * How often something was seen lately, in fixed memory: a table of sets of eight words, each for one thing. A
 * set that is full gives up what it saw least. All counts are halved regularly, so that old sightings count for
 * less, and often enough that few sets are full.
 *
 * A read that is not kept pays for one look here, which is a look into memory that the processor has not at
 * hand: so all of a set lies in one line of its cache, and words are short.
 */

const COUNT_MAX = 15
/** A word is a count, and above it the first bits of the thing's number. */
const COUNT_BITS = 4
const NUMBER_BITS = 12
const WORD_BYTES = 2
const SET_BITS = 3
const SET_WORDS = 1 << SET_BITS
/** Makes a set of all other bits of the number. */
const SPREAD = 0x9e3779b1
/** All counts are halved when there was one sighting for this many words. */
const WORDS_PER_SIGHTING = 2

export class Sightings {
  readonly #words: Uint16Array
  /** Of a number times SPREAD the bits in front say which set. */
  readonly #shift: number
  #untilHalved: number

  /** `bytes`: a power of two, at least 32. */
  constructor(bytes: number) {
    this.#words = new Uint16Array(bytes / WORD_BYTES)
    this.#shift = Math.clz32(this.#words.length / SET_WORDS) + 1
    this.#untilHalved = this.#words.length / WORDS_PER_SIGHTING
  }

  /** How often what has this number was seen, at most 15. */
  count(hash: number): number {
    const words = this.#words
    const set = (Math.imul(hash, SPREAD) >>> this.#shift) << SET_BITS
    const first = hash >>> (32 - NUMBER_BITS)
    for (let at = set; at < set + SET_WORDS; at++) {
      const word = words[at] as number
      if (word >>> COUNT_BITS === first) return word & COUNT_MAX
    }
    return 0
  }

  /** Counts a sighting of what has this number; returns how many there were before, at most 15. */
  see(hash: number): number {
    const words = this.#words
    const set = (Math.imul(hash, SPREAD) >>> this.#shift) << SET_BITS
    const first = hash >>> (32 - NUMBER_BITS)
    let place = set
    let least = COUNT_MAX + 1
    for (let at = set; at < set + SET_WORDS; at++) {
      const word = words[at] as number
      const count = word & COUNT_MAX
      if (word >>> COUNT_BITS === first) {
        if (count < COUNT_MAX) this.#write(at, word + 1)
        return count
      }
      if (count < least) {
        least = count
        place = at
      }
    }
    this.#write(place, (first << COUNT_BITS) | 1)
    return 0
  }

  #write(at: number, word: number): void {
    this.#words[at] = word
    if (--this.#untilHalved === 0) this.#halve()
  }

  #halve(): void {
    const words = this.#words
    this.#untilHalved = words.length / WORDS_PER_SIGHTING
    for (let at = 0; at < words.length; at++) {
      const word = words[at] as number
      words[at] = (word & ~COUNT_MAX) | ((word & COUNT_MAX) >>> 1)
    }
  }
}
