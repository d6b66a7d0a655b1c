/** Specs that leave things behind, for leaks.spec.ts to run in a mocha of their own. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { type FakeShard, startFakeShard } from './fake-shard.ts'
import { connectRaw, type RawClient } from './raw-client.ts'

describe('sample', () => {
  let shard: FakeShard
  let client: RawClient

  it('fails before it cleans up', async () => {
    shard = await startFakeShard()
    client = await connectRaw(shard.port)
    expect(await client.request('PING')).to.equal('something else')
  })

  it('finds what the failed one left behind gone', async () => {
    expect(client.socket.closed).to.equal(true)
    const refused = await connectRaw(shard.port).catch((error: NodeJS.ErrnoException) => error.code)
    expect(refused).to.equal('ECONNREFUSED')
  })

  it('passes and leaves a server', async () => {
    await once(createServer().listen(0, '127.0.0.1'), 'listening')
  })
})
