/**
 * Holds the bytes that came while no request of their client may be handled. Larger rests lie in a lent
 * chunk, since a flood leaves a rest with each slice.
 */
import { CHUNK_BYTES, type Chunk, writeChunks } from '../../io/chunk.ts'
import type { RequestScanner } from '../../resp/request-scanner.ts'

/** Rests from this size on wait in a lent chunk. */
export const LENT_REST_BYTES_MIN = 4096

export class KeptRest {
  #chunk: Chunk | undefined

  /** Bytes of memory lent for it. */
  get lentBytes(): number {
    return this.#chunk === undefined ? 0 : CHUNK_BYTES
  }

  /** Keeps what the scanner has not scanned. */
  keep(scanner: RequestScanner): void {
    // An earlier rest has its own place already.
    if (this.#chunk !== undefined) return
    const { restBytes } = scanner
    const lent = restBytes >= LENT_REST_BYTES_MIN && restBytes <= CHUNK_BYTES
    this.#chunk = lent ? writeChunks.take() : undefined
    scanner.keepRest(this.#chunk?.bytes)
  }

  /** All of it has been scanned, or never will be. */
  letGo(): void {
    if (this.#chunk === undefined) return
    writeChunks.giveBack(this.#chunk)
    this.#chunk = undefined
  }
}
