import { expect } from 'chai'
import { differenceOf, intersectionOf, unionOf } from '../../../lib/routing/reads/set-algebra.ts'

const numbers = (from: number, to: number): string[] => {
  return Array.from({ length: to - from }, (_, i) => `${from + i}`)
}

describe('set algebra', () => {
  it('joins sets, each member once', () => {
    expect(unionOf([['b', 'a'], ['a', 'c'], []])).to.deep.equal(['b', 'a', 'c'])
    expect(unionOf([])).to.deep.equal([])
  })

  it('keeps what all sets have, in the order of the smallest', () => {
    const sets = [
      ['a', 'b', 'c', 'd'],
      ['d', 'b', 'x'],
      ['x', 'a', 'b', 'd', 'z'],
    ]
    expect(intersectionOf(sets)).to.deep.equal(['d', 'b'])
    expect(intersectionOf([['b', 'a']])).to.deep.equal(['b', 'a'])
    expect(intersectionOf([['a'], [], ['a']])).to.deep.equal([])
  })

  it('takes away what any other set has', () => {
    expect(differenceOf(['c', 'b', 'a'], [['b'], ['x', 'a']])).to.deep.equal(['c'])
    expect(differenceOf(['c', 'b'], [])).to.deep.equal(['c', 'b'])
  })

  describe('order of integers', () => {
    const edges = ['-9223372036854775808', '-10', '-9', '0', '9', '10', '9223372036854775807']

    it('is ascending, to the edges of 64 bits', () => {
      const shuffled = [...edges].sort()
      expect(unionOf([shuffled])).to.deep.equal(edges)
      expect(intersectionOf([shuffled, shuffled])).to.deep.equal(edges)
      expect(differenceOf(shuffled, [])).to.deep.equal(edges)
    })

    it('is as it came when a member is no integer as Redis writes one', () => {
      for (const other of ['007', '-0', '+1', '1.0', '', ' 1', '9223372036854775808', 'x']) {
        expect(unionOf([['2', other, '1']]), other).to.deep.equal(['2', other, '1'])
      }
    })

    it('is as it came when there are more than Redis keeps sorted', () => {
      const descending = numbers(0, 513).reverse()
      expect(unionOf([descending])).to.deep.equal(descending)
      expect(unionOf([descending.slice(1)])).to.deep.equal(numbers(0, 512))
    })
  })
})
