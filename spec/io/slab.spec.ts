import { expect } from 'chai'
import { CHUNK_BYTES, ChunkPool } from '../../lib/io/chunk.ts'
import { Slab } from '../../lib/io/slab.ts'

describe('Slab', () => {
  it('is cut into pieces side by side, until so many bytes are used', () => {
    const slab = new Slab(250)
    const [one, two, three] = [slab.cut(100), slab.cut(100), slab.cut(100)]
    expect([one?.length, two?.length, three]).to.deep.equal([100, 100, undefined])
    expect((two?.byteOffset ?? 0) - (one?.byteOffset ?? 0)).to.equal(100)
    expect(slab.cutBytes).to.equal(200)
    slab.release()
    expect(one?.length).to.equal(0)
  })
})

describe('a pool of many chunks', () => {
  it('counts those beyond what stays, and gives their memory back once they are idle', () => {
    const pool = new ChunkPool(CHUNK_BYTES)
    const lent = Array.from({ length: 300 }, () => pool.take())
    expect(pool.extraBytes).to.equal((300 - 128) * CHUNK_BYTES)
    for (const chunk of lent) pool.giveBack(chunk)
    pool.trim()
    expect(pool.extraBytes).to.equal((300 - 128) * CHUNK_BYTES)
    pool.trim()
    expect(pool.extraBytes).to.equal(0)
    expect(pool.take().bytes.length).to.equal(CHUNK_BYTES)
  })

  it('gives it back at once where that is urgent, but for what is lent', () => {
    const pool = new ChunkPool(CHUNK_BYTES)
    const lent = Array.from({ length: 129 }, () => pool.take())
    const last = lent.pop()
    for (const chunk of lent) pool.giveBack(chunk)
    pool.trim(true)
    expect([pool.extraBytes, last?.bytes.length]).to.deep.equal([CHUNK_BYTES, CHUNK_BYTES])
    if (last !== undefined) pool.giveBack(last)
    pool.trim(true)
    expect(pool.extraBytes).to.equal(0)
  })
})
