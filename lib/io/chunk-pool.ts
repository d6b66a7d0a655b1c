/** Write buffers of one size, used again and again so that a busy turn allocates nothing. */

/** Bytes of one write buffer: large enough that a full one is worth its own system call. */
export const CHUNK_BYTES = 64 * 1024

/** Free buffers kept, 4 MB in all; more are left to the garbage collector. */
const FREE_CHUNKS_MAX = 64

const free: Buffer[] = []

export function takeChunk(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
}

/** The caller must be the buffer's only owner: nothing may still read it. */
export function returnChunk(chunk: Buffer): void {
  if (free.length < FREE_CHUNKS_MAX) free.push(chunk)
}
