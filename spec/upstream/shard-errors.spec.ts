import { expect } from 'chai'
import { shardErrors } from '../../lib/upstream/shard-errors.ts'
import { endOfFrame } from '../support/frames.ts'

describe('shardErrors', () => {
  it('say in one line which shard, what, and whether anything may have executed', () => {
    const lines = Object.entries(shardErrors('redis-0')).map(([name, { frame, maybeExecuted }]) => {
      expect(endOfFrame(frame, 0), name).to.equal(frame.length)
      const claim = maybeExecuted ? '(may have executed)' : '(not sent)'
      expect(frame.toString(), name).to.match(/^-ERR ambassador: .*\r\n$/)
      expect(frame.toString().trimEnd().endsWith(claim), name).to.equal(true)
      return frame.toString().trimEnd()
    })
    expect(lines).to.deep.equal([
      '-ERR ambassador: shard redis-0 unavailable (not sent)',
      '-ERR ambassador: shard redis-0 connection lost (may have executed)',
      '-ERR ambassador: shard redis-0 timed out (may have executed)',
      '-ERR ambassador: overloaded (not sent)',
    ])
  })

  it('keep to one line whatever the shard is called', () => {
    const { lost } = shardErrors(`a\r\n+OK\r\n${'b'.repeat(300)}`)
    expect(endOfFrame(lost.frame, 0)).to.equal(lost.frame.length)
    expect(lost.frame.length).to.be.lessThan(250)
  })
})
