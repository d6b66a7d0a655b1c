/**
 * Which of many prefixes a key begins with, the longest first. A trie over bytes as a table: each byte that
 * occurs in a prefix is a column, each node a row, so that a look-up reads two numbers for each byte and
 * allocates nothing.
 */

/** No prefix fits. */
export const NO_PREFIX = -1

const ROOT = 0

export class Prefixes {
  /** By byte: its column; 0 for bytes that occur in no prefix. */
  readonly #columns = new Uint16Array(256)
  readonly #width: number
  /** At node * width + column: the next node, or ROOT for none. */
  readonly #next: Int32Array
  /** By node: the number of the prefix that ends there, or NO_PREFIX. */
  readonly #ends: Int32Array
  #nodes = 1

  /** Prefixes are numbered in their order. Throws Error when one occurs twice. */
  constructor(prefixes: readonly Uint8Array[]) {
    const used = new Set(prefixes.flatMap((prefix) => [...prefix]))
    for (const [index, byte] of [...used].entries()) this.#columns[byte] = index + 1
    this.#width = used.size + 1
    const nodesMax = 1 + prefixes.reduce((sum, { length }) => sum + length, 0)
    this.#next = new Int32Array(nodesMax * this.#width)
    this.#ends = new Int32Array(nodesMax).fill(NO_PREFIX)
    for (const [number, prefix] of prefixes.entries()) this.#add(prefix, number)
  }

  /** The number of the longest prefix of `bytes[start, end)`, or NO_PREFIX. */
  longestOf(bytes: Uint8Array, start: number, end: number): number {
    const ends = this.#ends
    let found = ends[ROOT] as number
    let node = ROOT
    for (let at = start; at < end; at++) {
      node = this.#after(node, bytes[at] as number)
      if (node === ROOT) break
      const number = ends[node] as number
      if (number !== NO_PREFIX) found = number
    }
    return found
  }

  /**
   * Whether all keys that begin with `bytes[start, end)` have the same longest prefix: none of ours goes on
   * where these bytes end.
   */
  isDecidedBy(bytes: Uint8Array, start: number, end: number): boolean {
    let node = ROOT
    for (let at = start; at < end; at++) {
      node = this.#after(node, bytes[at] as number)
      if (node === ROOT) return true
    }
    const row = node * this.#width
    return this.#next.subarray(row, row + this.#width).every((next) => next === ROOT)
  }

  #after(node: number, byte: number): number {
    return this.#next[node * this.#width + (this.#columns[byte] as number)] as number
  }

  #add(prefix: Uint8Array, number: number): void {
    let node = ROOT
    for (const byte of prefix) {
      const at = node * this.#width + (this.#columns[byte] as number)
      if (this.#next[at] === ROOT) this.#next[at] = this.#nodes++
      node = this.#next[at] as number
    }
    if (this.#ends[node] !== NO_PREFIX) throw new Error('a prefix is there twice')
    this.#ends[node] = number
  }
}
