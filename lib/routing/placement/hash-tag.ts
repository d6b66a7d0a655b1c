/** Which part of a key decides its shard: twemproxy's `hash_tag`. */
import assert from 'node:assert/strict'

/** No byte equals it. */
const NONE = -1

/**
 * Two bytes that mark a key's hash tag, such as `{` and `}`. What stands between the first opening
 * byte and the first closing byte after it is hashed in place of the whole key, so that keys with
 * one tag share a shard. If nothing stands between them the whole key counts: twemproxy makes no
 * second search, so `{}{a}` is hashed whole.
 */
export class HashTag {
  /** After `find`: the part to hash is `bytes[start, end)`. Fields, so that no call allocates. */
  start = 0
  end = 0
  readonly #open: number
  readonly #close: number

  /** `characters`: two of one byte each (latin-1), equal or not; or empty, for no tags. */
  constructor(characters: string) {
    assert(characters === '' || /^[\0-\xff]{2}$/.test(characters), 'a hash tag is two bytes')
    this.#open = characters === '' ? NONE : characters.charCodeAt(0)
    this.#close = characters.charCodeAt(1)
  }

  /** Sets `start` and `end` to the part of the key `bytes[start, end)` that is hashed. */
  find(bytes: Uint8Array, start: number, end: number): void {
    this.start = start
    this.end = end
    if (this.#open === NONE) return
    // Not indexOf: without a hit it would run past the key to the end of the read buffer.
    let open = start
    while (open < end && bytes[open] !== this.#open) open++
    let close = open + 1
    while (close < end && bytes[close] !== this.#close) close++
    if (close < end && close > open + 1) {
      this.start = open + 1
      this.end = close
    }
  }
}
