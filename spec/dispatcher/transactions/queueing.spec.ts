/** Who queues which command of a transaction. */
import { expect } from 'chai'
import { CommandTable } from '../../../lib/commands/lookup.ts'
import { queueingOf } from '../../../lib/dispatcher/transactions/queueing.ts'
import { Failure } from '../../../lib/failures.ts'

const table = new CommandTable()

/** `shard`, `here`, or the error line. */
function queueing(name: string, shards = 3, allowAdmin = false): string {
  const row = table.byName(name)
  if (row === undefined) throw new Error(name)
  const result = queueingOf(row, shards, allowAdmin)
  if (typeof result === 'string') return result
  return (result instanceof Failure ? result.frame : result).toString()
}

describe('queueingOf', () => {
  it('leaves keys, scripts and waits to the shard', () => {
    for (const name of ['get', 'mset', 'eval', 'blpop', 'wait', 'unwatch', 'publish']) {
      expect(queueing(name), name).to.equal('shard')
    }
  })

  it('keeps what is answered here', () => {
    const names = ['ping', 'hello', 'select', 'client|reply', 'subscribe', 'pubsub|numsub']
    for (const name of names) expect(queueing(name), name).to.equal('here')
  })

  it('takes what goes to all shards when they are one', () => {
    expect(queueing('dbsize', 1)).to.equal('shard')
    expect(queueing('dbsize')).to.match(/'dbsize' is not supported because a transaction is open/)
    expect(queueing('config|set', 1, true)).to.equal('shard')
    expect(queueing('config|set', 2, true)).to.match(/because a transaction is open/)
    expect(queueing('config|set', 1)).to.match(/AMBASSADOR_ALLOW_ADMIN/)
  })

  it('refuses what Redis refuses, and what is refused anywhere', () => {
    expect(queueing('save')).to.equal('-ERR Command not allowed inside a transaction\r\n')
    expect(queueing('monitor')).to.match(/'monitor' is not supported because it turns/)
  })
})
