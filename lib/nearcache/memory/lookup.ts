/**
 * Finds records by the numbers of their requests, and by those of their keys. It is as wide as there are records to find:
 * what few entries need lies close together, where the processor has it at hand.
 */
import { Chains, NO_RECORD } from './chains.ts'
import { mix } from './hash.ts'
import { DEAD, type Records } from './records.ts'

const BUCKETS_MIN = 8192
/** Of so many buckets one is used at most, as long as there may be more: most keys of which nothing is kept are in none. */
const BUCKETS_PER_RECORD = 8

export class Lookup {
  readonly #log: Records
  readonly #byHash: Chains
  readonly #byKey: Chains
  readonly #bucketsMax: number
  #buckets: number
  #count = 0

  /** `records`: how many there may be. */
  constructor(log: Records, records: number) {
    this.#log = log
    this.#bucketsMax = bucketsFor(records)
    this.#buckets = Math.min(BUCKETS_MIN, this.#bucketsMax)
    this.#byHash = new Chains(records, this.#bucketsMax)
    this.#byKey = new Chains(records, this.#bucketsMax)
    this.clear()
  }

  /** The bytes that it takes, without the links of the records. */
  static bytesFor(records: number): number {
    return 2 * Chains.bytesFor(bucketsFor(records))
  }

  /** Whether there may be a record of a key with this number. */
  mayHave(keyHash: number): boolean {
    return this.#byKey.mayHave(keyHash)
  }

  /** The first record that may be of this source and number, or NO_RECORD; `next` has the others. */
  first(identity: number, source: number): number {
    return this.#byHash.first(mix(identity, source))
  }

  next(at: number): number {
    return this.#byHash.next(at)
  }

  /** The first record that may be of a key with this number, or NO_RECORD; `nextOfKey` has the others. */
  firstOfKey(keyHash: number): number {
    return this.mayHave(keyHash) ? this.#byKey.first(keyHash) : NO_RECORD
  }

  nextOfKey(at: number): number {
    return this.#byKey.next(at)
  }

  /** The record is complete, and is found from now on. */
  add(at: number): void {
    this.#count++
    const isCrowded = this.#count * BUCKETS_PER_RECORD > this.#buckets
    if (isCrowded && this.#buckets < this.#bucketsMax) this.#widen()
    else this.#link(at)
  }

  /** The record, which is complete, is found no more. */
  remove(at: number): void {
    this.#count--
    this.#byHash.remove(this.#log.hash(at), at)
    this.#byKey.remove(this.#log.keyHashes[at] as number, at)
  }

  clear(): void {
    this.#count = 0
    this.#byHash.clear(this.#buckets)
    this.#byKey.clear(this.#buckets)
  }

  #widen(): void {
    this.#buckets *= 2
    this.#byHash.clear(this.#buckets)
    this.#byKey.clear(this.#buckets)
    const { states } = this.#log
    for (let at = 0; at < states.length; at++) if (states[at] !== DEAD) this.#link(at)
  }

  #link(at: number): void {
    this.#byHash.add(this.#log.hash(at), at)
    this.#byKey.add(this.#log.keyHashes[at] as number, at)
  }
}

function bucketsFor(records: number): number {
  return 2 ** Math.floor(Math.log2(records))
}
