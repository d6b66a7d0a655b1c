/**
 * Memory for what is large by itself: requests that come in pieces, replies that wait as a whole. Counted,
 * and given back to the system when the last who needs it lets it go.
 */
import { Chunk, type Lender } from './chunk.ts'
import { MAPPED_BYTES, release } from './mapped.ts'

/** Smaller ones do little harm where malloc keeps them, and many of them would cost address space. */
const UNMAPPED_BYTES_MAX = 1024 * 1024

/** Lent with one piece; `letGo` is due once for each. */
export class Region extends Chunk {
  #filledBytes = 0

  /** Of its bytes, those that have been written to. */
  get filledBytes(): number {
    return this.#filledBytes
  }

  /** From the start on so many bytes are written to now. */
  fill(bytes: number): void {
    regions.add(bytes - this.#filledBytes)
    this.#filledBytes = bytes
  }
}

class Regions implements Lender {
  /** Whoever bounds memory says here that little is left: of this process, whatever runs in it. */
  areShort = false
  #filledBytes = 0

  /** Bytes written to, of all that are lent. */
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

  /** For regions: these bytes more are written to. */
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
