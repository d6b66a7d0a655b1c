/** `doctor` as a person and a script meet it: the report, its JSON, the exit codes. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { expect } from 'chai'
import { CHECKS } from '../../lib/doctor/finding.ts'
import { runBin, startBin } from '../support/bin.ts'
import { freePort } from '../support/ports.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

describe('redis-ambassador doctor', () => {
  let redis: RedisServer
  let other: RedisServer
  let port: number
  before(async () => {
    redis = await startRedis()
    other = await startRedis()
    port = await freePort()
  })
  after(async () => {
    await redis.stop()
    await other.stop()
  })

  const variables = (...shards: string[]) => ({
    AMBASSADOR_SHARDS: shards.join(','),
    AMBASSADOR_ADMIN_LISTEN: `127.0.0.1:${port}`,
  })

  it('has a line for each check, and ends with 0 when all is well', async () => {
    const shards = [`a=127.0.0.1:${redis.port}`, `b=127.0.0.1:${other.port}`]
    const { code, stdout, stderr } = await runBin(['doctor'], variables(...shards))
    expect([code, stderr]).to.deep.equal([0, ''])
    const lines = stdout.split('\n')
    expect(lines[0]).to.equal(
      'ok  config    environment development; 2 shards from AMBASSADOR_SHARDS',
    )
    expect(lines[1]).to.equal(`ok  running   no ambassador is at 127.0.0.1:${port} yet`)
    expect(stdout).to.match(/^ok {2}role {6}a, b: master$/m)
    expect(stdout).to.match(/\n\nhealthy: no problems, no notes\n$/)
  })

  it('notes a hash that keeps runs of numbers on one shard, which is no problem', async () => {
    const shards = [`a=127.0.0.1:${redis.port}`, `b=127.0.0.1:${other.port}`]
    const { code, stdout } = await runBin(['doctor', '--hash', 'fnv1_64'], variables(...shards))
    expect(code).to.equal(0)
    expect(stdout).to.match(
      /^note +ring +fnv1_64 with ketama keeps neighbours together: of .*\. murmur spreads such keys; .*\.$/m,
    )
  })

  it('says what is wrong and what to do, and ends with 1', async () => {
    const gone = await freePort()
    const shards = [`a=127.0.0.1:${redis.port}`, `b=redis://:hunter2@127.0.0.1:${gone}`]
    const { code, stdout, stderr } = await runBin(['doctor'], variables(...shards))
    expect([code, stderr]).to.deep.equal([1, ''])
    expect(stdout).to.match(
      new RegExp(`^problem  reach    b: 127.0.0.1:${gone} refuses connections.*\\. Is that`, 'm'),
    )
    expect(stdout).to.match(/not healthy: 1 problem, no notes\n$/)
    expect(stdout).to.not.include('hunter2')
  })

  it('lets no text of a stranger reach the terminal as it is', async () => {
    const evil = createServer((_, response) => {
      // It does not end either.
      response.writeHead(500).write(`\u001b]0;owned\u0007${' '.repeat(200)}`)
    })
    evil.listen(port, '127.0.0.1')
    await once(evil, 'listening')
    const { stdout } = await runBin(['doctor'], variables(`a=127.0.0.1:${redis.port}`))
    evil.close()
    evil.closeAllConnections()
    expect(stdout).to.match(/is not ready \(500: \s*\]0;owned\s+\)/)
    expect(stdout.replaceAll('\n', '')).not.to.match(/\p{Cc}/u)
  })

  it('says it as JSON', async () => {
    const gone = await freePort()
    const shards = [`a=127.0.0.1:${redis.port}`, `b=127.0.0.1:${gone}`]
    const { code, stdout } = await runBin(['doctor', '--json'], variables(...shards))
    expect(code).to.equal(1)
    const report = JSON.parse(stdout) as Report
    expect(Object.keys(report)).to.deep.equal(['version', 'healthy', 'problems', 'notes', 'checks'])
    expect([report.healthy, report.problems, report.notes]).to.deep.equal([false, 1, 0])
    for (const each of report.checks) {
      expect(Object.keys(each)).to.deep.equal(['check', 'shard', 'level', 'saw', 'advice'])
      expect(CHECKS).to.include(each.check)
    }
    expect(report.checks.find(({ level }) => level === 'problem')).to.include({
      check: 'reach',
      shard: 'b',
      saw: `127.0.0.1:${gone} refuses connections: nothing listens there`,
    })
  })

  it('says that an ambassador runs already, and how it is', async () => {
    const given = variables(`a=127.0.0.1:${redis.port}`)
    const ambassador = await startBin(['--listen', '127.0.0.1:0'], given)
    const { code, stdout } = await runBin(['doctor'], given)
    await ambassador.kill()
    expect(code).to.equal(0)
    expect(stdout).to.include(`an ambassador is at 127.0.0.1:${port}, and ready`)
  })

  it('ends with 78 when the configuration does not load, and with 64 on wrong usage', async () => {
    expect((await runBin(['doctor'], variables('a=nonsense'))).code).to.equal(78)
    expect((await runBin(['doctor', 'me'], variables('a=h:1'))).code).to.equal(64)
    const { code, stderr } = await runBin(['check', '--json'], variables('a=h:1'))
    expect([code, stderr.split('\n', 1)[0]]).to.deep.equal([
      64,
      'redis-ambassador: --json is not a flag of check',
    ])
  })
})

interface Report {
  readonly healthy: boolean
  readonly problems: number
  readonly notes: number
  readonly checks: readonly {
    readonly check: string
    readonly shard: string | null
    readonly level: string
    readonly saw: string
  }[]
}
