/** Numbers of records by a hash, in chains: a hash table in two arrays. */

/** Links are record + 1, so that memory to which nobody has written ends a chain. */
const END = 0

/** Ends a walk. */
export const NO_RECORD = -1

const BUCKET_BYTES = 4

export class Chains {
  readonly #firsts: Int32Array
  readonly #nexts: Int32Array
  readonly #mask: number

  /** `records`: of their numbers the least that is too large. `buckets`: a power of two. */
  constructor(records: number, buckets: number) {
    this.#firsts = new Int32Array(buckets)
    this.#nexts = new Int32Array(records)
    this.#mask = buckets - 1
  }

  /** The bytes that one bucket takes. */
  static bytesFor(buckets: number): number {
    return buckets * BUCKET_BYTES
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
  }

  /** Takes out a record that was added with this hash. */
  remove(hash: number, record: number): void {
    const bucket = hash & this.#mask
    const after = this.#nexts[record] as number
    let before = this.first(hash)
    if (before === record) {
      this.#firsts[bucket] = after
      return
    }
    while (before !== NO_RECORD && this.next(before) !== record) before = this.next(before)
    if (before !== NO_RECORD) this.#nexts[before] = after
  }

  clear(): void {
    this.#firsts.fill(END)
  }
}
