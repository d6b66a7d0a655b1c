/** Large requests in flight. */
import { expect } from 'chai'
import { LargeRequests } from '../../../lib/downstream/flow/large-requests.ts'
import { LARGE_BYTES } from '../../../lib/io/outbox.ts'

describe('LargeRequests', () => {
  it('are counted until they have their replies, in whichever order', () => {
    const large = new LargeRequests()
    large.opened(1, LARGE_BYTES)
    large.opened(2, LARGE_BYTES + 5)
    expect(large.bytes).to.equal(2 * LARGE_BYTES + 5)
    large.settled(2)
    large.settled(2)
    expect(large.bytes).to.equal(LARGE_BYTES)
    large.settled(1)
    expect(large.bytes).to.equal(0)
  })

  it('are no small ones', () => {
    const large = new LargeRequests()
    large.opened(1, LARGE_BYTES - 1)
    expect(large.bytes).to.equal(0)
    large.settled(1)
    expect(large.bytes).to.equal(0)
  })
})
