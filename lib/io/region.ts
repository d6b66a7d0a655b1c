/**
 * Memory for large requests that come in pieces and large replies that wait as a whole. It is counted, and
 * given back to the system when its last user lets it go.
 */
import { Chunk, type Lender } from './chunk.ts'
import { MAPPED_BYTES, release } from './mapped.ts'

/**
 * Smaller buffers do little harm where malloc keeps them, and many mappings would cost address space.
 */
const UNMAPPED_BYTES_MAX = 1024 * 1024

/** Lent with one piece; `letGo` is due once for each. */
export class Region extends Chunk {
  #filledBytes = 0

  /** How many of its bytes have been written to. */
  get filledBytes(): number {
    return this.#filledBytes
  }

  /** The first `bytes` bytes have been written to by now. */
  fill(bytes: number): void {
    regions.add(bytes - this.#filledBytes)
    this.#filledBytes = bytes
  }
}

class Regions implements Lender {
  /** Set by what bounds memory while the whole process has little left. */
  areShort = false
  #filledBytes = 0

  /** Bytes that have been written to, over all lent regions. */
  get filledBytes(): number {
    return this.#filledBytes
  }

  take(bytes: number): Region {
    const mappedBytes = bytes > UNMAPPED_BYTES_MAX ? Math.max(bytes, MAPPED_BYTES) : bytes
    const region = new Region(Buffer.allocUnsafeSlow(mappedBytes).subarray(0, bytes))
    region.lender = this
    region.pieces = 1
    return region
  }

  /** For regions: `bytes` more bytes have been written to. */
  add(bytes: number): void {
    this.#filledBytes += bytes
  }

  giveBack(region: Chunk): void {
    if (--region.pieces > 0) return
    if (region instanceof Region) region.fill(0)
    release(region.bytes)
  }
}

export const regions = new Regions()
