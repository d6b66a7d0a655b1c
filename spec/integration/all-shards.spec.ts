/** SCAN, RANDOMKEY and PUBSUB over several real shards, held against one plain Redis. */
import { expect } from 'chai'
import { startAmbassadorFor } from '../support/ambassador.ts'
import { openIoredis5, openNodeRedis } from '../support/clients.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { shareRedises, shareShards } from '../support/shared-shards.ts'

const SHARDS = 3
const PROTOCOLS = [2, 3] as const

describe('all shards', () => {
  const plain = shareRedises(1)
  const shards = shareShards(SHARDS)
  const direct: RawClient[] = []

  beforeEach(async () => {
    const ports = [...plain, ...shards.redises].map(({ port }) => port)
    for (const port of ports) direct.push(await connectRaw(port))
    for (const client of direct) await client.request('FLUSHALL')
  })
  afterEach(async () => {
    for (const client of direct.splice(0)) await client.close()
  })

  /** A client of the ambassador and one of the plain Redis, in the same protocol. */
  async function both(protocol: 2 | 3): Promise<[RawClient, RawClient]> {
    const toPlain = await connectRaw((plain[0] as RedisServer).port)
    direct.push(toPlain)
    if (protocol === 3) await toPlain.request('HELLO', '3')
    return [await shards.ambassador.connect(protocol), toPlain]
  }

  async function fill(client: RawClient, count: number): Promise<string[]> {
    const keys = Array.from({ length: count }, (_, i) => `${i}:key`)
    await client.request('MSET', ...keys.flatMap((key) => [key, 'v']))
    return keys
  }

  interface Page {
    readonly cursor: string
    readonly keys: string[]
  }

  /** Taken apart by hand: the frame must be exactly what Redis makes. */
  async function page(client: RawClient, ...args: string[]): Promise<Page> {
    const frame = String(await client.request('SCAN', ...args))
    const [, size, cursor = '', count, body = ''] =
      /^\*2\r\n\$(\d+)\r\n(\d+)\r\n\*(\d+)\r\n(.*)$/s.exec(frame) ?? []
    expect(size, frame.slice(0, 40)).to.equal(`${cursor.length}`)
    const keys = [...body.matchAll(/\$\d+\r\n(.*)\r\n/g)].map((match) => match[1] ?? '')
    expect(keys).to.have.length(Number(count))
    return { cursor, keys }
  }

  async function scan(client: RawClient, ...options: string[]): Promise<string[]> {
    const keys: string[] = []
    let cursor = '0'
    do {
      const next = await page(client, cursor, ...options)
      keys.push(...next.keys)
      cursor = next.cursor
    } while (cursor !== '0')
    return keys
  }

  describe('SCAN', () => {
    for (const protocol of PROTOCOLS) {
      it(`returns every key in RESP${protocol}, whatever its options`, async () => {
        const [client, toPlain] = await both(protocol)
        const keys = await fill(client, 1000)
        await fill(toPlain, 1000)
        await client.request('LPUSH', 'list', 'x')
        await toPlain.request('LPUSH', 'list', 'x')
        for (const options of [
          [],
          ['COUNT', '7'],
          ['COUNT', '5000'],
          ['MATCH', '1*:key'],
          ['TYPE', 'list'],
          ['match', '*9*', 'count', '100', 'type', 'string'],
        ]) {
          const [found, expected] = [
            await scan(client, ...options),
            await scan(toPlain, ...options),
          ]
          expect([...new Set(found)].sort(), options.join(' ')).to.deep.equal(
            [...new Set(expected)].sort(),
          )
        }
        expect(new Set(await scan(client))).to.include.keys(...keys, 'list')
        for (const shard of direct.slice(1, 1 + SHARDS)) {
          expect(String(await shard.request('DBSIZE'))).to.match(/^:[1-9]\d\d\r\n$/)
        }
      })

      it(`gives Redis's errors in RESP${protocol}`, async () => {
        const [client, toPlain] = await both(protocol)
        const calls = [
          ['SCAN'],
          ['SCAN', 'x'],
          ['SCAN', '1x'],
          ['SCAN', ' 1'],
          ['SCAN', '-'],
          ['SCAN', '18446744073709551616'],
          ['SCAN', 'x', 'COUNT', 'x'],
          ['SCAN', '0', 'COUNT'],
          ['SCAN', '0', 'COUNT', 'x'],
          ['SCAN', '0', 'COUNT', '0'],
          ['SCAN', '0', 'NONSENSE', '1'],
          ['SCAN', '0', 'TYPE', 'nonsense'],
          ['SCAN', ''],
          ['SCAN', '0\0x'],
        ]
        for (const call of calls) {
          const reply = String(await client.request(...call))
          const expected = String(await toPlain.request(...call))
          // An empty shard answers that the next one is due; an empty Redis that it is done.
          const started = expected === '*2\r\n$1\r\n0\r\n*0\r\n'
          if (started) expect(reply, call.join(' ')).to.match(/^\*2\r\n\$\d+\r\n\d+\r\n\*0\r\n$/)
          else expect(reply, call.join(' ')).to.equal(expected)
        }
      })
    }

    it('begins anew with a cursor that is none of its own', async () => {
      const client = await shards.ambassador.connect()
      await fill(client, 100)
      expect(await page(client, '3')).to.deep.equal(await page(client, '0'))
    })

    it('passes a page on byte for byte, however large', async () => {
      const client = await shards.ambassador.connect()
      const long = 'x'.repeat(5000)
      const keys = Array.from({ length: 100 }, (_, i) => `${i}:${long}`)
      await client.request('MSET', ...keys.flatMap((key) => [key, 'v']))
      const found = await scan(client, 'COUNT', '1000')
      expect(found.sort()).to.deep.equal(keys.sort())
    })

    it('keeps its place among pipelined commands', async () => {
      const client = await shards.ambassador.connect()
      await fill(client, 30)
      const { cursor: second } = await page(client, '0', 'COUNT', '100')
      const { cursor: third } = await page(client, second, 'COUNT', '100')
      client.write(
        `SCAN 0 COUNT 100\r\nECHO a\r\nSCAN ${second} COUNT 100\r\nGET 1:key\r\nSCAN x\r\nECHO b\r\n`,
      )
      const replies = (await client.replies(6)).map(String)
      expect(replies[0]).to.include(`\r\n${second}\r\n`)
      expect(replies[2]).to.include(`\r\n${third}\r\n`)
      expect([replies[1], replies[3], replies[4], replies[5]]).to.deep.equal([
        '$1\r\na\r\n',
        '$1\r\nv\r\n',
        '-ERR invalid cursor\r\n',
        '$1\r\nb\r\n',
      ])
    })

    it('returns what is there all the time, while other keys come and go', async () => {
      const client = await shards.ambassador.connect()
      const writer = await shards.ambassador.connect()
      const lasting = await fill(client, 2000)
      const found = new Set<string>()
      let cursor = '0'
      let round = 0
      do {
        const next = await page(client, cursor, 'COUNT', '50')
        for (const key of next.keys) found.add(key)
        cursor = next.cursor
        // Tables grow and shrink between the pages.
        const passing = Array.from({ length: 500 }, (_, i) => `passing:${round >> 1}:${i}`)
        if (round % 2 === 0) await writer.request('MSET', ...passing.flatMap((key) => [key, 'v']))
        else await writer.request('DEL', ...passing)
        round++
      } while (cursor !== '0')
      expect(lasting.filter((key) => !found.has(key))).to.deep.equal([])
      expect(round).to.be.greaterThan(SHARDS)
    })

    it('serves the iterators of ioredis and node-redis', async () => {
      const keys = (await fill(await shards.ambassador.connect(), 500)).sort()
      const ioredis = openIoredis5(shards.ambassador.port)
      const byIoredis: string[] = []
      for await (const page of ioredis.scanStream({ count: 20 })) byIoredis.push(...page)
      ioredis.disconnect()
      expect([...new Set(byIoredis)].sort()).to.deep.equal(keys)
      const nodeRedis = await openNodeRedis(shards.ambassador.port)
      const byNodeRedis: string[] = []
      for await (const page of nodeRedis.scanIterator({ COUNT: 20 })) byNodeRedis.push(...page)
      nodeRedis.destroy()
      expect([...new Set(byNodeRedis)].sort()).to.deep.equal(keys)
    })

    it('says so when a shard gives a cursor that cannot carry its number', async () => {
      const huge = await startFakeShard(() => '*2\r\n$20\r\n18446744073709551615\r\n*0\r\n')
      const two = await startAmbassadorFor([huge, huge])
      try {
        const client = await two.connect()
        client.write('SCAN 0\r\nECHO a\r\n')
        expect((await client.replies(2)).map(String)).to.deep.equal([
          "-ERR ambassador: the shard's SCAN cursor leaves no room for its number (not executed)\r\n",
          '$1\r\na\r\n',
        ])
      } finally {
        await two.stop()
        await huge.stop()
      }
    })

    it('is what Redis answers when there is one shard', async () => {
      const one = await startAmbassadorFor(plain)
      try {
        const [client, toPlain] = [await one.connect(), direct[0] as RawClient]
        await fill(toPlain, 100)
        for (const call of ['SCAN 0', 'SCAN 16 COUNT 3', 'SCAN -1', 'SCAN x', 'SCAN 3']) {
          expect(String(await client.request(...call.split(' '))), call).to.equal(
            String(await toPlain.request(...call.split(' '))),
          )
        }
        expect(String(await client.request('RANDOMKEY'))).to.match(/^\$\d\r\n\d+:key\r\n$/)
      } finally {
        await one.stop()
      }
    })

    it('fails on a shard that goes away, and nowhere else', async () => {
      const done = '*2\r\n$1\r\n0\r\n*0\r\n'
      const [there, gone] = [
        await startFakeShard(() => done),
        await startFakeShard(() => undefined),
      ]
      const two = await startAmbassadorFor([there, gone])
      try {
        const client = await two.connect()
        const { cursor: second } = await page(client, '0')
        const lost = client.request('SCAN', second)
        await gone.nextRequest()
        await gone.stop()
        expect(String(await lost)).to.equal(
          '-ERR ambassador: shard b connection lost (may have executed)\r\n',
        )
        expect((await page(client, '0')).cursor).to.equal(second)
      } finally {
        await two.stop()
        await there.stop()
      }
    })
  })

  describe('RANDOMKEY', () => {
    for (const protocol of PROTOCOLS) {
      it(`is null without any key in RESP${protocol}, as in Redis`, async () => {
        const [client, toPlain] = await both(protocol)
        const reply = String(await client.request('RANDOMKEY'))
        expect(reply).to.equal(String(await toPlain.request('RANDOMKEY')))
      })
    }

    it('finds the only key, wherever it is', async () => {
      const client = await shards.ambassador.connect()
      for (let i = 0; i < 10; i++) {
        await client.request('SET', `${i}:key`, 'v')
        expect(String(await client.request('RANDOMKEY'))).to.equal(`$5\r\n${i}:key\r\n`)
        await client.request('DEL', `${i}:key`)
      }
    })

    it('gives keys of every shard, and runs before what follows it', async () => {
      const client = await shards.ambassador.connect()
      await fill(client, 300)
      client.write(`${'RANDOMKEY\r\n'.repeat(200)}FLUSHALL\r\nRANDOMKEY\r\n`)
      const replies = (await client.replies(202)).map(String)
      const keys = replies.slice(0, 200)
      expect(keys.every((key) => /^\$\d\r\n\d+:key\r\n$/.test(key))).to.equal(true)
      expect(new Set(keys).size).to.be.greaterThan(50)
      expect(replies.slice(200)).to.deep.equal(['+OK\r\n', '$-1\r\n'])
    })

    it('asks the other shards when the one it drew has no key any more', async () => {
      const script = (name: string, key: string) =>
        startFakeShard(({ text }) => (text === 'DBSIZE' ? name : key))
      const empty = await script(':1000000\r\n', '$-1\r\n')
      const full = await script(':1\r\n', '$3\r\nkey\r\n')
      const two = await startAmbassadorFor([empty, full])
      try {
        const client = await two.connect()
        expect(String(await client.request('RANDOMKEY'))).to.equal('$3\r\nkey\r\n')
      } finally {
        await two.stop()
        await empty.stop()
        await full.stop()
      }
    })

    it('goes on after the shard that was drawn is lost', async () => {
      const losing = await startFakeShard(({ text }) => (text === 'DBSIZE' ? ':1\r\n' : undefined))
      const two = await startAmbassadorFor([losing, losing])
      try {
        const client = await two.connect()
        client.write('RANDOMKEY\r\nECHO a\r\n')
        let request = await losing.nextRequest()
        while (request.text === 'DBSIZE') request = await losing.nextRequest()
        request.connection.reset()
        const [reply, echo] = (await client.replies(2)).map(String)
        expect(reply).to.match(/^-ERR ambassador: shard [ab] connection lost/)
        expect(echo).to.equal('$1\r\na\r\n')
      } finally {
        await two.stop()
        await losing.stop()
      }
    })

    it("passes on a shard's error, and its absence", async () => {
      const broken = await startFakeShard(() => '-LOADING Redis is loading\r\n')
      const two = await startAmbassadorFor([broken, broken])
      try {
        const client = await two.connect()
        const ask = async () => String(await client.request('RANDOMKEY'))
        expect(await ask()).to.equal('-LOADING Redis is loading\r\n')
        await broken.stop()
        expect(await ask()).to.match(/^-ERR ambassador: shard [ab] /)
        expect(String(await client.request('ECHO', 'a'))).to.equal('$1\r\na\r\n')
      } finally {
        await two.stop()
      }
    })
  })

  describe('PUBSUB', () => {
    const channels = Array.from({ length: 12 }, (_, i) => `channel:${i}`)

    /** Subscribes on the shards themselves, each channel on one; the first channel on all. */
    async function subscribe(command: string): Promise<void> {
      for (const [index, redis] of shards.redises.entries()) {
        const subscriber = await connectRaw(redis.port)
        direct.push(subscriber)
        const own = channels.filter((_, i) => i === 0 || i % SHARDS === index)
        subscriber.write(`${command} ${own.join(' ')}\r\n`)
        await subscriber.replies(own.length)
      }
    }

    for (const [command, list, count] of [
      ['SUBSCRIBE', 'CHANNELS', 'NUMSUB'],
      ['SSUBSCRIBE', 'SHARDCHANNELS', 'SHARDNUMSUB'],
    ] as const) {
      for (const protocol of PROTOCOLS) {
        it(`${list} and ${count} see all shards in RESP${protocol}`, async () => {
          const [client, toPlain] = await both(protocol)
          await subscribe(command)
          const listed = String(await client.request('PUBSUB', list))
          expect(listed.startsWith('*12\r\n')).to.equal(true)
          expect([...listed.matchAll(/channel:\d+/g)].map(String).sort()).to.deep.equal(
            [...channels].sort(),
          )
          expect(String(await client.request('PUBSUB', list, '*:1?'))).to.match(/^\*2\r\n/)
          const counted = await client.request('PUBSUB', count, 'channel:0', 'channel:5', 'none')
          expect(String(counted)).to.equal(
            // Whoever is on every shard is taken for one ambassador.
            '*6\r\n$9\r\nchannel:0\r\n:1\r\n$9\r\nchannel:5\r\n:1\r\n$4\r\nnone\r\n:0\r\n',
          )
          for (const call of [
            ['PUBSUB', count],
            ['PUBSUB', list, 'none'],
            ['PUBSUB', 'NUMPAT'],
          ]) {
            expect(String(await client.request(...call))).to.equal(
              String(await toPlain.request(...call)),
            )
          }
        })
      }
    }

    it('counts every client, though all share one connection to a shard', async () => {
      const asking = await shards.ambassador.connect()
      const count = async (...names: string[]) => {
        return String(await asking.request('PUBSUB', 'NUMSUB', ...names))
      }
      const clients = [await shards.ambassador.connect(2), await shards.ambassador.connect(3)]
      for (const client of clients) {
        client.write('SUBSCRIBE a __keyevent@0__:del\r\n')
        await client.replies(2)
      }
      await subscribe('SUBSCRIBE')
      expect(await count('a', '__keyevent@0__:del', 'channel:0')).to.equal(
        '*6\r\n$1\r\na\r\n:2\r\n$18\r\n__keyevent@0__:del\r\n:2\r\n$9\r\nchannel:0\r\n:1\r\n',
      )
      await clients[0]?.request('UNSUBSCRIBE', 'a')
      expect(await count('a')).to.equal('*2\r\n$1\r\na\r\n:1\r\n')
    })
  })
})
