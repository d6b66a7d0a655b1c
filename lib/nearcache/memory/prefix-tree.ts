/**
 * Finds the longest of some texts with which a key begins. What all of them begin with is compared first: each step
 * there waits for no other. For the rest there is a tree of their bytes, in which each key takes one path, however many
 * texts there are. It lies in one array, with a row for each node. A row has a place for each byte that occurs in the
 * texts, and the first place for all others, which lead nowhere.
 */

/** No text ends at the node, or the key begins with none. */
export const NO_TEXT = -1

const ROOT = 0
/** Nothing leads back to the root. */
const NOWHERE = ROOT

export class PrefixTree {
  /** What all texts begin with. */
  readonly #common: Uint8Array
  /** By byte: its place in a row. */
  readonly #places = new Uint16Array(256)
  readonly #width: number
  /** The next node by node and place. */
  readonly #next: Int32Array
  /** By node: which text ends there. */
  readonly #texts: Int32Array

  constructor(texts: readonly Uint8Array[]) {
    this.#common = commonBeginning(texts)
    const rests = texts.map((text) => text.subarray(this.#common.length))
    let width = 1
    for (const byte of new Set(rests.flatMap((rest) => [...rest]))) this.#places[byte] = width++
    this.#width = width
    const nodesMax = rests.reduce((sum, { length }) => sum + length, 1)
    this.#next = new Int32Array(nodesMax * this.#width)
    this.#texts = new Int32Array(nodesMax).fill(NO_TEXT)
    let nodes = 1
    rests.forEach((rest, index) => {
      let node = ROOT
      for (const byte of rest) {
        const at = node * this.#width + (this.#places[byte] as number)
        if (this.#next[at] === NOWHERE) this.#next[at] = nodes++
        node = this.#next[at] as number
      }
      this.#texts[node] = index
    })
  }

  /** Which of the texts is the longest with which `bytes[start, end)` begins, or NO_TEXT. */
  longest(bytes: Uint8Array, start: number, end: number): number {
    const common = this.#common
    const treeStart = start + common.length
    if (treeStart > end) return NO_TEXT
    for (let i = 0; i < common.length; i++) if (bytes[start + i] !== common[i]) return NO_TEXT
    let found = this.#texts[ROOT] as number
    let node = ROOT
    for (let at = treeStart; at < end; at++) {
      const place = this.#places[bytes[at] as number] as number
      node = this.#next[node * this.#width + place] as number
      if (node === NOWHERE) return found
      const text = this.#texts[node] as number
      if (text !== NO_TEXT) found = text
    }
    return found
  }
}

function commonBeginning([first = new Uint8Array(), ...others]: readonly Uint8Array[]): Uint8Array {
  const differsAt = first.findIndex((byte, at) => others.some((other) => other[at] !== byte))
  return differsAt < 0 ? first : first.subarray(0, differsAt)
}
