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
})
