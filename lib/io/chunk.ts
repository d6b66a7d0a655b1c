/**
 * Buffers of one size that are used again and again, and the fastest way to fill them.
 *
 * Most of what a proxy copies is 10 to 200 bytes long. `Buffer.copy` costs 40 ns before the first
 * byte moves and a byte loop 0.7 ns a byte; four 32-bit words at a time through a DataView move
 * 40 bytes in 8 ns and 200 in 20 (bench/micro/copy.ts).
 */

/** Bytes of a write buffer: large enough that a full one is worth its own system call. */
export const CHUNK_BYTES = 64 * 1024

/** Bytes of the buffer in which one client's small replies wait for their turn. */
export const ARENA_BYTES = 16 * 1024

/**
 * Free chunks kept of each size: 40 MB in all if as many clients are ever busy in one turn. What
 * the garbage collector gets instead makes it run all the time, for buffers weigh on it.
 */
const FREE_CHUNKS_MAX = 512

/** From here on the native copy is faster. */
export const WORDWISE_BYTES_MAX = 256

/** Who gets a chunk back from one who needs it no more. */
export interface Lender {
  giveBack(chunk: Chunk): void
}

export class Chunk {
  readonly bytes: Buffer
  readonly view: DataView
  lender: Lender | undefined
  /** How many pieces a shelf has put into it that are still needed. */
  pieces = 0

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length)
    this.view = new DataView(this.bytes.buffer)
  }
}

/** Chunks of one size, lent and taken back. */
export class ChunkPool implements Lender {
  readonly #bytes: number
  readonly #free: Chunk[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  take(): Chunk {
    const chunk = this.#free.pop() ?? new Chunk(this.#bytes)
    chunk.lender = this
    return chunk
  }

  /** The caller must be the chunk's only owner: nothing may still read it. */
  giveBack(chunk: Chunk): void {
    if (this.#free.length < FREE_CHUNKS_MAX) this.#free.push(chunk)
  }
}

export const writeChunks = new ChunkPool(CHUNK_BYTES)
export const arenas = new ChunkPool(ARENA_BYTES)

/** Copies `from[start, end)` to `chunk` at `at`. The caller has made sure that it fits. */
export function copyToChunk(
  chunk: Chunk,
  at: number,
  from: Uint8Array,
  start: number,
  end: number,
): void {
  if (end - start > WORDWISE_BYTES_MAX || from.length > CHUNK_BYTES) {
    chunk.bytes.set(from.subarray(start, end), at)
    return
  }
  copyWords(chunk, at, viewOf(from), start, end)
}

/** The same for short pieces of a buffer whose view the caller has. */
export function copyWords(
  chunk: Chunk,
  at: number,
  source: DataView,
  start: number,
  end: number,
): void {
  const target = chunk.view
  let i = start
  let to = at
  // The same byte order on both sides: bytes come out as they went in.
  for (; i <= end - 16; i += 16, to += 16) {
    target.setInt32(to, source.getInt32(i, true), true)
    target.setInt32(to + 4, source.getInt32(i + 4, true), true)
    target.setInt32(to + 8, source.getInt32(i + 8, true), true)
    target.setInt32(to + 12, source.getInt32(i + 12, true), true)
  }
  for (; i <= end - 4; i += 4, to += 4) target.setInt32(to, source.getInt32(i, true), true)
  for (; i < end; i++, to++) target.setInt8(to, source.getInt8(i))
}

/** The views of the two buffers last copied from: the read buffer nearly always, and one other. */
let recentBytes: Uint8Array = Buffer.alloc(0)
let recentView = new DataView(recentBytes.buffer)
let olderBytes = recentBytes
let olderView = recentView

/** A view of all of `bytes`; made anew only if it is none of the two buffers last asked for. */
function viewOf(bytes: Uint8Array): DataView {
  if (bytes === recentBytes) return recentView
  const view =
    bytes === olderBytes
      ? olderView
      : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  olderBytes = recentBytes
  olderView = recentView
  recentBytes = bytes
  recentView = view
  return view
}
