import { expect } from 'chai'
import {
  differenceOfScored,
  intersectionOfScored,
  type ScoredInput,
  unionOfScored,
} from '../../../lib/routing/reads/sorted-set-algebra.ts'

const INFINITY = Number.POSITIVE_INFINITY

const input = (scores: Readonly<Record<string, number>>, weight = 1): ScoredInput => {
  return { scores: new Map(Object.entries(scores)), weight }
}

describe('sorted set algebra', () => {
  const inputs = [input({ a: 1, b: 2, c: 3 }), input({ b: 10, d: 20 }, 2)]

  it('adds, or takes the least or the greatest of, weighted scores', () => {
    expect(unionOfScored(inputs, 'SUM')).to.deep.equal([
      ['a', 1],
      ['c', 3],
      ['b', 22],
      ['d', 40],
    ])
    expect(unionOfScored(inputs, 'MIN')).to.deep.equal([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 40],
    ])
    expect(unionOfScored(inputs, 'MAX')).to.deep.equal([
      ['a', 1],
      ['c', 3],
      ['b', 20],
      ['d', 40],
    ])
    expect(intersectionOfScored(inputs, 'SUM')).to.deep.equal([['b', 22]])
    expect(intersectionOfScored(inputs, 'MIN')).to.deep.equal([['b', 2]])
    expect(intersectionOfScored(inputs, 'MAX')).to.deep.equal([['b', 20]])
  })

  it('takes the least or the greatest wherever it stands', () => {
    const first = [input({ a: 1 }), input({ a: 2 }), input({ a: 0 })]
    expect(unionOfScored(first, 'MAX')).to.deep.equal([['a', 2]])
    expect(unionOfScored(first, 'MIN')).to.deep.equal([['a', 0]])
  })

  it('has no result without inputs or members', () => {
    expect(unionOfScored([], 'SUM')).to.deep.equal([])
    expect(intersectionOfScored([input({ a: 1 }), input({})], 'SUM')).to.deep.equal([])
  })

  it('orders equal scores by bytes, a prefix first', () => {
    const scores = { '\xff': 0, ab: -0, a: 0, '\x00': 0, z: -1 }
    const members = unionOfScored([input(scores)], 'SUM').map(([member]) => member)
    expect(members).to.deep.equal(['z', '\x00', 'a', 'ab', '\xff'])
  })

  it('orders infinities at the ends', () => {
    const scores = { a: INFINITY, b: 0, c: -INFINITY, d: INFINITY }
    const members = unionOfScored([input(scores)], 'SUM').map(([member]) => member)
    expect(members).to.deep.equal(['c', 'b', 'a', 'd'])
  })

  it('counts infinity minus infinity, and infinity times nothing, as 0', () => {
    const opposite = [input({ a: INFINITY }), input({ a: -INFINITY })]
    const nothing = [input({ a: INFINITY }, 0)]
    expect(unionOfScored(opposite, 'SUM')).to.deep.equal([['a', 0]])
    expect(intersectionOfScored(opposite, 'SUM')).to.deep.equal([['a', 0]])
    expect(unionOfScored(nothing, 'MAX')).to.deep.equal([['a', 0]])
    expect(intersectionOfScored(nothing, 'MAX')).to.deep.equal([['a', 0]])
  })

  it('never takes a product that is no number as least or greatest', () => {
    const inputs = [input({ a: 5 }), input({ a: INFINITY }, 0)]
    expect(intersectionOfScored(inputs, 'MIN')).to.deep.equal([['a', 5]])
    expect(intersectionOfScored(inputs, 'MAX')).to.deep.equal([['a', 5]])
    // As in Redis, where a union counts such a product as 0 and an intersection passes it over.
    expect(unionOfScored(inputs, 'MIN')).to.deep.equal([['a', 0]])
  })

  it('adds from the smallest set on, as the last bits of a sum depend on it', () => {
    const large = input({ a: 0.3, b: 1, c: 1 })
    const middle = input({ a: 0.2, b: 1 })
    const small = input({ a: 0.1 })
    const sums = [large, middle, small]
    expect(intersectionOfScored(sums, 'SUM')).to.deep.equal([['a', 0.1 + 0.2 + 0.3]])
    expect(unionOfScored(sums, 'SUM')[0]).to.deep.equal(['a', 0.1 + 0.2 + 0.3])
    expect(0.1 + 0.2 + 0.3).not.to.equal(0.3 + 0.2 + 0.1)
  })

  it('keeps the order of equally large sets', () => {
    const sums = [0.3, 0.2, 0.1].map((score) => input({ a: score }))
    expect(unionOfScored(sums, 'SUM')).to.deep.equal([['a', 0.3 + 0.2 + 0.1]])
  })

  it('takes away members of other sets and keeps scores and order', () => {
    const first = [
      ['b', 1],
      ['a', 2],
      ['c', 2],
    ] as const
    expect(differenceOfScored(first, [['a'], ['x']])).to.deep.equal([
      ['b', 1],
      ['c', 2],
    ])
    expect(differenceOfScored(first, [])).to.deep.equal(first)
  })
})
