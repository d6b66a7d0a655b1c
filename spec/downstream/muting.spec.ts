/** Which replies a client gets that wants fewer, request by request. */
import { expect } from 'chai'
import { Muting } from '../../lib/downstream/muting.ts'

type Step = 'on' | 'off' | 'skip' | 'reset' | 'empty' | 'other'

/** For each step, a request of its own, whether its reply is dropped. */
function dropped(...steps: readonly Step[]): boolean[] {
  let emptyRequests = 7
  const muting = new Muting(emptyRequests)
  return steps
    .map((step) => {
      if (step === 'empty') {
        emptyRequests++
        return undefined
      }
      muting.begin(emptyRequests)
      if (step !== 'other') muting[step]()
      return muting.drops
    })
    .filter((drops) => drops !== undefined)
}

describe('Muting', () => {
  it('drops all replies between OFF and ON', () => {
    expect(dropped('other', 'off', 'other', 'on', 'other')).to.deep.equal([
      ...[false, true, true, false, false],
    ])
  })

  it('drops the reply behind SKIP and no other', () => {
    expect(dropped('skip', 'other', 'other')).to.deep.equal([false, true, false])
  })

  it('drops one reply more with each SKIP, never two with one', () => {
    expect(dropped('skip', 'skip', 'other', 'other')).to.deep.equal([false, true, true, false])
  })

  it('knows no SKIP within OFF', () => {
    expect(dropped('off', 'skip', 'on', 'other')).to.deep.equal([true, true, false, false])
  })

  it('gives the reply to ON behind SKIP', () => {
    expect(dropped('skip', 'on', 'other')).to.deep.equal([false, false, false])
  })

  it('lets an empty request be the one that SKIP is about', () => {
    expect(dropped('skip', 'empty', 'other')).to.deep.equal([false, false])
    expect(dropped('empty', 'skip', 'other')).to.deep.equal([false, true])
  })

  it('ends OFF with RESET, but drops the reply to a RESET behind SKIP', () => {
    expect(dropped('off', 'reset', 'other')).to.deep.equal([true, false, false])
    expect(dropped('skip', 'reset', 'other')).to.deep.equal([false, true, false])
  })

  it('remembers what a transaction has asked for in the middle until the next request', () => {
    const muting = new Muting(0)
    muting.begin(0)
    muting.skip()
    muting.on()
    expect(muting.drops).to.equal(false)
    muting.begin(0)
    expect(muting.drops).to.equal(true)
  })

  it('drops the reply of a request as it was due when that was handled', () => {
    const muting = new Muting(0)
    muting.opened(1)
    muting.off()
    muting.opened(2)
    muting.on()
    expect([1, 2].map((ticket) => muting.isDropped(ticket))).to.deep.equal([false, true])
    expect([1, 2].map((ticket) => muting.hasBegun(ticket))).to.deep.equal([undefined, false])
    muting.partCame(2)
    expect(muting.hasBegun(2)).to.equal(true)
    expect([muting.forget(1), muting.forget(2), muting.forget(2)]).to.deep.equal([
      ...[false, true, false],
    ])
  })
})
