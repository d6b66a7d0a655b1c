/**
 * Row 78: clients that write all they have to say before they read the first reply. A Redis lets the replies
 * wait, so we must as well, as long as there is room for them.
 */
import { expect } from 'chai'
import { type AmbassadorUnderTest, keysOn, startAmbassadorFor } from '../support/ambassador.ts'
import { type AmbassadorProcess, startAmbassadorProcess } from '../support/ambassador-process.ts'
import { readExposition } from '../support/exposition.ts'
import { bulk, encodeRequest } from '../support/frames.ts'
import { pipeline, send } from '../support/pipeline.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

const MB = 1024 * 1024
const [small = '', large = '', list = ''] = keysOn(0, 2, 3)

describe('row 78: a client that writes all before it reads', () => {
  let redises: RedisServer[]
  let ambassador: AmbassadorProcess
  let client: RawClient

  before(async () => {
    redises = [await startRedis(), await startRedis()]
    ambassador = await startAmbassadorProcess(redises, ['--request-timeout-ms', '20000'])
    const setter = await connectRaw(ambassador.port)
    await setter.request('SET', small, 's'.repeat(100))
    await setter.request('SET', large, Buffer.alloc(8 * MB, 'l'))
    await setter.close()
  })

  beforeEach(async () => {
    client = await connectRaw(ambassador.port)
    client.pause()
  })

  afterEach(() => client.close())

  after(async () => {
    await ambassador.child.kill()
    for (const redis of redises) await redis.stop()
  })

  /** Without reading anything; resolves when the system has taken all. */
  async function writeAll(requests: readonly Buffer[]): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      client.socket.write(Buffer.concat(requests), (error) => (error ? reject(error) : resolve()))
    })
  }

  it('gets 300,000 values of 100 bytes', async () => {
    const requests = Buffer.concat(Array.from({ length: 1000 }, () => encodeRequest('GET', small)))
    await writeAll(Array.from({ length: 300 }, () => requests))
    client.resume()
    const reply = bulk('s'.repeat(100))
    await until(() => client.unreadBytes >= 300_000 * reply.length)
    expect(client.unreadBytes).to.equal(300_000 * reply.length)
    expect((await client.reply()).equals(reply)).to.equal(true)
  })

  it('gets values of 8 MB and sets some of 8 MB, by turns', async () => {
    const set = encodeRequest('SET', small, Buffer.alloc(8 * MB, 's'))
    const get = encodeRequest('GET', large)
    await writeAll([get, set, get, set, get, set])
    client.resume()
    const lengths = (await client.replies(6)).map(({ length }) => length)
    const [ok, value] = ['+OK\r\n'.length, bulk(Buffer.alloc(8 * MB)).length]
    expect(lengths).to.deep.equal([value, ok, value, ok, value, ok])
  })

  it('gets what it asks for over all shards', async () => {
    const [elsewhere = ''] = keysOn(1, 2)
    const mget = encodeRequest('MGET', large, elsewhere)
    const set = encodeRequest('SET', elsewhere, Buffer.alloc(8 * MB, 'e'))
    await writeAll([mget, set, mget, set])
    client.resume()
    const lengths = (await client.replies(4)).map(({ length }) => length)
    expect(lengths[1]).to.equal('+OK\r\n'.length)
    expect(lengths[2]).to.be.greaterThan(16 * MB)
  })
})

describe('row 78: a client that writes, does not read, and asks for more than there is room for', () => {
  it('is closed, and the log and the metrics say why', async () => {
    const redis = await startRedis()
    const flags = ['--max-client-memory-mb', '64', '--request-timeout-ms', '20000']
    const ambassador = await startAmbassadorProcess([redis], flags)
    const client = await connectRaw(ambassador.port)
    try {
      await client.request('SET', small, Buffer.alloc(10_000, 's'))
      client.pause()
      const requests = Array.from({ length: 60_000 }, () => encodeRequest('GET', small))
      client.write(Buffer.concat(requests))
      await until(() => ambassador.child.output.includes('client closed that sent'))
      const metrics = readExposition(await ambassador.metrics())
      const cutOffs = metrics.get('ambassador_client_cut_offs_total')?.samples
      const impasse = cutOffs?.find(({ labels }) => labels['reason'] === 'impasse')
      expect(impasse?.value).to.equal(1)
    } finally {
      await client.close()
      await ambassador.child.kill()
      await redis.stop()
    }
  })
})

describe('row 78: a client that reads none of its replies and then blocks', () => {
  const redises: RedisServer[] = []
  let ambassador: AmbassadorUnderTest
  let other: RawClient
  let shard: RawClient

  before(async () => {
    for (let i = 0; i < 2; i++) redises.push(await startRedis())
    ambassador = await startAmbassadorFor(redises)
    shard = await connectRaw(redises[0]?.port ?? 0)
    other = await ambassador.connect()
    await other.request('SET', large, Buffer.alloc(8 * MB, 'l'))
  })

  after(async () => {
    await shard.close()
    await ambassador.stop()
    for (const redis of redises) await redis.stop()
  })

  async function blocked(count: number): Promise<void> {
    await until(async () => {
      const [info = ''] = await send(shard, 'INFO clients')
      return info.includes(`blocked_clients:${count}\r\n`)
    })
  }

  const LEAVINGS = {
    FIN: (client: RawClient) => client.halfClose(),
    close: (client: RawClient) => client.socket.destroy(),
    reset: (client: RawClient) => client.reset(),
  } as const

  for (const [how, leave] of Object.entries(LEAVINGS)) {
    it(`is known to have left by ${how}, and nothing is popped for it`, async () => {
      const client = await ambassador.connect()
      client.pause()
      const behind = encodeRequest('SET', small, Buffer.alloc(MB, 'b'))
      const gets = Array.from({ length: 3 }, () => `GET ${large}`)
      client.write(Buffer.concat([pipeline([...gets, `BLPOP ${list} 0`]), behind]))
      await blocked(1)
      leave(client)
      await blocked(0)
      expect(await send(other, `RPUSH ${list} v`, `LPOP ${list}`)).to.deep.equal([
        ':1\r\n',
        '$1\r\nv\r\n',
      ])
      client.reset()
    })
  }
})
