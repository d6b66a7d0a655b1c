import { expect } from 'chai'
import { ExecReplies } from '../../../../lib/dispatcher/transactions/exec/exec-replies.ts'
import { EXEC_REPLIES_BYTES_MAX } from '../../../../lib/limits.ts'

describe('ExecReplies', () => {
  it('takes what all transactions may hold together, and no more', () => {
    const all = new ExecReplies()
    const [one, other] = [all.open(), all.open()]
    expect(one.take(EXEC_REPLIES_BYTES_MAX - 10)).to.equal(undefined)
    expect(other.take(10)).to.equal(undefined)
    expect(other.take(1)?.maybeExecuted).to.equal(true)
    one.close()
    expect(other.take(EXEC_REPLIES_BYTES_MAX - 10)).to.equal(undefined)
  })

  it('holds a whole answer until the transaction is closed', () => {
    const all = new ExecReplies()
    const [one, other] = [all.open(), all.open()]
    const reply = Buffer.alloc(EXEC_REPLIES_BYTES_MAX, 'r')
    one.collector(() => {}).reply(0, reply, 0, reply.length, true)
    expect(other.take(1)).not.to.equal(undefined)
    one.close()
    expect(other.take(1)).to.equal(undefined)
  })
})
