/** Shards that are down, come back, or say nothing: what clients are told, and what goes on. */
import { expect } from 'chai'
import { keysOn, startAmbassadorFor, startShards } from '../support/ambassador.ts'
import { bulk, encodeRequest } from '../support/frames.ts'
import { pipeline, send } from '../support/pipeline.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { startRedis } from '../support/redis-server.ts'
import { shareShards } from '../support/shared-shards.ts'

const UNAVAILABLE = '-ERR ambassador: shard a unavailable (not sent)\r\n'
const LOST = '-ERR ambassador: shard a connection lost (may have executed)\r\n'
const TIMED_OUT = '-ERR ambassador: shard a timed out (may have executed)\r\n'

describe('a shard', () => {
  const [onA = '', onAToo = ''] = keysOn(0, 3, 2)
  const [onB = ''] = keysOn(1, 3)
  const [onC = ''] = keysOn(2, 3)

  describe('that dies', () => {
    const shards = shareShards(3)
    let client: RawClient

    beforeEach(async () => {
      client = await shards.ambassador.connect()
      await send(client, `MSET ${onA} a ${onB} b ${onC} c`)
    })

    /** Kills shard a and waits until that has been noticed. */
    async function kill(): Promise<void> {
      await shards.redises[0]?.kill()
      while ((await send(client, `GET ${onA}`))[0] !== UNAVAILABLE);
    }

    /** Starts it again, empty, and waits until it is served. */
    async function restart(): Promise<void> {
      await shards.redises[0]?.restart()
      while (!(await send(client, `GET ${onA}`))[0]?.startsWith('$'));
    }

    it('is said to be unavailable by whatever needs it, and by nothing else', async () => {
      await kill()
      const all = `${onC} ${onA} ${onB}`
      const replies = await send(
        client,
        `SET ${onA} v`,
        `MGET ${all}`,
        `MSET ${onA} 1 ${onB} 1 ${onC} 1`,
        `DEL ${all}`,
        `EXISTS ${all}`,
        'DBSIZE',
        'KEYS *',
        'FLUSHALL',
        `BLPOP ${onAToo} 0`,
      )
      expect(new Set(replies)).to.deep.equal(new Set([UNAVAILABLE]))
      expect(await send(client, `MGET ${onC} ${onB}`, `GET ${onB}`, 'PING')).to.deep.equal([
        `*2\r\n${bulk('c')}${bulk('b')}`,
        bulk('b').toString(),
        '+PONG\r\n',
      ])
      await restart()
      expect(await send(client, `MGET ${all}`)).to.deep.equal([
        `*3\r\n${bulk('c')}$-1\r\n${bulk('b')}`,
      ])
    })

    it('costs exactly the requests that are in flight, and says that they may have executed', async () => {
      await shards.redises[0]?.kill('SIGSTOP')
      const inFlight = Array.from({ length: 100 }, () => `INCR ${onA}`)
      client.write(pipeline(inFlight))
      client.write(encodeRequest('GET', onB))
      const other = await shards.ambassador.connect()
      const mixed = other.request('MSET', onA, '1', onB, '1')
      const witness = await shards.ambassador.connect()
      while (shards.ambassador.gauges.inFlight < 2) await send(witness, `GET ${onB}`)
      await shards.redises[0]?.kill()
      const replies = (await client.replies(101)).map((reply) => reply.toString())
      expect(new Set(replies.slice(0, 100))).to.include(LOST)
      for (const reply of replies.slice(0, 100)) expect([LOST, UNAVAILABLE]).to.include(reply)
      expect(replies[100]).to.match(/^\$1\r\n[b1]\r\n$/)
      expect((await mixed).toString()).to.equal(LOST)
      await restart()
    })

    it('comes back to clients that have stayed, in RESP2 and RESP3 and in leases', async () => {
      const modern = await shards.ambassador.connect(3)
      expect(await send(modern, `GET ${onA}`)).to.deep.equal([bulk('a').toString()])
      await kill()
      expect(await send(modern, `MSET ${onA} 1`, `MULTI`, `GET ${onA}`, 'EXEC')).to.deep.equal([
        UNAVAILABLE,
        '+OK\r\n',
        UNAVAILABLE,
        '-EXECABORT Transaction discarded because of previous errors.\r\n',
      ])
      await restart()
      while ((await send(modern, `GET ${onA}`))[0] !== '_\r\n');
      expect(await send(modern, `SET ${onA} new`, 'MULTI', `GET ${onA}`, 'EXEC')).to.deep.equal([
        '+OK\r\n',
        '+OK\r\n',
        '+QUEUED\r\n',
        `*1\r\n${bulk('new')}`,
      ])
    })

    it('is reconnected to when it has only dropped our connection', async () => {
      const direct = await connectRaw(shards.redises[0]?.port ?? 0)
      for (let round = 0; round < 5; round++) {
        await direct.request('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        while ((await send(client, `GET ${onA}`))[0] !== bulk('a').toString());
      }
      await direct.close()
    })
  })

  it('that is down at the start is served once it is up, and the others at once', async () => {
    const ports = [await freePort(), await freePort()]
    const [b] = [await startRedis({ port: ports[1] ?? 0 })]
    const ambassador = await startAmbassadorFor(ports.map((port) => ({ port })))
    const client = await ambassador.connect()
    const [first = ''] = keysOn(0, 2)
    const [second = ''] = keysOn(1, 2)
    while ((await send(client, `GET ${first}`))[0] !== UNAVAILABLE);
    expect(await send(client, `SET ${second} v`)).to.deep.equal(['+OK\r\n'])
    const a = await startRedis({ port: ports[0] ?? 0 })
    while ((await send(client, `GET ${first}`))[0] !== '$-1\r\n');
    await ambassador.stop()
    await a.stop()
    await b.stop()
  })

  it('that says nothing costs an error in time, and no later reply its place', async () => {
    const { redises, ambassador, stop } = await startShards(3, { requestTimeoutMs: '1000' })
    const client = await ambassador.connect()
    const other = await ambassador.connect()
    await send(client, `MSET ${onA} a ${onB} b`, `RPUSH ${onAToo} x`)
    await redises[0]?.kill('SIGSTOP')
    expect(
      await send(client, `GET ${onA}`, `GET ${onB}`, `MGET ${onB} ${onA}`, `RPUSH ${onAToo} y`),
    ).to.deep.equal([TIMED_OUT, bulk('b').toString(), TIMED_OUT, TIMED_OUT])
    await redises[0]?.kill('SIGCONT')
    // Answers to the requests above come first, and must be given to nobody.
    while ((await send(other, `LLEN ${onAToo}`))[0] !== ':2\r\n');
    expect(await send(client, `GET ${onA}`, `LRANGE ${onAToo} 0 -1`)).to.deep.equal([
      bulk('a').toString(),
      '*2\r\n$1\r\nx\r\n$1\r\ny\r\n',
    ])
    await stop()
  })

  it('that is slow but in time is waited for', async () => {
    const { redises, ambassador, stop } = await startShards(1, { requestTimeoutMs: '10000' })
    const client = await ambassador.connect()
    const direct = await connectRaw(redises[0]?.port ?? 0)
    await direct.request('CLIENT', 'PAUSE', '300', 'ALL')
    expect(await send(client, 'SET k v', 'GET k')).to.deep.equal(['+OK\r\n', '$1\r\nv\r\n'])
    await direct.close()
    await stop()
  })

  it('whose own errors come are passed on as they are', async () => {
    const { redises, ambassador, stop } = await startShards(2)
    const client = await ambassador.connect()
    const [on = '', onToo = ''] = keysOn(0, 2, 2)
    const [there = ''] = keysOn(1, 2)
    const direct = await connectRaw(redises[0]?.port ?? 0)
    await direct.request('CONFIG', 'SET', 'maxmemory', '1')
    const [oom] = await send(direct, `SET ${on} v`)
    expect(oom).to.match(/^-OOM /)
    expect(
      await send(
        client,
        `SET ${on} v`,
        `MSET ${there} 1 ${onToo} 1`,
        `SET ${there} 2`,
        `GET ${on}`,
      ),
    ).to.deep.equal([oom, oom, '+OK\r\n', '$-1\r\n'])
    await direct.request('CONFIG', 'SET', 'maxmemory', '0')
    await direct.request('REPLICAOF', '127.0.0.1', '1')
    const [readonly] = await send(client, `SET ${on} v`)
    expect(readonly).to.match(/^-READONLY /)
    expect(await send(client, `SET ${there} 2`)).to.deep.equal(['+OK\r\n'])
    await direct.close()
    await stop()
  })
})
