/** `redis-ambassador preflight` as a process of its own, in front of one Redis. */
import { expect } from 'chai'
import { EXIT } from '../../../lib/errors.ts'
import type { PreflightReport } from '../../../lib/stats/preflight/rehearsal.ts'
import { runBin, startBin } from '../../support/bin.ts'
import { freePort } from '../../support/ports.ts'
import { connectRaw } from '../../support/raw-client.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'

describe('preflight as a process', () => {
  let redis: RedisServer

  before(async () => {
    redis = await startRedis()
  })

  after(() => redis.stop())

  /** What it has printed, and how it has ended, after these requests. */
  async function run(requests: readonly (readonly string[])[], flags: readonly string[]) {
    const port = await freePort()
    const listens = ['--listen', `127.0.0.1:${port}`, '--admin-listen', 'off']
    const shards = ['--shards', `127.0.0.1:${redis.port}`, '--what-if', 'a=h:1,b=h:2,c=h:3']
    const child = await startBin(['preflight', ...listens, ...shards, ...flags], {})
    const client = await connectRaw(port)
    for (const words of requests) await client.request(...words)
    await client.close()
    await child.kill('SIGTERM')
    return { status: await child.exited, output: child.output }
  }

  it('ends with 1 and says what would be refused', async () => {
    const request = ['MSETNX', 'k1', 'a', 'k2', 'a', 'k3', 'a', 'k4', 'a']
    const { status, output } = await run([request], [])
    expect(status).to.equal(EXIT.runtime)
    expect(output).to.match(/1 requests since .*: 0 pass, 0 split, 0 combined, 1 refused/)
    expect(output).to.include('refused  msetnx  1')
  })

  it('ends with 0 when nothing would be, and says so as JSON', async () => {
    const { status, output } = await run([['SET', 'k1', 'a']], ['--json'])
    expect(status).to.equal(EXIT.ok)
    const [json = ''] = /^\{\n[\s\S]*?^\}$/m.exec(output) ?? []
    const report = JSON.parse(json) as PreflightReport
    expect(report).to.deep.include({ requests: 1, passed: 1, refused: 0, findings: [] })
    expect(report.shards.map(({ name }) => name)).to.deep.equal(['a', 'b', 'c'])
  })

  it('needs something that is to come', async () => {
    const { code, stderr } = await runBin(['preflight', '--shards', 'h:1'])
    expect(code).to.equal(EXIT.config)
    expect(stderr).to.include('preflight needs the configuration that is to come')
  })
})
