import { expect } from 'chai'
import { ARENA_BYTES, CHUNK_BYTES } from '../../lib/io/chunk.ts'
import { type Piece, shelve, unshelve } from '../../lib/io/shelf.ts'
import { watchPools } from '../support/lent-chunks.ts'
import { GARBAGE } from '../support/scan.ts'

function put(length: number, fill: number): Piece {
  const readBuffer = Buffer.alloc(length + 2, fill)
  const piece = shelve(readBuffer, 1, 1 + length)
  readBuffer.fill(GARBAGE)
  return piece
}

function holds({ chunk, start, end }: Piece, length: number, fill: number): boolean {
  return chunk.bytes.subarray(start, end).equals(Buffer.alloc(length, fill))
}

describe('shelve', () => {
  const pools = watchPools()

  it('keeps pieces close together, small ones and large ones apart', () => {
    const sizes = [0, 1, 512, 513, 4096, 40_000]
    const pieces = Array.from({ length: 60 }, (_, i) => put(sizes[i % 6] ?? 0, i))
    for (const [i, piece] of pieces.entries()) {
      expect(holds(piece, sizes[i % 6] ?? 0, i), String(i)).to.equal(true)
    }
    expect(pools.small.lent.size).to.equal(Math.ceil((10 * 513) / ARENA_BYTES))
    expect(pools.large.lent.size).to.equal(10)
    for (const piece of pieces) unshelve(piece)
    expect([pools.small.lent.size, pools.large.lent.size]).to.deep.equal([0, 0])
  })

  it('gives a chunk back with its last piece, whatever the order', () => {
    const pieces = Array.from({ length: 10 }, (_, i) => put(30_000, i))
    expect(pools.large.lent.size).to.equal(5)
    for (const i of [0, 3, 9, 5]) unshelve(pieces[i] as Piece)
    expect(pools.large.lent.size).to.equal(5)
    for (const i of [1, 2, 8]) unshelve(pieces[i] as Piece)
    expect(pools.large.lent.size).to.equal(2)
    for (const i of [4, 6, 7]) expect(holds(pieces[i] as Piece, 30_000, i)).to.equal(true)
    for (const i of [4, 6, 7]) unshelve(pieces[i] as Piece)
    expect(pools.large.lent.size).to.equal(0)
  })

  it('gives what is larger than a chunk one of its own', () => {
    const piece = put(CHUNK_BYTES + 1, 1)
    expect([pools.large.lent.size, holds(piece, CHUNK_BYTES + 1, 1)]).to.deep.equal([0, true])
    unshelve(piece)
  })
})
