/**
 * Bytes on their way to one socket: gathers the bytes of one turn and writes them with one system
 * call. At most one write is under way at a time. Later bytes wait here rather than inside the
 * stream, so that they are counted and known to be unsent.
 */
import { CHUNK_BYTES, type Chunk, copyToChunk, copyWords, type Lent, writeChunks } from './chunk.ts'
import { regions } from './region.ts'
import type { Flushable, Turn } from './turn.ts'

/** The part of a socket that an outbox needs; a fake in specs. */
export interface ByteTarget {
  write(bytes: Uint8Array, done: (error?: Error | null) => void): unknown
  cork(): void
  uncork(): void
  /** Bytes accepted by `write` that the kernel has not taken yet. */
  readonly writableLength: number
  readonly destroyed?: boolean
  /** Calls back when it reads no written buffer any more. */
  once?(event: 'close', listener: () => void): unknown
}

/** Bytes handed over, by all outboxes that share it. */
export interface ByteCount {
  bytes: number
}

/** Sees all that is handed over, before it is written. */
export interface HandedBytes {
  /** They stand at `position` in the stream. `lent`: what they lie in, unless they fit a chunk. */
  handed(bytes: Buffer, lent: Lent | undefined, position: number): void
  /** The target is forgotten, and positions start again at 0. */
  clear(): void
}

/** Bytes that were not handed over. */
export interface UnsentPiece {
  readonly position: number
  readonly bytes: Buffer
  readonly length: number
  readonly lent: Lent | undefined
}

export interface OutboxOwner {
  /** Everything gathered so far has gone to the kernel, after a wait. */
  drained(): void
  /**
   * More is about to come that would go into the same write. The outbox then waits one turn
   * longer, once: with nothing else to do the next turn follows at once, so it costs no latency.
   */
  expectsMore(): boolean
}

/** From this size on, bytes get a buffer of their own: copying them twice costs more. */
export const LARGE_BYTES = 16 * 1024

export class Outbox implements Flushable {
  #target: ByteTarget | undefined
  /** The target opened last, also while nothing more is handed to it. */
  #opened: ByteTarget | undefined
  #chunk: Chunk | undefined
  #used = 0
  /** Full buffers before `#chunk`, oldest first. */
  #full: Buffer[] = []
  /** For each of them the lent memory that it lies in, if any. */
  #fullChunks: (Lent | undefined)[] = []
  #fullBytes = 0
  #writing = false
  /** Lent memory that the write under way reads from. With TLS no write ends at once. */
  #lent: (Lent | undefined)[] = []
  /** The turn has been asked to flush. */
  #dirty = false
  #deferred = false
  #handedBytes = 0
  #largestGivenBytes = 0
  #keeper: HandedBytes | undefined
  readonly #turn: Turn
  readonly #owner: OutboxOwner
  readonly #traffic: ByteCount
  readonly #written = (error?: Error | null): void => {
    // A socket that breaks ends its writes with an error, or without one if it was being read when
    // it broke. It must not be given what still waits, for that would count as sent.
    const failed = error !== undefined && error !== null
    if (!failed && this.#opened?.destroyed !== true) this.#afterWrite()
  }

  constructor(turn: Turn, owner: OutboxOwner, traffic: ByteCount = { bytes: 0 }) {
    this.#turn = turn
    this.#owner = owner
    this.#traffic = traffic
  }

  /** From now on `keeper` sees what is handed over. */
  keepIn(keeper: HandedBytes): void {
    this.#keeper = keeper
  }

  /** From now on `flush` writes to `target`; until then bytes gather. */
  open(target: ByteTarget): void {
    this.#target = target
    if (target !== this.#opened) this.#lendTo(target)
    this.#touch()
  }

  #lendTo(target: ByteTarget): void {
    this.#opened = target
    const lent: (Lent | undefined)[] = []
    this.#lent = lent
    target.once?.('close', () => letGoAll(lent))
  }

