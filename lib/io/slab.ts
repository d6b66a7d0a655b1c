/** A large piece of memory from which chunks of one size are cut, so that they go back to the system together. */
import { MAPPED_BYTES, release } from './mapped.ts'

export class Slab {
  /** At the last look no chunk of it was lent. */
  wasIdle = false
  readonly #bytes = Buffer.allocUnsafeSlow(MAPPED_BYTES)
  readonly #bytesMax: number
  #cutBytes = 0

  /** `bytesMax`: so much of it is used. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that have been cut from it: these count for the process. */
  get cutBytes(): number {
    return this.#cutBytes
  }

  /** The next `length` bytes; undefined when so many are not left. */
  cut(length: number): Buffer | undefined {
    const start = this.#cutBytes
    if (start + length > this.#bytesMax) return undefined
    this.#cutBytes += length
    return this.#bytes.subarray(start, start + length)
  }

  /** Nobody has a chunk of it any more, nor will have one. */
  release(): void {
    release(this.#bytes)
  }
}
