/**
 * What a connection has handed to its socket, until the replies have come: a server that refuses a request has not
 * executed it, and another is sent the same bytes. What is short is copied, once a turn, into chunks one behind the
 * other; what is long stays where it is.
 */
import { CHUNK_BYTES, type Chunk, type Lent, writeChunks } from '../../../io/chunk.ts'
import type { ByteCount, HandedBytes } from '../../../io/outbox.ts'
import { regions } from '../../../io/region.ts'
import { shelve } from '../../../io/shelf.ts'

/** `bytes[start, end)`, which stay as they are until `memory` is let go; without it for ever. */
export interface KeptBytes {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly memory: Lent | undefined
}

/** Bytes of the stream that lie in one piece. */
export interface StreamPiece {
  /** Where the first byte stands in the stream. */
  readonly position: number
  /** Only the first `length` bytes are of the stream. */
  readonly bytes: Buffer
  readonly length: number
  /** What they lie in; undefined: they never change. */
  readonly lent: Lent | undefined
}

interface SentPiece extends StreamPiece {
  length: number
}

export class SentBytes implements HandedBytes {
  /** Oldest first. */
  #pieces: SentPiece[] = []
  /** The chunk that is being filled, in which the newest piece lies. */
  #chunk: Chunk | undefined
  readonly #count: ByteCount

  /** `count`: bytes that are kept, by all that share it. */
  constructor(count: ByteCount) {
    this.#count = count
  }

  /** HandedBytes */
  handed(bytes: Buffer, lent: Lent | undefined, position: number): void {
    this.#count.bytes += bytes.length
    if (bytes.length > CHUNK_BYTES) {
      lent?.keep()
      this.#chunk = undefined
      this.#pieces.push({ position, bytes, length: bytes.length, lent })
      return
    }
    const newest = this.#chunk && this.#pieces.at(-1)
    if (newest === undefined || newest.length + bytes.length > CHUNK_BYTES) {
      const chunk = writeChunks.take()
      chunk.bytes.set(bytes)
      this.#chunk = chunk
      this.#pieces.push({ position, bytes: chunk.bytes, length: bytes.length, lent: chunk })
    } else {
      newest.bytes.set(bytes, newest.length)
      newest.length += bytes.length
    }
  }

  /** What stands before `position` in the stream has been answered. */
  release(position: number): void {
    const pieces = this.#pieces
    let count = 0
    while (count < pieces.length && endOf(pieces[count] as SentPiece) <= position) count++
    if (count === 0) return
    if (count === pieces.length) this.#chunk = undefined
    for (const { length, lent } of pieces.splice(0, count)) {
      this.#count.bytes -= length
      lent?.letGo()
    }
  }

  /** The stream is over, and positions start again at 0. */
  clear(): void {
    this.release(Number.POSITIVE_INFINITY)
  }

  /** Oldest first. */
  get pieces(): readonly StreamPiece[] {
    return this.#pieces
  }
}

/** Reads requests out of the pieces of a stream, each behind the one before it. */
export class StreamReader {
  readonly #pieces: readonly StreamPiece[]
  #index = 0

  /** `pieces`: in the order of the stream, without a gap. */
  constructor(pieces: readonly StreamPiece[]) {
    this.#pieces = pieces
  }

  /** Keeps bytes `[start, end)` of the stream for the caller. */
  keep(start: number, end: number): KeptBytes {
    while (endOf(this.#piece) <= start) this.#index++
    const piece = this.#piece
    if (end > endOf(piece)) return this.#join(start, end)
    const from = start - piece.position
    const to = from + end - start
    if (piece.bytes.length > CHUNK_BYTES) {
      piece.lent?.keep()
      return { bytes: piece.bytes, start: from, end: to, memory: piece.lent }
    }
    const { chunk, start: at, end: atEnd } = shelve(piece.bytes, from, to)
    return { bytes: chunk.bytes, start: at, end: atEnd, memory: chunk }
  }

  #join(start: number, end: number): KeptBytes {
    const length = end - start
    const region = regions.take(length)
    region.fill(length)
    let at = start
    for (let i = this.#index; at < end; i++) {
      const piece = this.#pieces[i] as StreamPiece
      const from = at - piece.position
      const to = Math.min(piece.length, from + end - at)
      region.bytes.set(piece.bytes.subarray(from, to), at - start)
      at += to - from
    }
    return { bytes: region.bytes, start: 0, end: length, memory: region }
  }

  get #piece(): StreamPiece {
    return this.#pieces[this.#index] as StreamPiece
  }
}

function endOf({ position, length }: StreamPiece): number {
  return position + length
}
