/** Watches a pool of chunks: how many are lent, and that nobody reads one after giving it back. */
import { expect } from 'chai'
import { arenas, type Chunk, writeChunks } from '../../lib/io/chunk.ts'
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

/** For a `describe`: watches both pools during each spec. All must be given back by its end. */
export function watchPools(): { readonly small: LentChunks; readonly large: LentChunks } {
  const pools = {} as { small: LentChunks; large: LentChunks }
  beforeEach(() => {
    pools.small = new LentChunks(arenas)
    pools.large = new LentChunks(writeChunks)
  })
  afterEach(() => {
    pools.small.stop()
    pools.large.stop()
    const { small, large } = pools
    expect([small.lent.size, large.lent.size], 'chunks not given back').to.deep.equal([0, 0])
  })
  return pools
}
