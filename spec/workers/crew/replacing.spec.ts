import { expect } from 'chai'
import { idsAboveOf, restartDelayMs } from '../../../lib/workers/crew/replacing.ts'

describe('idsAboveOf', () => {
  it('leaves the first worker the ids of one that is alone', () => {
    expect(idsAboveOf(0)).to.equal(0)
  })

  it('leaves each worker more ids than it will need, and all of them exact', () => {
    expect(idsAboveOf(1)).to.equal(2 ** 38)
    expect(idsAboveOf(2) - idsAboveOf(1)).to.equal(2 ** 38)
    expect(Number.isSafeInteger(idsAboveOf(32_766) + 2 ** 38 - 1)).to.equal(true)
  })

  it('begins anew rather than give ids that are no exact numbers', () => {
    expect(idsAboveOf(32_767)).to.equal(0)
  })
})

describe('restartDelayMs', () => {
  it('is short at first, doubles, and has an end', () => {
    expect([0, 1, 2, 3].map(restartDelayMs)).to.deep.equal([100, 200, 400, 800])
    expect(restartDelayMs(7)).to.equal(10_000)
    expect(restartDelayMs(5000)).to.equal(10_000)
  })
})
