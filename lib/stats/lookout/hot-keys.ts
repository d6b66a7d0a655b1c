/**
 * Which keys are asked for most, in bounded memory.
 *
 * The algorithm is Space-Saving: there is a fixed number of counters, and a key without one takes over
 * the smallest, whose count it inherits as its possible error. Every key with more than one part in
 * HOT_KEYS_TRACKED of the stream has a counter, and `count - error` is a lower bound. (A. Metwally, D.
 * Agrawal, A. El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", ICDT
 * 2005.) All counts fade by the same factor, so that they describe the last minute and their order
 * stays.
 */
import {
  HOT_KEY_FADE_MS,
  HOT_KEY_SAMPLES_MIN,
  HOT_KEY_SHARE_MIN,
  HOT_KEYS_TRACKED,
} from '../../limits.ts'

/** What identifies a key: its hash, or its bytes as latin-1 text. */
export type KeyName = number | string

export interface HotKey {
  readonly name: KeyName
  readonly hash: number
  /** Where it was last sent. */
  readonly shard: string
  /** The lower bound of its part of all samples, 0 to 1. */
  readonly share: number
}

/** A hot key as it is shown. */
export interface ShownHotKey {
  readonly key: string | null
  readonly shard: string
  /** Its part of the keys that requests have named, 0 to 1. */
  readonly share: number
  readonly requestsPerSecond: number
}

interface Counter {
  name: KeyName
  hash: number
  shard: string
  count: number
  error: number
  /** Its place in the heap. */
  at: number
}

/** Counts fade in steps of this length. */
const STEP_MS = 1000

export class HotKeys {
  readonly #byName = new Map<KeyName, Counter>()
  /** A binary heap, the smallest count first. */
  readonly #heap: Counter[] = []
  #total = 0
  #startedAtMs = 0
  #fadedAtMs = 0

  /** Counters in use, HOT_KEYS_TRACKED at most. */
  get size(): number {
    return this.#byName.size
  }

  /** The sum of all samples; older ones count for less than one. */
  get samples(): number {
    return this.#total
  }

  /** Samples a second, lately. */
  perSecond(nowMs: number): number {
    if (this.#total === 0) return 0
    this.#fade(nowMs)
    const ageMs = Math.max(STEP_MS, nowMs - this.#startedAtMs)
    return (this.#total * 1000) / (HOT_KEY_FADE_MS * (1 - Math.exp(-ageMs / HOT_KEY_FADE_MS)))
  }

  /** Counts one sample. `nowMs` is monotonic. */
  count(name: KeyName, hash: number, shard: string, nowMs: number): void {
    if (this.#total === 0) this.#start(nowMs)
    else if (nowMs - this.#fadedAtMs >= STEP_MS) this.#fade(nowMs)
    this.#total++
    const known = this.#byName.get(name)
    if (known !== undefined) {
      known.count++
      known.shard = shard
      this.#sink(known)
    } else if (this.#heap.length < HOT_KEYS_TRACKED) {
      const counter = { name, hash, shard, count: 1, error: 0, at: this.#heap.length }
      this.#byName.set(name, counter)
      this.#heap.push(counter)
      this.#rise(counter)
    } else {
      this.#replaceSmallest(name, hash, shard)
    }
  }

  /** Keys that are certainly hot, hottest first. */
  hottest(nowMs: number): HotKey[] {
    this.#fade(nowMs)
    const certain = (counter: Counter): number => counter.count - counter.error
    const least = Math.max(HOT_KEY_SAMPLES_MIN, HOT_KEY_SHARE_MIN * this.#total)
    return this.#heap
      .filter((counter) => certain(counter) >= least)
      .sort((one, other) => certain(other) - certain(one))
      .map((counter) => {
        const { name, hash, shard } = counter
        return { name, hash, shard, share: certain(counter) / this.#total }
      })
  }

  #start(nowMs: number): void {
    this.#startedAtMs = nowMs
    this.#fadedAtMs = nowMs
  }

  #replaceSmallest(name: KeyName, hash: number, shard: string): void {
    const counter = this.#heap[0] as Counter
    this.#byName.delete(counter.name)
    this.#byName.set(name, counter)
    counter.name = name
    counter.hash = hash
    counter.shard = shard
    counter.error = counter.count
    counter.count++
    this.#sink(counter)
  }

  #fade(nowMs: number): void {
    const factor = Math.exp((this.#fadedAtMs - nowMs) / HOT_KEY_FADE_MS)
    this.#fadedAtMs = nowMs
    this.#total *= factor
    for (const counter of this.#heap) {
      counter.count *= factor
      counter.error *= factor
    }
  }

  /** A new counter starts at the smallest count. */
  #rise(counter: Counter): void {
    while (counter.at > 0) {
      const parent = this.#heap[(counter.at - 1) >> 1] as Counter
      if (parent.count <= counter.count) return
      this.#swap(parent, counter)
    }
  }

  #sink(counter: Counter): void {
    for (;;) {
      const left = this.#heap[2 * counter.at + 1]
      const right = this.#heap[2 * counter.at + 2]
      const smaller =
        right !== undefined && left !== undefined && right.count < left.count ? right : left
      if (smaller === undefined || smaller.count >= counter.count) return
      this.#swap(counter, smaller)
    }
  }

  #swap(one: Counter, other: Counter): void {
    const { at } = one
    one.at = other.at
    other.at = at
    this.#heap[one.at] = one
    this.#heap[other.at] = other
  }
}
