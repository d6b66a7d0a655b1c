/** Redis's own tools through the ambassador to three shards. */
import { expect } from 'chai'
import { runChild } from '../support/child.ts'
import { encodeRequest } from '../support/frames.ts'
import { shareShards } from '../support/shared-shards.ts'

describe("Redis's tools", () => {
  const shards = shareShards(3)

  async function cli(args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await runChild(
      'redis-cli',
      ['-p', String(shards.ambassador.port), ...args],
      { input },
    )
    expect(`${stderr}${code}`).to.equal('0')
    return stdout
  }

  for (const protocol of ['-2', '-3']) {
    it(`redis-cli ${protocol} runs commands, one by one and from a file`, async () => {
      expect(await cli([protocol, 'SET', 'k', 'v'])).to.equal('OK\n')
      expect(await cli([protocol, 'GET', 'k'])).to.equal('v\n')
      const session = ['HSET h a 1', 'HGETALL h', 'MULTI', 'INCR n', 'EXEC', 'SELECT 1', 'DBSIZE']
      expect(await cli([protocol], `${session.join('\n')}\n`)).to.equal(
        `1\na${protocol === '-3' ? ' 1' : '\n1'}\nOK\nQUEUED\n1\nOK\n0\n`,
      )
    })
  }

  it('redis-cli --pipe loads 20000 keys, and --scan finds them all', async () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `pipe:${i}`)
    const requests = Buffer.concat(keys.map((key) => encodeRequest('SET', key, 'v'))).toString()
    expect(await cli(['--pipe'], requests)).to.match(/errors: 0, replies: 20000/)
    const found = (await cli(['--scan', '--pattern', 'pipe:*'])).trimEnd().split('\n')
    expect(new Set(found).size).to.equal(20_000)
  })

  it('redis-cli --bigkeys samples all shards', async () => {
    await cli(['SET', 'k', 'v'])
    expect(await cli(['--bigkeys'])).to.match(/1 strings? with 1 bytes/)
  })

  it('redis-benchmark ends well, in each of its tests', async () => {
    const tests = 'set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange,mset'
    const { code, stdout, stderr } = await runChild('redis-benchmark', [
      ...['-p', String(shards.ambassador.port), '-t', tests, '-n', '2000', '-c', '20', '-P', '8'],
      ...['-r', '1000', '-q'],
    ])
    expect(stderr.replace(/^WARNING: Could not fetch server CONFIG\n/, '')).to.equal('')
    expect(code).to.equal(0)
    expect(stdout).to.not.match(/error/i)
    expect(stdout.match(/requests per second/g)).to.have.length(18)
  })
})
