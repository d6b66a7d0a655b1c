/**
 * A map from names to values that is asked with bytes, in any case, and allocates nothing: open
 * addressing with linear probing. At most a quarter of the slots are taken, so that a name that is
 * not there meets a free slot at once, whatever the client chose to send.
 */
import { LOWER_CASE } from './case.ts'

const SLOTS_PER_NAME = 4

export class NameIndex<T> {
  #names: (Uint8Array | undefined)[] = new Array(SLOTS_PER_NAME)
  #values: (T | undefined)[] = new Array(SLOTS_PER_NAME)
  #count = 0
  #longest = 0

  /** The value of the name `bytes[start, end)`. */
  find(bytes: Uint8Array, start: number, end: number): T | undefined {
    return end - start > this.#longest ? undefined : this.#values[this.#slot(bytes, start, end)]
  }

  /** `name` is ASCII. A name that is there already gets the new value. */
  set(name: string, value: T): void {
    if ((this.#count + 1) * SLOTS_PER_NAME > this.#names.length) this.#grow()
    this.#put(
      Uint8Array.from(name, (letter) => LOWER_CASE[letter.charCodeAt(0)] as number),
      value,
    )
  }

  #put(name: Uint8Array, value: T): void {
    const slot = this.#slot(name, 0, name.length)
    if (this.#names[slot] === undefined) this.#count++
    this.#names[slot] = name
    this.#values[slot] = value
    this.#longest = Math.max(this.#longest, name.length)
  }

  /** The slot that holds the name, or the free one where it would go. */
  #slot(bytes: Uint8Array, start: number, end: number): number {
    const mask = this.#names.length - 1
    let slot = hash(bytes, start, end) & mask
    for (;;) {
      const name = this.#names[slot]
      if (name === undefined || isSame(name, bytes, start, end)) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    const names = this.#names
    const values = this.#values
    this.#names = new Array(names.length * 2)
    this.#values = new Array(names.length * 2)
    this.#count = 0
    names.forEach((name, slot) => {
      if (name !== undefined) this.#put(name, values[slot] as T)
    })
  }
}

/** FNV-1a over the lower case, its high bits folded into the low ones that choose the slot. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0x811c9dc5
  for (let at = start; at < end; at++) {
    sum = Math.imul(sum ^ (LOWER_CASE[bytes[at] as number] as number), 0x01000193)
  }
  return sum ^ (sum >>> 15)
}

function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let i = 0; i < name.length; i++) {
    if (name[i] !== LOWER_CASE[bytes[start + i] as number]) return false
  }
  return true
}
