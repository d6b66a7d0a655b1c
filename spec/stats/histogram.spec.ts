import { expect } from 'chai'
import { BUCKETS, bucketOf, Histogram, quantileSeconds } from '../../lib/stats/histogram.ts'
import { createRandom, specSeed } from '../support/random.ts'

describe('Histogram', () => {
  it('counts what lies below bounds, exactly for 25 microseconds times powers of two', () => {
    const histogram = new Histogram()
    for (const micros of [0, 49, 50, 99, 100, 199, 200, 1_600_000]) histogram.record(micros / 1000)
    expect(histogram.countsBelow([0.00005, 0.0001, 0.0002, 1.6, 3.2])).to.deep.equal([
      ...[2, 4, 6, 7, 8],
    ])
    expect(histogram.count).to.equal(8)
    expect(histogram.sumSeconds).to.be.closeTo(1.600697, 1e-9)
  })

  it('counts equal ones at once', () => {
    const histogram = new Histogram()
    histogram.record(2, 1000)
    expect(histogram.count).to.equal(1000)
    expect(histogram.sumSeconds).to.be.closeTo(2, 1e-9)
    expect(quantileSeconds(histogram.counts, 0.5)).to.be.closeTo(0.002, 0.002 / 32)
  })

  it('keeps very long ones and impossible ones in its range', () => {
    const histogram = new Histogram()
    histogram.record(-1)
    histogram.record(1e9)
    expect(histogram.counts[0]).to.equal(1)
    expect(histogram.counts[BUCKETS - 1]).to.equal(1)
    expect(histogram.takeMaxMs()).to.equal(1e9)
    expect(histogram.takeMaxMs()).to.equal(0)
  })

  it('has buckets in order, each of whole microseconds', () => {
    let before = -1
    for (let micros = 0; micros < 1 << 12; micros++) {
      const bucket = bucketOf(micros / 1000 + 1e-7)
      expect(bucket - before, `${micros}`).to.be.oneOf([0, 1])
      before = bucket
    }
  })

  it('gives quantiles right within 1/32 and a microsecond, for any mixture', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 50; round++) {
      const histogram = new Histogram()
      const all = Array.from({ length: 1 + Math.floor(random.next() * 500) }, () => {
        return 10 ** (random.next() * 7 - 3)
      }).sort((one, other) => one - other)
      for (const ms of all) histogram.record(ms)
      for (const quantile of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
        const exact = (all[Math.max(1, Math.ceil(all.length * quantile)) - 1] as number) / 1000
        const given = quantileSeconds(histogram.counts, quantile)
        expect(Math.abs(given - exact), `seed ${random.seed}, ${exact}`).to.be.at.most(
          exact / 32 + 1e-6,
        )
      }
    }
  })

  it('has no quantile but 0 of nothing', () => {
    expect(quantileSeconds(new Histogram().counts, 0.99)).to.equal(0)
  })
})
