import { expect } from 'chai'
import { REPLICAS_LOOKED_FOR_MS } from '../../lib/limits.ts'
import { Headcount } from '../../lib/pool/headcount.ts'

describe('Headcount', () => {
  it('is content while the master has as many replicas as are known', () => {
    const headcount = new Headcount()
    expect(headcount.isLookDue(2, 2, 0)).to.equal(false)
    expect(headcount.isLookDue(2, 2, 1000)).to.equal(false)
  })

  it('has the map looked at once a second while they differ', () => {
    const headcount = new Headcount()
    const looks = [0, 100, 999, 1000, 1500, 2000].map((ms) => headcount.isLookDue(1, 0, ms))
    expect(looks).to.deep.equal([true, false, false, true, false, true])
  })

  it('gives up after a while, until the number changes', () => {
    const headcount = new Headcount()
    expect(headcount.isLookDue(3, 2, 0)).to.equal(true)
    expect(headcount.isLookDue(3, 2, REPLICAS_LOOKED_FOR_MS)).to.equal(false)
    expect(headcount.isLookDue(4, 2, REPLICAS_LOOKED_FOR_MS + 1)).to.equal(true)
  })
})
