/**
 * Gives replies out of the arena. A native copy makes an object each time, which took longer than all else of a hit:
 * short replies are copied word by word, and those of one MGET are gathered before.
 */
import {
  ARENA_BYTES,
  Chunk,
  copyWords,
  showView,
  standsAt,
  WORDWISE_BYTES_MAX,
} from '../../io/chunk.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'

export class HandOut {
  readonly #arena: Buffer
  /** Of the arena. */
  readonly #view: DataView
  readonly #gathered = new Chunk(ARENA_BYTES)
  #used = 0

  constructor(arena: Buffer) {
    this.#arena = arena
    this.#view = new DataView(arena.buffer, arena.byteOffset, arena.length)
  }

  /** Gives `arena[start, end)`, and before it what has been gathered. The sink copies it within the call. */
  give(start: number, end: number, sink: ReplySink, tag: number, last: boolean): void {
    const isShort = end - start <= WORDWISE_BYTES_MAX
    if (!isShort || this.#used + end - start > ARENA_BYTES) this.#flush(sink, tag)
    if (!isShort || (last && this.#used === 0)) {
      showView(this.#arena, this.#view)
      sink.reply(tag, this.#arena, start, end, last)
      return
    }
    copyWords(this.#gathered, this.#used, this.#view, start, end)
    this.#used += end - start
    if (last) this.#flush(sink, tag, true)
  }

  /** Whether `head` and behind it `bytes[start, end)` lie in the arena at `at`. */
  holds(at: number, head: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
    for (let i = 0; i < head.length; i++) if (this.#arena[at + i] !== head[i]) return false
    return standsAt(this.#view, at + head.length, bytes, start, end)
  }

  /** Puts a few bytes in front of what is given next. */
  begin(header: Buffer): void {
    this.#gathered.bytes.set(header)
    this.#used = header.length
  }

  #flush(sink: ReplySink, tag: number, last = false): void {
    const length = this.#used
    this.#used = 0
    if (length > 0) sink.reply(tag, this.#gathered.bytes, 0, length, last)
  }
}
