import { expect } from 'chai'
import {
  BEHIND_LOGIN,
  LOGIN,
  LoginReply,
} from '../../../../lib/upstream/connection/making/login-reply.ts'
import { latin1 } from '../../../support/frames.ts'

function never(): void {
  expect.fail('called')
}

describe('LoginReply', () => {
  it('tells a login that was taken from one that was refused, in the words of the shard', () => {
    const told: unknown[] = []
    const sink = new LoginReply((refusal) => told.push(refusal), never)
    for (const reply of ['+OK\r\n', '-WRONGPASS no\r\n']) {
      sink.reply(LOGIN, latin1(`<${reply}>`), 1, 1 + reply.length)
    }
    expect(told).to.deep.equal([undefined, { reason: 'WRONGPASS no', atConnect: false }])
  })

  it('says nothing when there is no answer', () => {
    new LoginReply(never, never).failed(LOGIN)
  })

  it('knows whether an older login stands in line', () => {
    const [one, two] = [latin1('AUTH one'), latin1('AUTH two')]
    const sink = new LoginReply(undefined, never)
    expect(sink.awaitsOlderThan(one)).to.equal(false)
    sink.enters(one)
    expect([sink.awaitsOlderThan(one), sink.awaitsOlderThan(two)]).to.deep.equal([false, true])
    sink.enters(two)
    sink.reply(LOGIN, latin1('+OK\r\n'), 0, 5)
    expect(sink.awaitsOlderThan(one)).to.equal(true)
    sink.failed(BEHIND_LOGIN)
    expect(sink.awaitsOlderThan(one)).to.equal(true)
    sink.failed(LOGIN)
    expect(sink.awaitsOlderThan(one)).to.equal(false)
  })

  it('notices that a login has no answer by that of the PING behind it', () => {
    const refusal = "-NOPERM User u has no permissions to run the 'ping' command\r\n"
    for (const reply of ['$16\r\nambassador:login\r\n', refusal]) {
      let unanswered = 0
      const sink = new LoginReply(never, () => unanswered++)
      sink.reply(LOGIN, latin1(reply), 0, reply.length)
      sink.reply(BEHIND_LOGIN, latin1('+OK\r\n'), 0, 5)
      expect(unanswered).to.equal(1)
    }
  })
})
