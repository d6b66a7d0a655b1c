/**
 * Where the rest of what a client sent stays while none of it may be handled: in a lent chunk,
 * unless it is small or too large for one.
 */
import { CHUNK_BYTES, type Chunk, writeChunks } from '../io/chunk.ts'
import type { RequestScanner } from '../resp/request-scanner.ts'

/** From this size on it gets a chunk: a flood leaves such a rest with each slice. */
const LENT_BYTES_MIN = 4096

export class KeptRest {
  #chunk: Chunk | undefined

  get memoryBytes(): number {
    return this.#chunk === undefined ? 0 : CHUNK_BYTES
  }

  /** Keeps what the scanner has not handled. */
  keep(scanner: RequestScanner): void {
    // What was kept before has a place that is nobody else's.
    if (this.#chunk !== undefined) return
    const { restBytes } = scanner
    const isLent = restBytes >= LENT_BYTES_MIN && restBytes <= CHUNK_BYTES
    this.#chunk = isLent ? writeChunks.take() : undefined
    scanner.keepRest(this.#chunk?.bytes)
  }

  /** All of it has been handled. */
  giveBack(): void {
    if (this.#chunk === undefined) return
    writeChunks.giveBack(this.#chunk)
    this.#chunk = undefined
  }

  /** Leaves the chunk to whoever still reads from it. */
  forget(): void {
    this.#chunk = undefined
  }
}
