import { expect } from 'chai'
import { drawWeighted } from '../../../lib/routing/placement/draw.ts'

describe('drawWeighted', () => {
  it('draws each index over its share of [0, 1)', () => {
    const drawn = [0, 0.24, 0.25, 0.74, 0.75, 0.999].map((x) => drawWeighted([1, 2, 1], x))
    expect(drawn).to.deep.equal([0, 0, 1, 1, 2, 2])
  })

  it('never draws a weight of 0', () => {
    const drawn = [0, 0.5, 1 - 2 ** -53].map((x) => drawWeighted([0, 3, 0], x))
    expect(drawn).to.deep.equal([1, 1, 1])
  })

  it('draws nothing where nothing has weight', () => {
    expect(drawWeighted([], 0.5)).to.equal(-1)
    expect(drawWeighted([0, 0], 0.5)).to.equal(-1)
  })

  it('draws the last one that has weight when rounding leaves a rest', () => {
    // 0.1 + 0.2 + 0.3 is a little more than its parts subtracted in turn.
    expect(drawWeighted([0.1, 0.2, 0.3, 0], 1)).to.equal(2)
  })
})
