import { expect } from 'chai'
import { shareOf } from '../../lib/views/seat.ts'

describe('shareOf', () => {
  it('is all of it for an ambassador that is alone', () => {
    expect(shareOf(10_000, undefined)).to.equal(10_000)
  })

  it('adds up to the whole, in parts that differ by one at most', () => {
    for (const count of [1, 2, 3, 7, 64]) {
      for (const total of [64, 100, 9999, 268_435_456]) {
        const shares = Array.from({ length: count }, (_, index) => shareOf(total, { index, count }))
        expect(shares.reduce((sum, share) => sum + share, 0)).to.equal(total)
        expect(Math.max(...shares) - Math.min(...shares)).to.be.at.most(1)
      }
    }
  })
})
