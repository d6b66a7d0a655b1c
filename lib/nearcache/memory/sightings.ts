/**
 * How often something was seen lately, in fixed memory: a table of sets, each in one line of the processor's
 * cache, with the numbers of eight things. A set that is full gives up what it saw least. All counts are
 * halved regularly, so that old sightings count for less, and often enough that few sets are full.
 *
 * A count-min sketch of the same size mistook one thing in forty for others, and each of these was read from
 * its shard in a way that costs ten times as much.
 */

const COUNT_MAX = 15
/** A word is a count, and of the number all bits but as many. */
const COUNT_BITS = 4
const WORD_BYTES = 4
const SET_BITS = 3
const SET_WORDS = 1 << SET_BITS
/** Gives the sets of numbers that are the same but for the bits that a word does not hold. */
const SPREAD = 0x9e3779b1
/** All counts are halved when there was one sighting for this many words. */
const WORDS_PER_SIGHTING = 2

export class Sightings {
  readonly #words: Int32Array
  /** Of a number times SPREAD the bits in front say which set. */
  readonly #shift: number
  #untilHalved: number

  /** `bytes`: a power of two, at least 64. */
  constructor(bytes: number) {
    this.#words = new Int32Array(bytes / WORD_BYTES)
    this.#shift = Math.clz32(this.#words.length / SET_WORDS) + 1
    this.#untilHalved = this.#words.length / WORDS_PER_SIGHTING
  }

  /** How often what has this number was seen, at most 15. */
  count(hash: number): number {
    const words = this.#words
    const set = (Math.imul(hash, SPREAD) >>> this.#shift) << SET_BITS
    for (let at = set; at < set + SET_WORDS; at++) {
      const word = words[at] as number
      if ((word ^ hash) >>> COUNT_BITS === 0) return word & COUNT_MAX
    }
    return 0
  }

  /** Counts a sighting of what has this number; returns how many there were before, at most 15. */
  see(hash: number): number {
    const words = this.#words
    const set = (Math.imul(hash, SPREAD) >>> this.#shift) << SET_BITS
    let place = set
    let least = COUNT_MAX + 1
    for (let at = set; at < set + SET_WORDS; at++) {
      const word = words[at] as number
      const count = word & COUNT_MAX
      if ((word ^ hash) >>> COUNT_BITS === 0) {
        if (count < COUNT_MAX) this.#write(at, word + 1)
        return count
      }
      if (count < least) {
        least = count
        place = at
      }
    }
    this.#write(place, (hash & ~COUNT_MAX) | 1)
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
