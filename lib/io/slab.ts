/** A large piece of memory from which chunks of one size are cut, so that they go back to the system together. */
import { MAPPED_BYTES, release } from './mapped.ts'

export class Slab {
  /** No chunk of it was lent at the last look. */
  wasIdle = false
  readonly #bytes = Buffer.allocUnsafeSlow(MAPPED_BYTES)
  readonly #bytesMax: number
  #cutBytes = 0

  /** `bytesMax`: how many bytes may be cut from it. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that have been cut from it: these count for the process. */
  get cutBytes(): number {
    return this.#cutBytes
  }

  /** The next `length` bytes; undefined when fewer are left. */
  cut(length: number): Buffer | undefined {
    const start = this.#cutBytes
    if (start + length > this.#bytesMax) return undefined
    this.#cutBytes += length
    return this.#bytes.subarray(start, start + length)
  }

  /** Gives the memory back. None of its chunks may be in use. */
  release(): void {
    release(this.#bytes)
  }
}
