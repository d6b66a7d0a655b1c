import { expect } from 'chai'
import {
  ARENA_BYTES,
  arenas,
  CHUNK_BYTES,
  Chunk,
  copyToChunk,
  copyWords,
  showView,
  standsAt,
  WORDWISE_BYTES_MAX,
  writeChunks,
} from '../../lib/io/chunk.ts'
import { createRandom, specSeed } from '../support/random.ts'

const LENGTH_MAX = 600
const BLANK = 0xee

/** Bytes 0, 1, 2 ... 250, 0, 1 ...: neighbours differ, and so do places a word or a page apart. */
function countingBytes(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => i % 251))
}

function expectCopied(chunk: Chunk, at: number, expected: Uint8Array, message: string): void {
  expect(chunk.bytes.subarray(at, at + expected.length).equals(expected), message).to.equal(true)
  const around = [chunk.bytes[at - 1] ?? BLANK, chunk.bytes[at + expected.length] ?? BLANK]
  expect(around, message).to.deep.equal([BLANK, BLANK])
}

describe('standsAt', () => {
  const theirs = countingBytes(64)

  it('finds equal bytes of every length, from every alignment at every alignment', () => {
    for (let length = 0; length <= 24; length++) {
      for (let alignment = 0; alignment < 16; alignment++) {
        const [start, at] = [alignment % 4, alignment >> 2]
        const ours = Buffer.alloc(64, BLANK)
        theirs.copy(ours, at, start, start + length)
        const view = new DataView(ours.buffer, ours.byteOffset, ours.length)
        expect(standsAt(view, at, theirs, start, start + length), `${length}`).to.equal(true)
        for (let other = at; other < at + length; other++) {
          ours[other] = (ours[other] as number) ^ 0x80
          expect(standsAt(view, at, theirs, start, start + length), `${other}`).to.equal(false)
          ours[other] = (ours[other] as number) ^ 0x80
        }
      }
    }
  })
})

describe('copyToChunk', () => {
  const source = countingBytes(LENGTH_MAX + 16)

  it('copies every length from every alignment to every alignment, and nothing around it', () => {
    const chunk = new Chunk(1024)
    for (let length = 0; length <= LENGTH_MAX; length += 1) {
      for (let alignment = 0; alignment < 16; alignment += 1) {
        const [start, at] = [alignment % 4, alignment >> 2]
        chunk.bytes.fill(BLANK)
        copyToChunk(chunk, at, source, start, start + length)
        const expected = source.subarray(start, start + length)
        expectCopied(chunk, at, expected, `${length} bytes from ${start} to ${at}`)
      }
    }
  })

  it('copies to the last byte of a chunk, and from the last byte of a buffer', () => {
    const chunk = new Chunk(1024)
    for (const length of [1, 3, 4, 16, 31, WORDWISE_BYTES_MAX, WORDWISE_BYTES_MAX + 1]) {
      chunk.bytes.fill(BLANK)
      copyToChunk(chunk, 1024 - length, source, source.length - length, source.length)
      expectCopied(chunk, 1024 - length, source.subarray(-length), String(length))
    }
  })

  it('copies from many buffers in turn, small and large, whole and part of another', () => {
    const random = createRandom(specSeed())
    const large = countingBytes(3 * CHUNK_BYTES)
    const buffers = [source, large, ...Array.from({ length: 4 }, () => random.bytes(400))]
    // Parts of one memory, in which the same offset means another byte.
    for (const offset of [1, 77, 5000]) buffers.push(large.subarray(offset, offset + 500))
    const chunk = new Chunk(1024)
    for (let round = 0; round < 5000; round += 1) {
      const from = random.pick(buffers)
      const length = random.integer(0, Math.min(400, from.length))
      const start = random.integer(0, from.length - length + 1)
      chunk.bytes.fill(BLANK)
      copyToChunk(chunk, 8, from, start, start + length)
      expectCopied(chunk, 8, from.subarray(start, start + length), `seed ${random.seed}`)
    }
  })

  it('copies from a buffer of any size whose view it was shown, as from those around it', () => {
    const large = countingBytes(3 * CHUNK_BYTES)
    const small = countingBytes(100).reverse()
    const chunk = new Chunk(1024)
    for (const length of [1, 17, 256, 257]) {
      showView(large, new DataView(large.buffer, large.byteOffset, large.length))
      for (const from of [large, small, large]) {
        const start = from.length - Math.min(length, from.length)
        chunk.bytes.fill(BLANK)
        copyToChunk(chunk, 8, from, start, from.length)
        expectCopied(chunk, 8, from.subarray(start), `${length} of ${from.length}`)
      }
    }
  })

  it('does the same with a view', () => {
    const chunk = new Chunk(1024)
    const part = source.subarray(3, 403)
    const view = new DataView(part.buffer, part.byteOffset, part.length)
    for (let length = 0; length <= 390; length += 1) {
      chunk.bytes.fill(BLANK)
      copyWords(chunk, 5, view, 7, 7 + length)
      expectCopied(chunk, 5, part.subarray(7, 7 + length), String(length))
    }
  })
})

describe('chunk pools', () => {
  for (const [pool, bytes] of [
    [writeChunks, CHUNK_BYTES],
    [arenas, ARENA_BYTES],
  ] as const) {
    it(`lend chunks of ${bytes} bytes, each to one at a time`, () => {
      const [first, second] = [pool.take(), pool.take()]
      expect(first).to.not.equal(second)
      expect([first.bytes.length, second.view.byteLength]).to.deep.equal([bytes, bytes])
      pool.giveBack(first)
      expect(pool.take()).to.equal(first)
      pool.giveBack(first)
      pool.giveBack(second)
    })
  }

  it('keep a bounded number of free ones', () => {
    const lent = Array.from({ length: 2000 }, () => arenas.take())
    for (const chunk of lent) arenas.giveBack(chunk)
    const known = new Set(lent)
    const again = Array.from({ length: 2000 }, () => arenas.take())
    const reused = again.filter((chunk) => known.has(chunk)).length
    expect(reused).to.be.within(1, 1000)
  })
})
