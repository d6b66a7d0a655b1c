/** Bytes that are no requests, through a real socket, while other clients must not notice. */
import { expect } from 'chai'
import { MALFORMED_REQUESTS } from '../resp/malformed-requests.ts'
import { encodeRequest } from '../support/frames.ts'
import { connectRaw } from '../support/raw-client.ts'
import { shareShards } from '../support/shared-shards.ts'
import { Victim } from '../support/victim.ts'

describe('bytes that are no requests', () => {
  let victim: Victim
  // Before the hooks of the shards, which wait until the ambassador has no client.
  afterEach(async () => {
    await victim.stop()
    expect([...victim.errors]).to.deep.equal([])
  })
  const shards = shareShards(3)
  beforeEach(async () => {
    victim = await Victim.start({ port: shards.ambassador.port, id: 'v', depth: 200 })
  })

  async function connectionsReceived(): Promise<number> {
    const shard = await connectRaw(shards.redises[0]?.port ?? 0)
    const info = (await shard.request('INFO', 'stats')).toString()
    await shard.close()
    return Number(/total_connections_received:(\d+)/.exec(info)?.[1])
  }

  it('are refused as by Redis, reach no shard and cost no other client a reply', async () => {
    const connections = await connectionsReceived()
    for (const { name, bytes, error, unauthenticated } of MALFORMED_REQUESTS) {
      if (unauthenticated) continue
      const client = await shards.ambassador.connect()
      client.write(encodeRequest('SET', 'before', name))
      client.write(bytes)
      client.write(encodeRequest('SET', 'after', name))
      const text = (await client.rest()).toString('latin1')
      expect(text, name).to.equal(`+OK\r\n-ERR Protocol error: ${error.replaceAll('\r', ' ')}\r\n`)
    }
    await victim.round()
    const client = await shards.ambassador.connect()
    expect((await client.request('EXISTS', 'after')).toString()).to.equal(':0\r\n')
    // Had a shard seen any of it, its connection would have been closed and opened again.
    expect((await connectionsReceived()) - connections).to.equal(1)
  })

  it('end the connection without a reply when they are HTTP, and none of the body runs', async () => {
    for (const head of ['POST / HTTP/1.1', 'GET / HTTP/1.1', 'host: localhost']) {
      const client = await shards.ambassador.connect()
      client.write(`${head}\r\nHost: localhost\r\n\r\nSET body v\r\n`)
      expect((await client.rest().catch(() => Buffer.alloc(0))).toString()).to.equal('')
    }
    await victim.round()
    const client = await shards.ambassador.connect()
    expect((await client.request('EXISTS', 'body')).toString()).to.equal(':0\r\n')
  })

  it('end the connection when they are TLS', async () => {
    const client = await shards.ambassador.connect()
    client.write(Buffer.from('1603010200010001fc0303', 'hex'))
    expect((await client.rest().catch(() => Buffer.alloc(0))).toString()).to.equal('')
    await victim.round()
  })

  it('that say nothing are not answered', async () => {
    const client = await shards.ambassador.connect()
    client.write('\r\n*0\r\n*-1\r\n*-10\r\n\r\nPING\r\n')
    expect((await client.reply()).toString()).to.equal('+PONG\r\n')
    expect(client.unreadBytes).to.equal(0)
  })

  it('that miscount or misname are refused one by one, on a connection that stays', async () => {
    const client = await shards.ambassador.connect()
    const direct = await connectRaw(shards.redises[0]?.port ?? 0)
    const requests = [
      ['GET'],
      ['MSET', 'a', 'b', 'c'],
      ['MGET'],
      ['EVAL', 'x', 'notanumber'],
      ['fo\r\n+OK\r\n', 'a\r\nb'],
      ['n'.repeat(10_000)],
      ['no', ...new Array<string>(50).fill('argument')],
      [''],
      ['\0GET', 'x'],
    ]
    for (const request of requests) {
      const frame = await client.request(...request)
      expect(frame.toString('latin1')).to.equal(
        (await direct.request(...request)).toString('latin1'),
      )
    }
    await direct.close()
    expect((await client.request('PING')).toString()).to.equal('+PONG\r\n')
  })

  it('cost nothing while a large request only announces itself, 100 times', async () => {
    const clients = await Promise.all(
      Array.from({ length: 100 }, () => shards.ambassador.connect()),
    )
    const before = process.memoryUsage().rss
    for (const client of clients) client.write('*2\r\n$3\r\nGET\r\n$536870912\r\nbeginning')
    for (const client of clients.slice(50)) client.write('*1000000\r\n')
    await victim.round()
    // 50 GB have been announced. What the victim's rounds take stays far below this bound.
    expect(process.memoryUsage().rss - before).to.be.below(200 * 1024 * 1024)
    for (const client of clients) client.reset()
    await victim.round()
  })
})
