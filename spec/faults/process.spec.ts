/** Faults around the process, by their numbers in docs/faults.md. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { startAmbassadorFor } from '../support/ambassador.ts'
import { startBin } from '../support/bin.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { encodeRequest } from '../support/frames.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { startRedis } from '../support/redis-server.ts'

describe('faults: the process', () => {
  async function flagsFor(shardPort: number): Promise<{ port: number; flags: string[] }> {
    const port = await freePort()
    const flags = ['--listen', `127.0.0.1:${port}`, '--admin-listen', 'off']
    return { port, flags: [...flags, '--shards', `a=127.0.0.1:${shardPort}`] }
  }

  for (const [what, code] of [
    ['an exception', "throw new Error('boom')"],
    ['a rejected promise', "Promise.reject(new Error('boom'))"],
  ] as const) {
    it(`row 64: ${what} that nobody catches ends the process, and its clients' connections`, async () => {
      const redis = await startRedis()
      const { port, flags } = await flagsFor(redis.port)
      // A mistake of ours, when told to.
      const script = `process.on('SIGUSR2', () => { ${code} })`
      const bin = await startBin(flags, {
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}`,
      })
      const client = await connectRaw(port)
      await client.request('PING')
      process.kill(bin.pid, 'SIGUSR2')
      await client.closed()
      expect(await bin.exited).to.not.equal(0)
      await redis.stop()
    })
  }

  it('row 65: a stall of ours makes no request late whose reply has come meanwhile', async () => {
    const shard = await startFakeShard(() => undefined)
    const { port, flags } = await flagsFor(shard.port)
    const bin = await startBin([...flags, '--request-timeout-ms', '200'], {})
    const client = await connectRaw(port)
    client.write(encodeRequest('GET', 'x'))
    const request = await shard.nextRequest()
    await bin.kill('SIGSTOP')
    request.reply('+in time\r\n')
    // The deadline must pass while the process stands still; there is no event for that.
    await pause(400)
    await bin.kill('SIGCONT')
    expect((await client.reply()).toString()).to.equal('+in time\r\n')
    await client.close()
    await bin.kill()
    await shard.stop()
  })

  it('row 67: a clock that is set makes nothing late', async () => {
    const shard = await startFakeShard(() => undefined)
    const ambassador = await startAmbassadorFor([shard])
    const client = await ambassador.connect()
    client.write(encodeRequest('GET', 'x'))
    const request = await shard.nextRequest()
    const realNow = Date.now
    try {
      for (const stepMs of [3_600_000, -3_600_000]) {
        Date.now = () => realNow() + stepMs
        const other = await ambassador.connect()
        other.write(encodeRequest('GET', 'y'))
        ;(await shard.nextRequest()).reply('+y\r\n')
        // Replies come in the order of the requests on the shard's connection.
        expect(client.unreadBytes).to.equal(0)
        request.reply('+x\r\n')
        await (stepMs > 0 ? client.reply() : other.reply())
      }
    } finally {
      Date.now = realNow
    }
    await ambassador.stop()
    await shard.stop()
  })
})
