import { expect } from 'chai'
import { HandOut } from '../../../lib/nearcache/memory/hand-out.ts'

const ARENA = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251))

/** What a sink got, and in how many pieces. */
class Got {
  readonly pieces: Buffer[] = []
  ended = 0

  reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    expect([tag, this.ended]).to.deep.equal([7, 0])
    this.pieces.push(Buffer.from(bytes.subarray(start, end)))
    if (last) this.ended++
  }

  failed(): void {}

  get bytes(): Buffer {
    return Buffer.concat(this.pieces)
  }
}

function given(ranges: readonly (readonly [number, number])[], header = ''): Got {
  const handOut = new HandOut(ARENA)
  const got = new Got()
  if (header !== '') handOut.begin(Buffer.from(header))
  for (const [at, [start, end]] of ranges.entries()) {
    handOut.give(start, end, got, 7, at === ranges.length - 1)
  }
  expect(got.ended).to.equal(1)
  const expected = ranges.map(([start, end]) => ARENA.subarray(start, end))
  expect(got.bytes.equals(Buffer.concat([Buffer.from(header), ...expected]))).to.equal(true)
  return got
}

describe('HandOut', () => {
  it('gives a reply of any length, at any place', () => {
    for (const length of [1, 5, 31, 32, 255, 256, 257, 5000]) given([[3, 3 + length]])
  })

  it('gathers short replies, with what stands in front of them, into one piece', () => {
    const got = given(
      [
        [0, 40],
        [500, 505],
        [90_000, 90_256],
      ],
      '*3\r\n',
    )
    expect(got.pieces).to.have.length(1)
  })

  it('keeps the order of short ones and long ones', () => {
    given(
      [
        [0, 40],
        [100, 9000],
        [50, 60],
      ],
      '*3\r\n',
    )
    given(
      [
        [100, 9000],
        [50, 60],
        [200, 4000],
      ],
      '*3\r\n',
    )
  })

  it('gives any number of them', () => {
    const many = Array.from({ length: 1000 }, (_, at) => [at, at + (at % 257)] as const)
    given([...many, [1, 2]], '*1001\r\n')
  })

  it('begins anew after the last', () => {
    const handOut = new HandOut(ARENA)
    for (let round = 0; round < 2; round++) {
      const got = new Got()
      handOut.give(10, 20, got, 7, true)
      expect(got.bytes).to.deep.equal(ARENA.subarray(10, 20))
    }
  })
})
