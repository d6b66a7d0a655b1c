import { expect } from 'chai'
import { CommandTable } from '../../../lib/commands/lookup.ts'
import { certaintyOf } from '../../../lib/dispatcher/reads/certainty.ts'

describe('certaintyOf', () => {
  const table = new CommandTable()

  /** Whether the reply, in the midst of other bytes, says that its keys were there. */
  function says(command: string, reply: string, keyCount = 1): boolean | undefined {
    const [name = '', subcommand] = command.split(' ')
    const row = table.rows().find((each) => each.name === name)
    if (row === undefined) throw new Error(`no ${name}`)
    const own = subcommand === undefined ? row : row.subcommands?.get(subcommand)
    if (own === undefined) throw new Error(`no ${command}`)
    const bytes = Buffer.from(`xx${reply}yy`, 'latin1')
    return certaintyOf(own)?.(bytes, 2, 2 + reply.length, keyCount)
  }

  it('is there for what a missing key has not', () => {
    for (const [command, reply] of [
      ['get', '$1\r\nv\r\n'],
      ['llen', ':3\r\n'],
      ['hmget', '*2\r\n$-1\r\n$1\r\nv\r\n'],
      ['hgetall', '%1\r\n$0\r\n\r\n$1\r\nv\r\n'],
      ['smembers', '~1\r\n$1\r\nm\r\n'],
      ['zscore', ',1.5\r\n'],
      ['sismember', '#t\r\n'],
      ['smismember', '*2\r\n:0\r\n:1\r\n'],
      ['type', '+string\r\n'],
      ['ttl', ':10\r\n'],
      ['sscan', '*2\r\n$1\r\n0\r\n*1\r\n$1\r\nm\r\n'],
      ['xrange', '*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n'],
    ] as const) {
      expect(says(command, reply), `${command} ${reply}`).to.equal(true)
    }
  })

  it('is not for what Redis says of a missing key, and not for an error', () => {
    for (const [command, reply] of [
      ['get', '$-1\r\n'],
      ['get', '_\r\n'],
      ['getrange', '$0\r\n\r\n'],
      ['llen', ':0\r\n'],
      ['hmget', '*2\r\n$-1\r\n$-1\r\n'],
      ['hmget', '*2\r\n_\r\n_\r\n'],
      ['hgetall', '*0\r\n'],
      ['hgetall', '%0\r\n'],
      ['smembers', '~0\r\n'],
      ['sismember', '#f\r\n'],
      ['smismember', '*2\r\n:0\r\n:0\r\n'],
      ['type', '+none\r\n'],
      ['ttl', ':-2\r\n'],
      ['bitpos', ':-1\r\n'],
      ['sscan', '*2\r\n$1\r\n0\r\n*0\r\n'],
      ['hscan', '*2\r\n$2\r\n12\r\n*0\r\n'],
      ['lrange', '*-1\r\n'],
      ['get', '-MOVED 1 127.0.0.1:7001\r\n'],
      ['hgetall', '*2\r\n$0\r\n\r\n$0\r\n\r\n'],
      ['get', ''],
    ] as const) {
      expect(says(command, reply), `${command} ${reply}`).to.equal(false)
    }
  })

  it('asks of MGET, EXISTS and TOUCH that all keys were there', () => {
    expect(says('mget', '*2\r\n$0\r\n\r\n$3\r\na\r\n\r\n', 2)).to.equal(true)
    expect(says('mget', '*2\r\n$1\r\na\r\n$-1\r\n', 2)).to.equal(false)
    expect(says('mget', '*2\r\n_\r\n$1\r\na\r\n', 2)).to.equal(false)
    // The beginning of one.
    expect(says('mget', '*2\r\n$1\r\na\r\n$9\r\n', 2)).to.equal(false)
    expect(says('exists', ':2\r\n', 2)).to.equal(true)
    expect(says('touch', ':1\r\n', 2)).to.equal(false)
  })

  it('is unknown for commands that read several keys, or such as they do not name', () => {
    const several = ['sunion', 'zinter', 'pfcount', 'xread', 'eval_ro', 'sort_ro', 'lcs', 'sdiff']
    for (const name of several) expect(says(name, ':1\r\n'), name).to.equal(undefined)
    expect(says('object encoding', '$3\r\nint\r\n')).to.equal(true)
  })
})
