/**
 * A *place* is what keys must share to go in one request: a shard of a ring, or a slot of a cluster.
 * Places are small numbers, so that keys can be grouped by them without a map.
 */

export interface Places {
  /** Places are numbered from 0 to one less than this. */
  readonly placeCount: number
  /**
   * The 32 bits by which the key `bytes[start, end)` is placed and shown to operators, as an int32. Allocates
   * nothing.
   */
  hashOf(bytes: Uint8Array, start: number, end: number): number
  /**
   * The place of requests that name no key and may touch keys. It is always the same, so that a
   * script finds again what it has written.
   */
  readonly keylessPlace: number
  /** The place of the key `bytes[start, end)`, which has this hash. */
  placeOf(bytes: Uint8Array, start: number, end: number, hash: number): number
  /**
   * The place of every key that the pattern `bytes[start, end)` makes when its `*` is replaced;
   * undefined when these keys may have several.
   */
  placeOfPattern(bytes: Uint8Array, start: number, end: number): number | undefined
}

/** The place of the key `bytes[start, end)`. */
export function placeOf(places: Places, bytes: Uint8Array, start: number, end: number): number {
  return places.placeOf(bytes, start, end, places.hashOf(bytes, start, end))
}
