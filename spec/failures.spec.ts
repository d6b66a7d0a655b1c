import { expect } from 'chai'
import { adminRefused, notSupported, OVERLOADED, shardFailures } from '../lib/failures.ts'
import { endOfFrame } from './support/frames.ts'

describe('shardFailures', () => {
  it('say in one line which shard, what, and whether anything may have executed', () => {
    const lines = Object.entries(shardFailures('redis-0')).map(
      ([name, { frame, label, maybeExecuted }]) => {
        expect(endOfFrame(frame, 0), name).to.equal(frame.length)
        expect(maybeExecuted).to.equal(label === 'may have executed')
        const claim = `(${label})`
        expect(frame.toString(), name).to.match(/^-ERR ambassador: .*\r\n$/)
        expect(frame.toString().trimEnd().endsWith(claim), name).to.equal(true)
        return frame.toString().trimEnd()
      },
    )
    expect(lines).to.deep.equal([
      '-ERR ambassador: shard redis-0 unavailable (not sent)',
      '-ERR ambassador: shard redis-0 unavailable (not executed)',
      '-ERR ambassador: shard redis-0 connection lost (may have executed)',
      '-ERR ambassador: shard redis-0 timed out (may have executed)',
      '-ERR ambassador: overloaded (not sent)',
    ])
  })

  it('keep to one line whatever the shard is called', () => {
    const { lost } = shardFailures(`a\r\n+OK\r\n${'b'.repeat(300)}`)
    expect(endOfFrame(lost.frame, 0)).to.equal(lost.frame.length)
    expect(lost.frame.length).to.be.lessThan(250)
  })
})

describe('Failure', () => {
  it('says of a write of which parts were done that it may have been executed', () => {
    const { unavailable, lost } = shardFailures('a')
    expect(unavailable.partly.frame.toString()).to.equal(
      '-ERR ambassador: shard a unavailable (may have executed)\r\n',
    )
    expect([unavailable.partly.kind, unavailable.partly.maybeExecuted]).to.deep.equal([
      'unavailable',
      true,
    ])
    expect(lost.partly).to.equal(lost)
    expect(OVERLOADED.frame.toString()).to.equal('-ERR ambassador: overloaded (not sent)\r\n')
  })

  it('says which command is refused and why', () => {
    expect(notSupported('shutdown', 'it stops a shard').frame.toString()).to.equal(
      "-ERR ambassador: command 'shutdown' is not supported because it stops a shard (not sent)\r\n",
    )
    expect(adminRefused('acl|setuser', 'it manages a server').frame.toString()).to.match(
      /; AMBASSADOR_ALLOW_ADMIN=yes sends it to all shards \(not sent\)\r\n$/,
    )
  })
})
