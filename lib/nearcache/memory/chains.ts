/**
 * Numbers of records by a hash, in chains: a hash table in two arrays. A third says with one bit for each bucket
 * whether there is anything in it: who asks that first has, of most of what is not there, no look into memory that
 * the processor has not at hand.
 */

/** Links are record + 1, so that memory to which nobody has written ends a chain. */
const END = 0

/** Ends a walk. */
export const NO_RECORD = -1

const BUCKET_BYTES = 4
const BUCKETS_PER_BYTE = 8

export class Chains {
  readonly #firsts: Int32Array
  readonly #used: Uint8Array
  readonly #nexts: Int32Array
  #mask: number

  /** `records`: of their numbers the least that is too large. `buckets`: a power of two, at least 8; the most that there can be. */
  constructor(records: number, buckets: number) {
    this.#firsts = new Int32Array(buckets)
    this.#used = new Uint8Array(buckets / BUCKETS_PER_BYTE)
    this.#nexts = new Int32Array(records)
    this.#mask = buckets - 1
  }

  /** The bytes that so many buckets take. */
  static bytesFor(buckets: number): number {
    return buckets * BUCKET_BYTES + buckets / BUCKETS_PER_BYTE
  }

  /** Whether any record may have this hash. */
  mayHave(hash: number): boolean {
    const bucket = hash & this.#mask
    return ((this.#used[bucket >>> 3] as number) & (1 << (bucket & 7))) !== 0
  }

  /** The first record that may have this hash, or NO_RECORD. */
  first(hash: number): number {
    return (this.#firsts[hash & this.#mask] as number) - 1
  }

  /** The next one behind it. */
  next(record: number): number {
    return (this.#nexts[record] as number) - 1
  }

  add(hash: number, record: number): void {
    const bucket = hash & this.#mask
    this.#nexts[record] = this.#firsts[bucket] as number
    this.#firsts[bucket] = record + 1
    this.#used[bucket >>> 3] = (this.#used[bucket >>> 3] as number) | (1 << (bucket & 7))
  }

  /** Takes out a record that was added with this hash. */
  remove(hash: number, record: number): void {
    const bucket = hash & this.#mask
    const after = this.#nexts[record] as number
    let before = this.first(hash)
    if (before === record) {
      this.#firsts[bucket] = after
      if (after === END) this.#empty(bucket)
      return
    }
    while (before !== NO_RECORD && this.next(before) !== record) before = this.next(before)
    if (before !== NO_RECORD) this.#nexts[before] = after
  }

  #empty(bucket: number): void {
    this.#used[bucket >>> 3] = (this.#used[bucket >>> 3] as number) & ~(1 << (bucket & 7))
  }

  /** From now on it is empty, and has so many buckets: a power of two, at least 8. */
  clear(buckets: number): void {
    this.#mask = buckets - 1
    this.#firsts.fill(END, 0, buckets)
    this.#used.fill(0, 0, buckets / BUCKETS_PER_BYTE)
  }
}
