/** The data path as clients see it: order, life and death of connections, sizes, credentials. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { keysOn, startAmbassadorFor, startShards } from '../support/ambassador.ts'
import { bulk, encodeRequest } from '../support/frames.ts'
import { pipeline, send } from '../support/pipeline.ts'
import { connectRaw } from '../support/raw-client.ts'
import { startRedis } from '../support/redis-server.ts'
import { shareShards } from '../support/shared-shards.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const MB = 1024 * 1024

describe('clients of three shards', () => {
  const shards = shareShards(3)
  const [here = ''] = keysOn(0, 3)

  for (const protocol of [2, 3] as const) {
    it(`get 10000 pipelined replies in the order of their requests, in RESP${protocol}`, async () => {
      const client = await shards.ambassador.connect(protocol)
      const sets = Array.from({ length: 10_000 }, (_, i) => `SET key${i} value${i}`)
      const gets = Array.from({ length: 10_000 }, (_, i) => `GET key${i}`)
      const replies = await send(client, ...sets, ...gets)
      const values = gets.map((_, i) => bulk(`value${i}`).toString())
      expect(replies.slice(10_000)).to.deep.equal(values)
    })
  }

  it('get the replies of MGET in order, whatever the shards', async () => {
    const client = await shards.ambassador.connect()
    const numbers = Array.from({ length: 500 }, (_, i) => i)
    await send(client, `MSET ${numbers.map((i) => `m${i} v${i}`).join(' ')}`)
    const [reply] = await send(client, `MGET ${numbers.map((i) => `m${i} none m${i}`).join(' ')}`)
    const values = numbers.map((i) => `${bulk(`v${i}`)}$-1\r\n${bulk(`v${i}`)}`)
    expect(reply).to.equal(`*1500\r\n${values.join('')}`)
  })

  it('get all replies after a half-close, and then a FIN', async () => {
    const client = await shards.ambassador.connect()
    const requests = Array.from({ length: 3000 }, (_, i) => `ECHO ${i}`)
    client.write(pipeline([...requests, ...requests.map((_, i) => `EXISTS none${i}`)]))
    client.halfClose()
    const expected = requests.map((_, i) => bulk(String(i)).toString()).join('')
    expect((await client.rest()).toString()).to.equal(expected + ':0\r\n'.repeat(3000))
  })

  it('have nothing executed of a request that their FIN cuts', async () => {
    const client = await shards.ambassador.connect()
    client.write('*3\r\n$3\r\nSET\r\n$3\r\ncut\r\n$5\r\nhal')
    client.halfClose()
    expect((await client.rest()).length).to.equal(0)
    const next = await shards.ambassador.connect()
    expect(await send(next, 'EXISTS cut')).to.deep.equal([':0\r\n'])
  })

  it('are told goodbye at QUIT, and nothing behind it is executed', async () => {
    const client = await shards.ambassador.connect()
    client.write(pipeline([`SET ${here} v`, 'QUIT', `SET ${here} after`, 'PING']))
    expect((await client.rest()).toString()).to.equal('+OK\r\n+OK\r\n')
    const next = await shards.ambassador.connect()
    expect(await send(next, `GET ${here}`)).to.deep.equal([bulk('v').toString()])
  })

  for (const leave of ['reset', 'close'] as const) {
    it(`leave no reply of theirs to the next client (${leave})`, async () => {
      const next = await shards.ambassador.connect()
      for (let round = 0; round < 50; round++) {
        const gone = await shards.ambassador.connect()
        gone.write(pipeline(Array.from({ length: 200 }, (_, i) => `SET gone${i} gone-${round}`)))
        gone.write(pipeline(Array.from({ length: 200 }, (_, i) => `GET gone${i}`)))
        if (round % 2 === 1) await gone.reply()
        await gone[leave]()
        const [set, get] = await send(next, `SET mine${round} m${round}`, `GET mine${round}`)
        expect([set, get]).to.deep.equal(['+OK\r\n', bulk(`m${round}`).toString()])
      }
    })
  }

  it('may send 50 MB in small pieces, and get it back while others are served', async () => {
    const value = Buffer.alloc(50 * MB, 'large value ')
    const client = await shards.ambassador.connect()
    const frame = encodeRequest('SET', here, value)
    const other = await shards.ambassador.connect()
    for (let at = 0; at < frame.length; at += 64 * 1024) {
      client.write(frame.subarray(at, at + 64 * 1024))
    }
    expect((await client.reply()).toString()).to.equal('+OK\r\n')
    client.write(encodeRequest('GET', here))
    expect(await send(other, 'SET small v', 'GET small')).to.deep.equal(['+OK\r\n', '$1\r\nv\r\n'])
    expect((await client.reply()).equals(bulk(value))).to.equal(true)
  })

  it('may send a request byte by byte', async () => {
    const client = await shards.ambassador.connect()
    for (const byte of encodeRequest('SET', here, Buffer.alloc(2000, 'x'))) {
      client.write(Buffer.of(byte))
      if (byte === 0x0a) await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await client.reply()).toString()).to.equal('+OK\r\n')
    expect(await send(client, `STRLEN ${here}`)).to.deep.equal([':2000\r\n'])
  })

  it('get a reply of 100 MB whole', async () => {
    const client = await shards.ambassador.connect()
    const value = Buffer.alloc(100 * MB, 'v')
    expect((await client.request('SET', here, value)).toString()).to.equal('+OK\r\n')
    client.write(pipeline([`GET ${here}`, `DEL ${here}`]))
    const [get, del] = await client.replies(2)
    expect(get?.equals(bulk(value))).to.equal(true)
    expect(del?.toString()).to.equal(':1\r\n')
  })

  it('may be 500 at a time, each with its own replies', async () => {
    const clients = await Promise.all(
      Array.from({ length: 500 }, () => shards.ambassador.connect()),
    )
    await Promise.all(
      clients.map(async (client, i) => {
        const replies = await send(client, `SET c${i} v${i}`, `GET c${i}`, `GET c${i}`, `DEL c${i}`)
        const value = bulk(`v${i}`).toString()
        expect(replies).to.deep.equal(['+OK\r\n', value, value, ':1\r\n'])
      }),
    )
    expect(shards.ambassador.gauges.clients).to.equal(500)
  })
})

describe('an ambassador', () => {
  const cleanUps: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  async function start(flags: Readonly<Record<string, string>>, redisArgs: readonly string[] = []) {
    const started = await startShards(3, flags, redisArgs)
    cleanUps.push(started.stop)
    return started
  }

  it('with four connections to each shard keeps the program order of each client', async () => {
    const { ambassador } = await start({ connectionsPerShard: '4', requestTimeoutMs: '20000' })
    const clients = await Promise.all(Array.from({ length: 8 }, () => ambassador.connect()))
    await Promise.all(
      clients.map(async (client, c) => {
        const requests = Array.from({ length: 1000 }, (_, i) => [`SET o${c} ${i}`, `GET o${c}`])
        const replies = await send(client, ...requests.flat())
        for (let i = 0; i < 1000; i++) expect(replies[2 * i + 1]).to.equal(bulk(`${i}`).toString())
      }),
    )
  })

  it('keeps the connections of a lane for the next client of its kind', async () => {
    const { redises, ambassador } = await start({})
    const direct = await connectRaw(redises[0]?.port ?? 0)
    const received = async (): Promise<number> => {
      const info = (await direct.request('INFO', 'stats')).toString()
      return Number(/total_connections_received:(\d+)/.exec(info)?.[1])
    }
    const before = await received()
    for (let round = 0; round < 50; round++) {
      const client = await ambassador.connect(3)
      expect(await send(client, 'SELECT 1', 'DBSIZE')).to.deep.equal(['+OK\r\n', ':0\r\n'])
      await client.close()
    }
    // The lane of RESP3 and that of RESP3 in database 1; and one that asks for the commands.
    expect((await received()) - before).to.be.within(2, 3)
    await direct.close()
  })

  it('with a password serves those who know it, and nobody else', async () => {
    const { ambassador } = await start({ password: 'open sesame' })
    const client = await ambassador.connect()
    expect(await send(client, 'GET k', 'AUTH wrong', 'PING')).to.deep.equal([
      '-NOAUTH Authentication required.\r\n',
      '-WRONGPASS invalid username-password pair or user is disabled.\r\n',
      '-NOAUTH Authentication required.\r\n',
    ])
    expect((await client.request('AUTH', 'open sesame')).toString()).to.equal('+OK\r\n')
    expect(await send(client, 'SET k v', 'GET k')).to.deep.equal(['+OK\r\n', '$1\r\nv\r\n'])
    const modern = await ambassador.connect()
    const hello = await modern.request('HELLO', '3', 'AUTH', 'default', 'open sesame')
    expect(hello.toString()).to.match(/^%7\r\n/)
    expect(await send(modern, 'GET none')).to.deep.equal(['_\r\n'])
  })

  it('presents the password of the shards, in every lane and lease', async () => {
    const { ambassador } = await start({ shardPassword: 'shard secret' }, [
      '--requirepass',
      'shard secret',
    ])
    for (const protocol of [2, 3] as const) {
      const client = await ambassador.connect(protocol)
      expect(await send(client, 'SET k v', 'SELECT 3', 'EXISTS k', 'SET k 3')).to.deep.equal([
        '+OK\r\n',
        '+OK\r\n',
        ':0\r\n',
        '+OK\r\n',
      ])
      expect(await send(client, 'MULTI', 'GET k', 'DEL k', 'EXEC')).to.deep.equal([
        '+OK\r\n',
        '+QUEUED\r\n',
        '+QUEUED\r\n',
        '*2\r\n$1\r\n3\r\n:1\r\n',
      ])
    }
  })

  it('uses the database that the URL of a shard names', async () => {
    const redis = await startRedis()
    cleanUps.push(() => redis.stop())
    const ambassador = await startAmbassadorFor([`redis://127.0.0.1:${redis.port}/5`])
    cleanUps.push(() => ambassador.stop())
    const client = await ambassador.connect()
    await send(client, 'SET k five')
    const direct = await connectRaw(redis.port)
    expect(await send(direct, 'EXISTS k', 'SELECT 5', 'GET k')).to.deep.equal([
      ':0\r\n',
      '+OK\r\n',
      bulk('five').toString(),
    ])
    await direct.close()
  })

  it('turns clients away beyond the limit, and serves the next when one leaves', async () => {
    const { ambassador } = await start({ maxClients: '2' })
    const first = await ambassador.connect()
    const second = await ambassador.connect()
    await send(first, 'PING')
    await send(second, 'PING')
    const third = await ambassador.connect()
    expect((await third.rest()).toString()).to.equal('-ERR max number of clients reached\r\n')
    await first.close()
    for (;;) {
      const next = await ambassador.connect()
      const reply = await next.request('PING').catch(() => undefined)
      if (reply?.toString() === '+PONG\r\n') break
    }
    expect(await send(second, 'PING')).to.deep.equal(['+PONG\r\n'])
  })

  it('listens on a unix socket and finds shards behind one', async () => {
    const directory = temporaryFiles()
    const redisSocket = join(directory, 'redis.sock')
    const ownSocket = join(directory, 'ambassador.sock')
    const redis = await startRedis({ args: ['--unixsocket', redisSocket] })
    cleanUps.push(() => redis.stop())
    const ambassador = await startAmbassadorFor([`unix://${redisSocket}`], {
      listen: `unix:${ownSocket}`,
    })
    const client = await connectRaw({ path: ownSocket })
    expect(await send(client, 'SET k v', 'GET k')).to.deep.equal(['+OK\r\n', '$1\r\nv\r\n'])
    await client.close()
    await ambassador.stop()
    expect(existsSync(ownSocket)).to.equal(false)
  })
})
