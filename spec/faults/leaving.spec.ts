/**
 * Row 71: clients that leave while they block. Whatever they have sent before, nothing may be popped for
 * them any more.
 */
import { once } from 'node:events'
import { join } from 'node:path'
import tls from 'node:tls'
import { expect } from 'chai'
import { type AmbassadorUnderTest, keysOn, startAmbassadorFor } from '../support/ambassador.ts'
import { Authority, pem } from '../support/certificates.ts'
import { encodeRequest } from '../support/frames.ts'
import { pipeline, send } from '../support/pipeline.ts'
import { connectRaw, RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const KB = 1024

/** Lists and streams are on the first of two shards. */
const [here = '', hereToo = ''] = keysOn(0, 2, 2)

/** Every way to wait, and what would end the wait. */
const WAITS: readonly (readonly [wait: string, end: string, left: string])[] = [
  [`BLPOP ${here} 0`, `RPUSH ${here} v`, `LLEN ${here}`],
  [`BRPOP ${hereToo} ${here} 0`, `RPUSH ${here} v`, `LLEN ${here}`],
  [`BLMOVE ${here} ${hereToo} LEFT RIGHT 0`, `RPUSH ${here} v`, `LLEN ${here}`],
  [`BRPOPLPUSH ${here} ${hereToo} 0`, `RPUSH ${here} v`, `LLEN ${here}`],
  [`BLMPOP 0 1 ${here} LEFT`, `RPUSH ${here} v`, `LLEN ${here}`],
  [`BZPOPMIN ${here} 0`, `ZADD ${here} 1 v`, `ZCARD ${here}`],
  [`BZPOPMAX ${here} 0`, `ZADD ${here} 1 v`, `ZCARD ${here}`],
  [`BZMPOP 0 1 ${here} MIN`, `ZADD ${here} 1 v`, `ZCARD ${here}`],
  [`XREAD BLOCK 0 STREAMS ${here} $`, `SADD ${here} v`, `SCARD ${here}`],
  ['WAIT 1 0', `RPUSH ${here} v`, `LLEN ${here}`],
]

const LEAVINGS = {
  FIN: (client: RawClient) => client.halfClose(),
  close: (client: RawClient) => client.socket.destroy(),
  reset: (client: RawClient) => client.reset(),
} as const

describe('row 71: a client that leaves while it blocks', function () {
  this.timeout(60_000)
  const authority = new Authority()
  const certificate = authority.issue('IP:127.0.0.1')
  const path = join(temporaryFiles(), 'ambassador.sock')
  const redises: RedisServer[] = []
  let ambassador: AmbassadorUnderTest
  let overTls: AmbassadorUnderTest
  let other: RawClient
  /** Talks to the first shard itself. */
  let shard: RawClient

  before(async () => {
    for (let i = 0; i < 2; i++) redises.push(await startRedis())
    ambassador = await startAmbassadorFor(redises, { listen: `127.0.0.1:0,unix:${path}` })
    const { cert, key } = certificate
    const flags = { listen: 'tls://127.0.0.1:0', tlsCert: cert, tlsKey: key }
    overTls = await startAmbassadorFor(redises, flags)
    shard = await connectRaw(redises[0]?.port ?? 0)
  })

  beforeEach(async () => {
    other = await ambassador.connect()
    await other.request('FLUSHALL')
  })

  afterEach(async () => {
    await ambassador.quiet()
    await overTls.quiet()
  })

  after(async () => {
    await shard.close()
    await overTls.stop()
    await ambassador.stop()
    for (const redis of redises) await redis.stop()
  })

  const DOORS = {
    TCP: () => connectRaw(ambassador.port),
    'a unix socket': () => connectRaw({ path }),
    TLS: async () => {
      const ca = pem(authority.cert)
      const socket = tls.connect({ host: '127.0.0.1', port: overTls.port, ca })
      const client = new RawClient(socket)
      await once(socket, 'secureConnect')
      return client
    },
  }

  async function blocked(count: number): Promise<void> {
    for (;;) {
      const [info = ''] = await send(shard, 'INFO clients')
      if (info.includes(`blocked_clients:${count}\r\n`)) return
    }
  }

  /** So much is sent behind the command that blocks, in requests of 1 KB. */
  function behind(bytes: number): Buffer {
    const request = encodeRequest('SET', hereToo, 'x'.repeat(KB))
    return Buffer.concat(Array.from({ length: bytes / KB }, () => request))
  }

  async function leavesNothingBehind(client: RawClient, leave: () => void, wait = WAITS[0]) {
    const [, end = '', left = ''] = wait ?? []
    await blocked(1)
    await send(client === other ? shard : other, 'PING')
    leave()
    await blocked(0)
    await client.closed()
    expect(await send(other, end, left)).to.deep.equal([':1\r\n', ':1\r\n'])
    const [list = ''] = await send(other, 'CLIENT LIST')
    expect(list.split('\n').filter((line) => /cmd=b|cmd=wait|cmd=xread/.test(line))).to.deep.equal(
      [],
    )
  }

  for (const [door, connect] of Object.entries(DOORS)) {
    for (const [how, leave] of Object.entries(LEAVINGS)) {
      // Only a bare TCP socket can be reset by us.
      if (how === 'reset' && door !== 'TCP') continue
      it(`by ${how}, over ${door}, with 600 KB behind it`, async () => {
        const client = await connect()
        client.write(Buffer.concat([pipeline([`BLPOP ${here} 0`]), behind(600 * KB)]))
        await leavesNothingBehind(client, () => leave(client))
      })
    }
  }

  for (const wait of WAITS) {
    it(`in ${wait[0].split(' ')[0]}, with 600 KB behind it`, async () => {
      const client = await ambassador.connect()
      client.write(Buffer.concat([pipeline([wait[0]]), behind(600 * KB)]))
      await leavesNothingBehind(client, () => client.halfClose(), wait)
    })
  }

  it('with much before it that is answered, and 600 KB behind it', async () => {
    const client = await ambassador.connect()
    const before = Array.from({ length: 5000 }, () => `GET ${here}`)
    client.write(Buffer.concat([pipeline([...before, `BLPOP ${here} 0`]), behind(600 * KB)]))
    await client.replies(before.length)
    await leavesNothingBehind(client, () => client.halfClose())
  })

  it('with 20 MB behind it', async () => {
    const client = await ambassador.connect()
    client.write(Buffer.concat([pipeline([`BLPOP ${here} 0`]), behind(20 * KB * KB)]))
    await leavesNothingBehind(client, () => client.halfClose())
  })

  it('in the middle of a request', async () => {
    const client = await ambassador.connect()
    const half = encodeRequest('SET', hereToo, 'x'.repeat(600 * KB)).subarray(0, 500 * KB)
    client.write(Buffer.concat([pipeline([`BLPOP ${here} 0`]), half]))
    await leavesNothingBehind(client, () => client.halfClose())
  })

  it('and one that stays gets what it waited for, and all that it asked for behind that', async () => {
    const client = await ambassador.connect()
    client.write(Buffer.concat([pipeline([`BLPOP ${here} 0`]), behind(600 * KB)]))
    await blocked(1)
    await send(other, `RPUSH ${here} v`)
    expect((await client.reply()).toString()).to.include(here)
    const replies = (await client.replies(600)).map(String)
    expect(new Set(replies)).to.deep.equal(new Set(['+OK\r\n']))
  })
})
