import { expect } from 'chai'
import { LoginReply } from '../../../../lib/upstream/connection/making/login-reply.ts'
import { latin1 } from '../../../support/frames.ts'

describe('LoginReply', () => {
  it('tells a login that was taken from one that was refused, in the words of the shard', () => {
    const told: unknown[] = []
    const sink = new LoginReply((refusal) => told.push(refusal))
    for (const reply of ['+OK\r\n', '-WRONGPASS no\r\n']) {
      sink.reply(0, latin1(`<${reply}>`), 1, 1 + reply.length)
    }
    expect(told).to.deep.equal([undefined, { reason: 'WRONGPASS no', atConnect: false }])
  })

  it('says nothing when there is no answer', () => {
    new LoginReply(() => expect.fail()).failed()
  })

  it('knows whether an older login stands in line', () => {
    const [one, two] = [latin1('AUTH one'), latin1('AUTH two')]
    const sink = new LoginReply(undefined)
    expect(sink.awaitsOlderThan(one)).to.equal(false)
    sink.enters(one)
    expect([sink.awaitsOlderThan(one), sink.awaitsOlderThan(two)]).to.deep.equal([false, true])
    sink.enters(two)
    sink.reply(0, latin1('+OK\r\n'), 0, 5)
    expect(sink.awaitsOlderThan(one)).to.equal(true)
    sink.failed()
    expect(sink.awaitsOlderThan(one)).to.equal(false)
  })
})