  /** Drops what was not handed over and forgets the target; positions start again at 0. */
  reset(): void {
    this.#target = undefined
    this.#opened = undefined
    if (this.#chunk !== undefined) writeChunks.giveBack(this.#chunk)
    this.#chunk = undefined
    this.#used = 0
    letGoAll(this.#fullChunks)
    this.#full = []
    this.#fullChunks = []
    this.#fullBytes = 0
    this.#writing = false
    // The socket that is left may read from them until it is closed.
    this.#lent = []
    this.#handedBytes = 0
    this.#largestGivenBytes = 0
    this.#keeper?.clear()
  }

  /**
   * Forgets the target but not the bytes from `position` on, none of which was handed over: they are
   * the first that the next target gets. `position` Infinity: there are none.
   */
  detach(position: number): void {
    this.#seal()
    let skip = position - this.#handedBytes
    const kept: Buffer[] = []
    const keptChunks: (Lent | undefined)[] = []
    for (const [i, buffer] of this.#full.entries()) {
      if (skip < buffer.length) {
        kept.push(skip > 0 ? buffer.subarray(skip) : buffer)
        keptChunks.push(this.#fullChunks[i])
        this.#fullChunks[i] = undefined
      }
      skip -= Math.min(skip, buffer.length)
    }
    this.reset()
    this.#full = kept
    this.#fullChunks = keptChunks
    for (const buffer of kept) {
      this.#fullBytes += buffer.length
      this.#largestGivenBytes = Math.max(this.#largestGivenBytes, buffer.length)
    }
  }

  /** Hands over nothing more until `open`; bytes gather. What a write has taken goes its way. */
  pause(): void {
    this.#target = undefined
  }

  /** Bytes handed to the socket since it was opened. */
  get handedBytes(): number {
    return this.#handedBytes
  }

  /** Position in the stream of bytes that the next appended byte gets. */
  get position(): number {
    return this.#handedBytes + this.#fullBytes + this.#used
  }

  /** What waits here, in the order of the stream. Valid until anything is appended or written. */
  get unsent(): readonly UnsentPiece[] {
    this.#seal()
    let end = this.#handedBytes
    return this.#full.map((bytes, i) => {
      const { length } = bytes
      const position = end
      end += length
      return { position, bytes, length, lent: this.#fullChunks[i] }
    })
  }

  /** Bytes that wait here or in the socket. */
  get waitingBytes(): number {
    const inSocket = this.#writing && this.#target !== undefined ? this.#target.writableLength : 0
    return this.#fullBytes + this.#used + inSocket
  }

  /** As `waitingBytes`, without the largest piece that may be among them. */
  get waitingBytesButLargest(): number {
    return this.waitingBytes - this.#largestGivenBytes
  }

  /** Appends a copy of `bytes[start, end)`. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start
    const chunk = this.#chunk
    const at = this.#used
    if (chunk === undefined || length > CHUNK_BYTES - at) {
      this.#appendToNext(bytes, start, end)
      return
    }
    copyToChunk(chunk, at, bytes, start, end)
    this.#used = at + length
    if (!this.#dirty) this.#touch()
  }

  /** Appends a copy of all of `first`, which is short, and of `bytes[start, end)` behind it. */
  appendBehind(first: Chunk, bytes: Uint8Array, start: number, end: number): void {
    const firstBytes = first.bytes.length
    const chunk = this.#chunk
    const at = this.#used
    if (chunk === undefined || firstBytes + end - start > CHUNK_BYTES - at) {
      this.append(first.bytes, 0, firstBytes)
      this.append(bytes, start, end)
      return
    }
    copyWords(chunk, at, first.view, 0, firstBytes)
    copyToChunk(chunk, at + firstBytes, bytes, start, end)
    this.#used = at + firstBytes + end - start
    if (!this.#dirty) this.#touch()
  }

  /** Appends `bytes` without copying; the caller never changes them again. */
  give(bytes: Buffer): void {
    this.lend(bytes, undefined)
  }

  /** As `give`, for bytes in lent memory, which is let go once they are written. */
  lend(bytes: Buffer, lent: Lent | undefined): void {
    this.#seal()
    this.#full.push(bytes)
    this.#fullChunks.push(lent)
    this.#fullBytes += bytes.length
    if (bytes.length > this.#largestGivenBytes) this.#largestGivenBytes = bytes.length
    this.#touch()
  }

  /** The turn has ended. */
  flush(): void {
    if (!this.#deferred && this.#owner.expectsMore()) {
      this.#deferred = true
      this.#turn.flushLater(this)
      return
    }
    this.#dirty = false
    this.#deferred = false
    this.flushNow()
  }

  /** Writes what there is before the turn ends, unless a write is under way. */
  flushNow(): void {
    const target = this.#target
    if (target === undefined || this.#writing) return
    if (this.#full.length > 0) this.#writeAll(target)
    else if (this.#chunk !== undefined && this.#used > 0) this.#writeChunk(target, this.#chunk)
  }

  #touch(): void {
    if (this.#dirty) return
    this.#dirty = true
    this.#turn.flushLater(this)
  }

  #appendToNext(bytes: Uint8Array, start: number, end: number): void {
    if (end - start > CHUNK_BYTES) {
      const region = regions.take(end - start)
      region.bytes.set(bytes.subarray(start, end))
      region.fill(end - start)
      this.lend(region.bytes, region)
      return
    }
    // A full chunk is worth its own write now: its buffer then serves again within the turn.
    this.flushNow()
    this.#seal()
    this.#chunk ??= writeChunks.take()
    this.append(bytes, start, end)
  }

  #seal(): void {
    if (this.#chunk === undefined || this.#used === 0) return
    this.#full.push(this.#chunk.bytes.subarray(0, this.#used))
    this.#fullChunks.push(this.#chunk)
    this.#fullBytes += this.#used
    this.#chunk = undefined
    this.#used = 0
  }

  #writeChunk(target: ByteTarget, chunk: Chunk): void {
    const bytes = chunk.bytes.subarray(0, this.#used)
    this.#chunk = undefined
    this.#keeper?.handed(bytes, chunk, this.#handedBytes)
    this.#handedBytes += this.#used
    this.#traffic.bytes += this.#used
    this.#used = 0
    target.write(bytes, this.#written)
    // The kernel took it all at once, so nobody reads the buffer any more.
    if (target.writableLength === 0) {
      writeChunks.giveBack(chunk)
    } else {
      this.#writing = true
      this.#lent.push(chunk)
    }
  }

  #writeAll(target: ByteTarget): void {
    this.#seal()
    const buffers = this.#full
    if (this.#keeper !== undefined) this.#show(this.#keeper)
    for (const lent of this.#fullChunks) this.#lent.push(lent)
    this.#full = []
    this.#fullChunks = []
    this.#handedBytes += this.#fullBytes
    this.#traffic.bytes += this.#fullBytes
    this.#fullBytes = 0
    target.cork()
    for (const buffer of buffers) target.write(buffer, this.#written)
    target.uncork()
    this.#writing = target.writableLength > 0
    if (this.#writing) return
    this.#largestGivenBytes = 0
    letGoAll(this.#lent)
  }

  #show(keeper: HandedBytes): void {
    for (const { bytes, lent, position } of this.unsent) keeper.handed(bytes, lent, position)
  }

  #afterWrite(): void {
    // Writes that ended at once call back late, and each corked buffer calls back once.
    if (!this.#writing || (this.#opened?.writableLength ?? 0) > 0) return
    this.#writing = false
    if (this.#target !== undefined) letGoAll(this.#lent)
    if (this.#full.length === 0) this.#largestGivenBytes = 0
    this.flushNow()
    if (!this.#writing) this.#owner.drained()
  }
}

/** Empties the list as well, since others may refer to it. */
function letGoAll(all: (Lent | undefined)[]): void {
  for (const lent of all) lent?.letGo()
  all.length = 0
}
