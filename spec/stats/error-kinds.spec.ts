import { expect } from 'chai'
import { errorKind, isError } from '../../lib/stats/error-kinds.ts'
import { shardErrors } from '../../lib/upstream/shard-errors.ts'

function kindOf(frame: Buffer | string, otherwise: 'refused' | 'shard' = 'shard'): string {
  const bytes = Buffer.concat([
    Buffer.from('+before\r\n'),
    Buffer.from(frame),
    Buffer.from('+x\r\n'),
  ])
  return errorKind(bytes, 9, bytes.length - 4, otherwise)
}

describe('errorKind', () => {
  it('knows every line of ours about a shard, whatever its name', () => {
    for (const name of ['a', 'x'.repeat(255), 'timed out (not sent)', '10.0.0.1:6379']) {
      const { unavailable, lost, timedOut, overloaded } = shardErrors(name)
      expect(kindOf(unavailable.frame), name).to.equal('unavailable')
      expect(kindOf(timedOut.frame), name).to.equal('timedOut')
      expect(kindOf(overloaded.frame), name).to.equal('overloaded')
      expect(kindOf(lost.frame), name).to.equal('lost')
    }
  })

  it('tells what a shard said from what we refuse', () => {
    expect(kindOf('-WRONGTYPE Operation against a key\r\n', 'shard')).to.equal('shard')
    expect(kindOf('-CROSSSLOT Keys\r\n', 'refused')).to.equal('refused')
    expect(kindOf('-ERR ambassador: command x is not supported\r\n', 'shard')).to.equal('refused')
  })

  it('knows an error by its first byte', () => {
    expect([0x2d, 0x21].every(isError)).to.equal(true)
    expect([0x2b, 0x24, undefined].some(isError)).to.equal(false)
  })
})
