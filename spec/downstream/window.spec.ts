import { expect } from 'chai'
import { windowAfterReply } from '../../lib/downstream/session.ts'
import { WINDOW_BYTES } from '../../lib/limits.ts'

describe('windowAfterReply', () => {
  it('grows by one with each answer, to its bound', () => {
    expect(windowAfterReply(8, 256, 5)).to.equal(9)
    expect(windowAfterReply(256, 256, 5)).to.equal(256)
    expect(windowAfterReply(1000, 256, 5)).to.equal(256)
  })

  it('is no wider than recent replies allow, and lets one request through whatever they were', () => {
    expect(windowAfterReply(100, 256, WINDOW_BYTES / 8)).to.equal(8)
    expect(windowAfterReply(100, 256, 10 * WINDOW_BYTES)).to.equal(1)
  })
})
