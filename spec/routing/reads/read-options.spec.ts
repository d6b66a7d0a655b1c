import { expect } from 'chai'
import {
  limitOption,
  scoreOptions,
  withScoresOption,
} from '../../../lib/routing/reads/read-options.ts'

const words = (text: string): string[] => (text === '' ? [] : text.split(' '))

describe('options of ZUNION and ZINTER', () => {
  const weightsOf = (text: string): readonly number[] | undefined => {
    return scoreOptions(words(`WEIGHTS ${text}`), words(text).length)?.weights
  }

  it('are weights of 1, sums and no scores by default', () => {
    const byDefault = { weights: [1, 1, 1], aggregate: 'SUM', withScores: false }
    expect(scoreOptions([], 3)).to.deep.equal(byDefault)
  })

  it('come in any order and case, and the last of several wins', () => {
    const text = 'aggregate min WithScores weights 2 3 Aggregate max WEIGHTS 4 5 WITHSCORES'
    const expected = { weights: [4, 5], aggregate: 'MAX', withScores: true }
    expect(scoreOptions(words(text), 2)).to.deep.equal(expected)
  })

  it('have weights as C reads decimal numbers and infinities', () => {
    const text = '1 -1 +2 .5 3. 1e3 1E-2 inf +INF -Infinity 0e-999 1e-320'
    const { POSITIVE_INFINITY: infinity } = Number
    const weights = [1, -1, 2, 0.5, 3, 1000, 0.01, infinity, infinity, -infinity, 0, 1e-320]
    expect(weightsOf(text)).to.deep.equal(weights)
  })

  it('are left to the shard when a weight is none or does not fit a double', () => {
    const others = ['', 'x', 'nan', '1e999', '-1e999', '1e-999', '1e', '.', '0x10', '1_0', '--1']
    for (const other of others) {
      expect(scoreOptions(['WEIGHTS', '1', other], 2), other).to.equal(undefined)
    }
  })

  it('are left to the shard when they are incomplete or unknown', () => {
    const others = ['WEIGHTS 1', 'WEIGHTS', 'AGGREGATE', 'AGGREGATE avg', 'AGGREGATE toString', 'X']
    for (const other of others) {
      expect(scoreOptions(words(other), 2), other).to.equal(undefined)
    }
  })
})

describe('options of ZDIFF', () => {
  it('are WITHSCORES or nothing', () => {
    expect(withScoresOption([])).to.equal(false)
    expect(withScoresOption(words('withscores WITHSCORES'))).to.equal(true)
    expect(withScoresOption(words('WITHSCORES x'))).to.equal(undefined)
  })
})

describe('options of SINTERCARD and ZINTERCARD', () => {
  it('are a limit, the last of several, where 0 means none', () => {
    expect(limitOption([])).to.equal(Number.POSITIVE_INFINITY)
    expect(limitOption(words('LIMIT 0'))).to.equal(Number.POSITIVE_INFINITY)
    expect(limitOption(words('limit 7'))).to.equal(7)
    expect(limitOption(words('LIMIT 7 LIMIT 8'))).to.equal(8)
  })

  it('are left to the shard when they are no more than that', () => {
    const others = ['LIMIT', 'LIMIT -1', 'LIMIT 01', 'LIMIT x', 'LIMIT 9999999999999999999', 'X 1']
    for (const other of others) expect(limitOption(words(other)), other).to.equal(undefined)
  })
})
