/** Watches a pool of chunks: how many are lent, and that nobody reads one after giving it back. */
import type { arenas, Chunk } from '../../lib/io/chunk.ts'
import { GARBAGE } from './scan.ts'

export class LentChunks {
  readonly lent = new Set<Chunk>()
  readonly #pool: typeof arenas
  readonly #take: () => Chunk
  readonly #giveBack: (chunk: Chunk) => void

  constructor(pool: typeof arenas) {
    this.#pool = pool
    this.#take = pool.take
    this.#giveBack = pool.giveBack
    pool.take = () => {
      const chunk = this.#take.call(pool)
      this.lent.add(chunk)
      return chunk
    }
    pool.giveBack = (chunk) => {
      if (!this.lent.delete(chunk)) throw new Error('a chunk was given back twice')
      chunk.bytes.fill(GARBAGE)
      this.#giveBack.call(pool, chunk)
    }
  }

  /** Leaves the pool as it was. */
  stop(): void {
    this.#pool.take = this.#take
    this.#pool.giveBack = this.#giveBack
  }
}
