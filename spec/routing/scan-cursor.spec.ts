import { expect } from 'chai'
import { cursorAfter, parseCursor, positionOf } from '../../lib/routing/scan-cursor.ts'

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

describe('the cursor over several shards', () => {
  it('goes on where the shard was', () => {
    for (const shards of [2, 3, 4, 5, 8, 1024]) {
      for (const cursor of [1n, 2n, 12_345n, 2n ** 53n]) {
        for (const shard of [0, 1, shards - 1]) {
          const joined = cursorAfter({ shard, cursor }, shards)
          expect(positionOf(joined ?? 0n, shards)).to.deep.equal({ shard, cursor })
        }
      }
    }
  })

  it('goes on with the next shard when one is done, and ends after the last', () => {
    const ended = [0, 1, 2].map((shard) => cursorAfter({ shard, cursor: 0n }, 3))
    expect(ended).to.deep.equal([1n, 2n, 0n])
    expect(positionOf(2n, 3)).to.deep.equal({ shard: 2, cursor: 0n })
  })

  it("is the shard's own when there is one shard", () => {
    for (const cursor of [0n, 1n, LARGEST]) {
      expect(positionOf(cursor, 1)).to.deep.equal({ shard: 0, cursor })
      expect(cursorAfter({ shard: 0, cursor }, 1)).to.equal(cursor)
    }
  })

  it('names no shard that is not there', () => {
    expect(positionOf(3n, 3)).to.equal(undefined)
    expect(positionOf(7n, 5)).to.equal(undefined)
    expect(positionOf(3n, 4)).to.deep.equal({ shard: 3, cursor: 0n })
  })

  it('is never cut: a cursor that leaves no room has none', () => {
    expect(cursorAfter({ shard: 1, cursor: 2n ** 62n - 1n }, 3)).to.equal(LARGEST - 2n)
    expect(cursorAfter({ shard: 1, cursor: 2n ** 62n }, 3)).to.equal(undefined)
  })
})
