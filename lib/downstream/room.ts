/** How much large memory there is for all clients together, and how much of it is in use. */
import { arenas, writeChunks } from '../io/chunk.ts'
import { type Region, regions } from '../io/region.ts'
import type { LargeMemory } from '../resp/request.ts'

export class Room implements LargeMemory {
  readonly #bytesMax: () => number

  /** `bytesMax` may change; it is asked each time. */
  constructor(bytesMax: () => number) {
    this.#bytesMax = bytesMax
  }

  get bytesMax(): number {
    return this.#bytesMax()
  }

  take(bytes: number): Region {
    return regions.take(bytes)
  }

  /**
   * Bytes of this process for requests and replies, on their way to shards included, beyond what it
   * always keeps.
   */
  get heldBytes(): number {
    return regions.filledBytes + writeChunks.extraBytes + arenas.extraBytes
  }

  /** The remaining room is kept for requests that are nearly complete. */
  get isTight(): boolean {
    return this.heldBytes > 0.75 * this.bytesMax
  }

  /** Gives back what is not in use, all of it at once where that is needed, and says whether little is left. */
  trim(): void {
    regions.areShort = this.heldBytes > 0.875 * this.bytesMax
    const urgent = this.heldBytes > this.bytesMax / 4
    writeChunks.trim(urgent)
    arenas.trim(urgent)
  }
}
