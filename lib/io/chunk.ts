/**
 * Buffers of one size that are used again and again, and the fastest way to fill them.
 *
 * Most of what a proxy copies is 10 to 200 bytes long. `Buffer.copy` costs 40 ns before the first
 * byte moves and a byte loop 0.7 ns a byte; four 32-bit words at a time through a DataView move
 * 40 bytes in 8 ns and 200 in 20 (bench/micro/copy.ts).
 */

import { MAPPED_BYTES } from './mapped.ts'
import { Slab } from './slab.ts'

/** Bytes of a write buffer: large enough that a full one is worth its own system call. */
export const CHUNK_BYTES = 64 * 1024

/** Bytes of the buffer in which one client's small replies wait for their turn. */
export const ARENA_BYTES = 16 * 1024

/**
 * Free chunks kept of each size: 40 MB in all if as many clients are ever busy in one turn. To map
 * and unmap memory in each turn costs more than it saves.
 */
const FREE_CHUNKS_MAX = 512

/** Chunks that stay for good. */
const FIRST_CHUNKS = 128

/** From here on the native copy is faster. */
export const WORDWISE_BYTES_MAX = 256

/** Lends memory and takes it back. */
export interface Lender {
  giveBack(chunk: Chunk): void
}

/** Memory that a lender has lent. */
export interface Lent {
  /** It has one more user. */
  keep(): void
  /** One of its users does not need it any more. */
  letGo(): void
}

export class Chunk implements Lent {
  readonly bytes: Buffer
  readonly view: DataView
  lender: Lender | undefined
  /** The slab that it was cut from. */
  readonly slab: Slab | undefined
  /** For lenders: how many users need it. */
  pieces = 0

  /** Takes the bytes, or their number. */
  constructor(bytes: Buffer | number, slab?: Slab) {
    this.bytes = typeof bytes === 'number' ? Buffer.allocUnsafeSlow(bytes) : bytes
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
    this.slab = slab
  }

  /** It has one more user. */
  keep(): void {
    this.pieces++
  }

  letGo(): void {
    this.lender?.giveBack(this)
  }
}

/** Chunks of one size, lent and taken back. */
export class ChunkPool implements Lender {
  readonly #bytes: number
  readonly #free: Chunk[] = []
  /** With more free chunks than this some may go back to the system. */
  #freeMax = FREE_CHUNKS_MAX
  /** The first one stays. */
  readonly #slabs: Slab[] = []

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  take(): Chunk {
    const chunk = this.#free.pop() ?? this.#cut()
    chunk.lender = this
    return chunk
  }

  /** The caller must be the chunk's only owner: nothing may still read it. */
  giveBack(chunk: Chunk): void {
    if (this.#free.push(chunk) > this.#freeMax) this.#trimFree()
  }

  /** Bytes of all chunks, lent or not, without the first ones, which stay for good. */
  get extraBytes(): number {
    let bytes = 0
    for (let i = 1; i < this.#slabs.length; i++) bytes += (this.#slabs[i] as Slab).cutBytes
    return bytes
  }

  /**
   * Gives slabs back that were idle at this look and at the last one; with `urgent` those that are idle now.
   */
  trim(urgent = false): void {
    this.#freeMax = FREE_CHUNKS_MAX
    if (this.#slabs.length < 2) return
    for (const [slab, lent] of this.#lentOfSlabs()) {
      if (lent === 0 && (urgent || slab.wasIdle)) this.#drop(slab)
      slab.wasIdle = lent === 0
    }
    // Chunks that stay are lent first, so that the others become idle.
    const [first] = this.#slabs
    this.#free.sort((one, other) => Number(one.slab === first) - Number(other.slab === first))
  }

  /**
   * Many chunks are free. Slabs that cannot go yet are looked at again when as many more chunks are free as
   * those slabs have lent now.
   */
  #trimFree(): void {
    let fewestLent = FREE_CHUNKS_MAX
    for (const [slab, lent] of this.#lentOfSlabs()) {
      if (lent === 0) this.#drop(slab)
      else if (lent < fewestLent) fewestLent = lent
    }
    this.#freeMax = Math.max(FREE_CHUNKS_MAX, this.#free.length + fewestLent - 1)
  }

  /** For each slab that may go, how many of its chunks are lent. */
  #lentOfSlabs(): Map<Slab, number> {
    const lent = new Map<Slab, number>()
    for (const slab of this.#slabs.slice(1)) lent.set(slab, slab.cutBytes / this.#bytes)
    for (const { slab } of this.#free) {
      const left = slab === undefined ? undefined : lent.get(slab)
      if (slab !== undefined && left !== undefined) lent.set(slab, left - 1)
    }
    return lent
  }

  #cut(): Chunk {
    const slab = this.#slabs.at(-1)
    const bytes = slab?.cut(this.#bytes)
    if (bytes !== undefined) return new Chunk(bytes, slab)
    this.#slabs.push(new Slab(slab === undefined ? FIRST_CHUNKS * this.#bytes : MAPPED_BYTES))
    return this.#cut()
  }

  #drop(slab: Slab): void {
    const kept = this.#free.filter((chunk) => chunk.slab !== slab)
    this.#free.length = 0
    for (const chunk of kept) this.#free.push(chunk)
    this.#slabs.splice(this.#slabs.indexOf(slab), 1)
    slab.release()
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
  const hasView = from.length <= CHUNK_BYTES || from === recentBytes
  if (end - start > WORDWISE_BYTES_MAX || !hasView) {
    chunk.bytes.set(from.subarray(start, end), at)
    return
  }
  copyWords(chunk, at, viewOf(from), start, end)
}

/** As `copyToChunk`, for a short piece of a buffer whose view the caller has. */
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
  // Both sides use the same byte order, so bytes come out as they went in.
  for (; i <= end - 16; i += 16, to += 16) {
    target.setInt32(to, source.getInt32(i, true), true)
    target.setInt32(to + 4, source.getInt32(i + 4, true), true)
    target.setInt32(to + 8, source.getInt32(i + 8, true), true)
    target.setInt32(to + 12, source.getInt32(i + 12, true), true)
  }
  for (; i <= end - 4; i += 4, to += 4) target.setInt32(to, source.getInt32(i, true), true)
  for (; i < end; i++, to++) target.setInt8(to, source.getInt8(i))
}

/** Whether the bytes of `view` from `at` on are those of `from[start, end)`. What differs is found soonest near the end. */
export function standsAt(
  view: DataView,
  at: number,
  from: Uint8Array,
  start: number,
  end: number,
): boolean {
  const theirs = viewOf(from)
  const shift = at - start
  let i = end
  while (i >= start + 4) {
    i -= 4
    if (view.getInt32(i + shift, true) !== theirs.getInt32(i, true)) return false
  }
  while (i > start) {
    i--
    if (view.getInt8(i + shift) !== theirs.getInt8(i)) return false
  }
  return true
}

/** The views of the two buffers last copied from: the read buffer nearly always, and one other. */
let recentBytes: Uint8Array = Buffer.alloc(0)
let recentView = new DataView(recentBytes.buffer)
let olderBytes = recentBytes
let olderView = recentView

/** What is copied next is from these bytes, which are many and lie there for good; `view`: of all of them. */
export function showView(bytes: Uint8Array, view: DataView): void {
  if (bytes === recentBytes) return
  olderBytes = recentBytes
  olderView = recentView
  recentBytes = bytes
  recentView = view
}

/** A view of all of `bytes`. The views of the two buffers last asked for are kept. */
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
