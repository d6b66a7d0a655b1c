/**
 * Whether something was seen lately, for what mostly comes once: sets of four words, in each the last four things
 * that came to it. It is small enough to stay where the processor has it at hand, so that what comes once costs no
 * look into the memory that counts the rest (`Sightings`).
 */

const SET_BITS = 2
const SET_WORDS = 1 << SET_BITS
const WORD_BYTES = 2
/** Makes a set of all bits of the number. */
const SPREAD = 0x9e3779b1

/** Of this much of all memory one byte is its own, up to what surely stays at hand; and never less than of that much. */
const BYTES_PER_BYTE = 128
const AT_HAND_BYTES = 64 * 1024
const BYTES_PER_BYTE_MAX = 1024
const BYTES_MIN = SET_WORDS * WORD_BYTES * 2

export class Doorkeeper {
  readonly #words: Uint16Array
  /** Of a number times SPREAD the bits in front say which set. */
  readonly #shift: number

  /** `memory`: bytes of all that is kept. */
  constructor(memory: number) {
    const atHand = Math.min(AT_HAND_BYTES, memory / BYTES_PER_BYTE)
    const bytes = Math.max(BYTES_MIN, atHand, memory / BYTES_PER_BYTE_MAX)
    this.#words = new Uint16Array(2 ** Math.floor(Math.log2(bytes)) / WORD_BYTES)
    this.#shift = Math.clz32(this.#words.length / SET_WORDS) + 1
  }

  get bytes(): number {
    return this.#words.byteLength
  }

  /** Whether what has this number came before; notes that it came if not. */
  knows(hash: number): boolean {
    const words = this.#words
    const at = (Math.imul(hash, SPREAD) >>> this.#shift) << SET_BITS
    const word = hash & 0xffff
    const [first, second] = [words[at] as number, words[at + 1] as number]
    const third = words[at + 2] as number
    if (word === first || word === second || word === third || word === words[at + 3]) return true
    words[at + 3] = third
    words[at + 2] = second
    words[at + 1] = first
    words[at] = word
    return false
  }
}
