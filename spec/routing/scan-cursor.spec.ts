import { expect } from 'chai'
import {
  cursorAfter,
  parseCursor,
  positionOf,
  type ScannedShards,
  scannedShards,
} from '../../lib/routing/scan-cursor.ts'

const LARGEST = 2n ** 64n - 1n

describe('parseCursor', () => {
  it('reads what strtoul reads', () => {
    const cursors: [string, bigint][] = [
      ['0', 0n],
      ['00042', 42n],
      ['+7', 7n],
      ['', 0n],
      ['5\0junk', 5n],
      ['18446744073709551615', LARGEST],
      ['-1', LARGEST],
      ['-0', 0n],
    ]
    for (const [text, cursor] of cursors) expect(parseCursor(text), text).to.equal(cursor)
  })

  it('refuses what is no number, or one of more than 64 bits', () => {
    for (const text of ['x', '1x', ' 1', '1 ', '1.5', '0x10', '-', '18446744073709551616']) {
      expect(parseCursor(text), text).to.equal(undefined)
    }
  })
})

/** So many shards. */
function shardsOf(count: number): ScannedShards {
  return scannedShards(Array.from({ length: count }, (_, shard) => `shard ${shard}`))
}

describe('the cursor over several shards', () => {
  it('goes on where the shard was', () => {
    for (const count of [1, 2, 3, 4, 5, 8, 1024]) {
      const shards = shardsOf(count)
      for (const cursor of [1n, 2n, 12_345n, 2n ** 37n]) {
        for (const shard of new Set([0, count >> 1, count - 1])) {
          const joined = cursorAfter({ shard, cursor }, shards)
          expect(positionOf(joined ?? 0n, shards)).to.deep.equal({ shard, cursor })
        }
      }
    }
  })

  it('goes on with the next shard when one is done, and ends after the last', () => {
    const shards = shardsOf(3)
    const [first, second, third] = [0, 1, 2].map((shard) =>
      cursorAfter({ shard, cursor: 0n }, shards),
    )
    expect(positionOf(first ?? 0n, shards)).to.deep.equal({ shard: 1, cursor: 0n })
    expect(positionOf(second ?? 0n, shards)).to.deep.equal({ shard: 2, cursor: 0n })
    expect(third).to.equal(0n)
  })

  it('begins at the beginning with 0', () => {
    for (const count of [1, 2, 3, 1024]) {
      expect(positionOf(0n, shardsOf(count))).to.deep.equal({ shard: 0, cursor: 0n })
    }
  })

  it('begins anew where other shards have given it, one more, one less or others', () => {
    const cursor = cursorAfter({ shard: 1, cursor: 77n }, shardsOf(3)) ?? 0n
    for (const others of [shardsOf(1), shardsOf(2), shardsOf(4), scannedShards(['x', 'y', 'z'])]) {
      expect(positionOf(cursor, others)).to.deep.equal({ shard: 0, cursor: 0n })
    }
  })

  it('begins anew where it names no shard', () => {
    const { mark } = shardsOf(3)
    expect(positionOf((3n << 16n) | mark, shardsOf(3))).to.deep.equal({ shard: 0, cursor: 0n })
    expect(positionOf(LARGEST, shardsOf(3))).to.deep.equal({ shard: 0, cursor: 0n })
  })

  it('is small: with a thousand million keys on each of four shards a double holds it', () => {
    const largest = cursorAfter({ shard: 3, cursor: 2n ** 30n }, shardsOf(4)) ?? 0n
    expect(largest < 2n ** 53n).to.equal(true)
  })

  it('is never cut: a cursor that leaves no room has none', () => {
    const shards = shardsOf(3)
    const largest = { shard: 1, cursor: 2n ** 46n - 1n }
    expect(positionOf(cursorAfter(largest, shards) ?? 0n, shards)).to.deep.equal(largest)
    expect(cursorAfter({ shard: 1, cursor: 2n ** 46n }, shards)).to.equal(undefined)
  })
})
