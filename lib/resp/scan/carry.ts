/**
 * The bytes of a request that came cut, from its start, until the rest of it is there. They grow with what
 * is received, never with a length that was only declared; what is large lies in memory that is counted.
 */
import type { LargeBytes, LargeMemory } from '../request.ts'

/** A carry larger than this is let go with its frame, so that an idle client holds little. */
const KEPT_BYTES = 4096

/** From this size on a carry or a kept rest lies in memory that is counted. */
export const LARGE_CARRY_BYTES = 64 * 1024

/** A carry whose end is known gets this many times the size of what has come: few copies, little waste. */
const GROWTH = 8

const EMPTY = Buffer.alloc(0)

export class Carry {
  readonly #large: LargeMemory | undefined
  #bytes: Buffer = EMPTY
  #used = 0
  /** What the bytes lie in, where they are large. */
  #memory: LargeBytes | undefined

  /** Without `large`, buffers are the garbage collector's. */
  constructor(large: LargeMemory | undefined) {
    this.#large = large
  }

  /** Holds the frame's bytes from 0 to `used`. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** 0: no frame is cut. */
  get used(): number {
    return this.#used
  }

  /** `used` if that is large, else 0. */
  get largeBytes(): number {
    return this.#used > LARGE_CARRY_BYTES ? this.#used : 0
  }

  /**
   * The frame, which has `knownBytes` at least, is larger than memory allows. What has come
   * counts as well: a declared length alone takes no memory.
   */
  exceedsMemory(knownBytes: number): boolean {
    if (this.#large === undefined || this.#used <= LARGE_CARRY_BYTES) return false
    return knownBytes > this.#large.bytesMax
  }

  /**
   * Adds `chunk[at, at + length)`. `knownBytes`: a lower bound of the frame's bytes; 0: not known.
   */
  append(chunk: Buffer, at: number, length: number, knownBytes: number): void {
    const needed = this.#used + length
    if (needed > this.#bytes.length) this.#grow(needed, knownBytes)
    chunk.copy(this.#bytes, this.#used, at, at + length)
    this.#used = needed
    if (this.#memory !== undefined) this.#memory.fill(needed)
  }

  /** Growing by a factor keeps all copies together linear; a known end stops it from overshooting. */
  #grow(needed: number, knownBytes: number): void {
    const isLarge = needed > LARGE_CARRY_BYTES && this.#large !== undefined
    const doubled = Math.max(2 * this.#bytes.length, 256)
    const grown = isLarge && knownBytes > 0 ? GROWTH * needed : doubled
    const size = Math.max(needed, knownBytes > 0 ? Math.min(knownBytes, grown) : grown)
    const memory = isLarge ? this.#large?.take(size) : undefined
    const larger = memory?.bytes ?? Buffer.allocUnsafeSlow(size)
    this.#bytes.copy(larger, 0, 0, this.#used)
    this.#memory?.letGo()
    this.#memory = memory
    this.#bytes = larger
  }

  /** The frame is complete. Its memory, if it was large, is the caller's to let go. */
  end(): LargeBytes | undefined {
    const memory = this.#memory
    this.#memory = undefined
    this.#used = 0
    if (!this.isReused) this.#bytes = EMPTY
    return memory
  }

  /** The buffer will hold the next frame as well. */
  get isReused(): boolean {
    return this.#bytes.length <= KEPT_BYTES
  }

  /** Nothing more will come. */
  close(): void {
    this.end()?.letGo()
    this.#bytes = EMPTY
  }
}
