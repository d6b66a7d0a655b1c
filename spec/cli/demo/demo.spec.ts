/** The demo as a newcomer sees it: with real servers (`@needs redis-server`), without, and in trouble. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { runBin, startBin } from '../../support/bin.ts'
import { freePort } from '../../support/ports.ts'
import { connectRaw } from '../../support/raw-client.ts'

async function demoOnce(variables: NodeJS.ProcessEnv = {}) {
  return runBin(['demo', '--once', '--port', String(await freePort())], variables)
}

describe('redis-ambassador demo', () => {
  it('finds every sample key where the ring says, on real servers', async () => {
    const { code, stdout, stderr } = await demoOnce()
    expect(stderr).to.equal('')
    expect(stdout).to.match(/\(\/.*(redis|valkey)-server\)/)
    expect(stdout).to.include('10 keys written and read by one ordinary client')
    expect(code).to.equal(0)
  })

  it('needs nothing but Node', async () => {
    const { code, stdout, stderr } = await demoOnce({ PATH: '' })
    expect(stderr).to.equal('')
    expect(stdout).to.include('js-redis-server, in this process')
    expect(stdout).to.include('10 keys written and read by one ordinary client')
    expect(code).to.equal(0)
  })

  it('takes the next free port, and says so', async () => {
    const blocker = createServer().listen(await freePort(), '127.0.0.1')
    await once(blocker, 'listening')
    const { port } = blocker.address() as { port: number }
    const { code, stdout } = await runBin(['demo', '--once', '--port', String(port)])
    blocker.close()
    expect(stdout).to.match(
      new RegExp(`^\\*\\*\\* Port ${port} is taken: the ambassador is on \\d+`),
    )
    expect(code).to.equal(0)
  })

  it('stays up until it is told to stop, and takes its shards with it', async () => {
    const port = await freePort()
    const demo = await startBin(['demo', '--port', String(port)], {}, 'Ctrl-C stops everything.')
    const client = await connectRaw(port)
    expect(String(await client.request('GET', 'visits'))).to.equal('$4\r\n1042\r\n')
    await client.close()
    await demo.kill('SIGTERM')
    expect(await demo.exited).to.equal(0)
    const shards = [...demo.output.matchAll(/shard-\d 127\.0\.0\.1:(\d+)/g)]
    expect(shards).to.have.length(3)
    for (const [, shardPort] of shards) {
      const outcome = await connectRaw(Number(shardPort)).catch((error) => error.code)
      expect(outcome).to.equal('ECONNREFUSED')
    }
  })
})
