/**
 * Holds replies that will soon be copied or written once. Those of all clients and commands lie one
 * behind the other in lent chunks; a buffer for each would keep the garbage collector busy.
 */
import {
  arenas,
  CHUNK_BYTES,
  type Chunk,
  type ChunkPool,
  copyToChunk,
  type Lender,
  writeChunks,
} from './chunk.ts'
import { regions } from './region.ts'

/** Bytes `[start, end)` of a chunk that stay until `chunk.lender` gets it back, once for each piece. */
export interface Piece {
  readonly chunk: Chunk
  readonly start: number
  readonly end: number
}

class Shelf implements Lender {
  readonly #pool: ChunkPool
  readonly #pieceBytesMax: number
  /** The chunk that is being filled. */
  #chunk: Chunk | undefined
  #used = 0

  constructor(pool: ChunkPool, pieceBytesMax: number) {
    this.#pool = pool
    this.#pieceBytesMax = pieceBytesMax
  }

  /** Copies `bytes[start, end)`. A piece larger than a chunk gets a chunk of its own. */
  put(bytes: Uint8Array, start: number, end: number): Piece {
    const length = end - start
    if (length > this.#pieceBytesMax) return ownPiece(bytes, start, end)
    let chunk = this.#chunk
    if (chunk === undefined || length > chunk.bytes.length - this.#used) {
      chunk = this.#pool.take()
      chunk.lender = this
      this.#chunk = chunk
      this.#used = 0
    }
    const at = this.#used
    copyToChunk(chunk, at, bytes, start, end)
    this.#used = at + length
    chunk.pieces++
    return { chunk, start: at, end: at + length }
  }

  /** One piece is not needed any more; with its last piece the chunk goes back. */
  giveBack(chunk: Chunk): void {
    if (--chunk.pieces > 0) return
    if (chunk === this.#chunk) this.#chunk = undefined
    this.#pool.giveBack(chunk)
  }
}

function ownPiece(bytes: Uint8Array, start: number, end: number): Piece {
  const chunk = regions.take(end - start)
  chunk.fill(end - start)
  copyToChunk(chunk, 0, bytes, start, end)
  return { chunk, start: 0, end: end - start }
}

/**
 * Replies up to this size lie in smaller chunks, so that one that waits long keeps little memory.
 */
const SMALL_PIECE_BYTES_MAX = 512

const smallPieces = new Shelf(arenas, SMALL_PIECE_BYTES_MAX)
const largePieces = new Shelf(writeChunks, CHUNK_BYTES)

export function shelve(bytes: Uint8Array, start: number, end: number): Piece {
  const shelf = end - start <= SMALL_PIECE_BYTES_MAX ? smallPieces : largePieces
  return shelf.put(bytes, start, end)
}

export function unshelve({ chunk }: Piece): void {
  chunk.letGo()
}
