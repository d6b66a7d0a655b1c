/** Held replies, one after the other in one lent chunk, which goes back when no reply is left. */
import { type Chunk, type ChunkPool, copyToChunk } from '../io/chunk.ts'

export class Arena {
  readonly #pool: ChunkPool
  #chunk: Chunk | undefined
  #used = 0
  #replies = 0

  constructor(pool: ChunkPool) {
    this.#pool = pool
  }

  /** What `put` gave places in; undefined while nothing is held. */
  get bytes(): Buffer | undefined {
    return this.#chunk?.bytes
  }

  /** Copies `length` bytes of a reply and returns where they are; -1 when there is no room left. */
  put(bytes: Buffer, start: number, length: number): number {
    this.#chunk ??= this.#pool.take()
    const at = this.#used
    if (length > this.#chunk.bytes.length - at) return -1
    copyToChunk(this.#chunk, at, bytes, start, start + length)
    this.#used = at + length
    this.#replies++
    return at
  }

  /** One reply is not needed any more. Call `rest` when no bytes of it are either. */
  drop(): void {
    this.#replies--
  }

  /** Gives the chunk back if nothing is held. */
  rest(): void {
    if (this.#replies > 0 || this.#chunk === undefined) return
    this.#pool.giveBack(this.#chunk)
    this.#chunk = undefined
    this.#used = 0
  }

  /** Holds nothing any more. */
  clear(): void {
    this.#replies = 0
    this.rest()
  }
}
