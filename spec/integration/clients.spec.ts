/** The client libraries that apps use, unmodified, through the ambassador to shards and to a cluster. */
import { once } from 'node:events'
import { expect } from 'chai'
import { openIoredis5, openIoredis6, openNodeRedis, openNodeRedis5 } from '../support/clients.ts'
import { shareShards, TOPOLOGIES, type TopologyName } from '../support/shared-shards.ts'

for (const topology of TOPOLOGIES) {
  describe(`client libraries in front of ${topology}`, () => clientsWork(topology))
}

function clientsWork(topology: TopologyName): void {
  const shards = shareShards(topology)

  for (const [name, open] of [
    ['ioredis 5', openIoredis5],
    ['ioredis 6', openIoredis6],
  ] as const) {
    describe(name, () => {
      /** Both have the same methods; the older one's types serve for the two. */
      const connect = open as typeof openIoredis5

      it('connects with its ready check and stores every type', async () => {
        const client = connect(shards.ambassador.port)
        expect(await client.set('s', 'value')).to.equal('OK')
        expect(await client.get('s')).to.equal('value')
        const binary = Buffer.from([0, 13, 10, 255])
        await client.set(binary, binary)
        expect(await client.getBuffer(binary)).to.deep.equal(binary)
        await client.hset('h', { a: '1', b: '2' })
        expect(await client.hgetall('h')).to.deep.equal({ a: '1', b: '2' })
        await client.zadd('z', 1.5, 'm')
        expect(Number(await client.zscore('z', 'm'))).to.equal(1.5)
        await client.quit()
      })

      it('reads and writes keys of all shards in one command', async () => {
        const client = connect(shards.ambassador.port)
        const entries = Array.from({ length: 100 }, (_, i) => [`key${i}`, `value${i}`] as const)
        await client.mset(new Map(entries))
        const keys = entries.map(([key]) => key)
        expect(await client.mget(keys)).to.deep.equal(entries.map(([, value]) => value))
        expect(Number(await client.dbsize())).to.equal(100)
        const scanned: string[] = []
        for await (const page of client.scanStream({ match: 'key*', count: 7 })) {
          scanned.push(...(page as string[]))
        }
        expect(new Set(scanned)).to.deep.equal(new Set(keys))
        expect(Number(await client.del(keys))).to.equal(100)
        await client.quit()
      })

      it('pipelines, and makes transactions with WATCH', async () => {
        const client = connect(shards.ambassador.port)
        const pipeline = client.pipeline()
        for (let i = 0; i < 1000; i++) pipeline.set(`p${i}`, i).get(`p${i}`)
        const results = (await pipeline.exec()) ?? []
        expect(results.filter(([error]) => error !== null)).to.deep.equal([])
        expect(results[1999]?.[1]).to.equal('999')
        await client.watch('counter')
        const done = await client.multi().incr('counter').incr('counter').exec()
        expect(done?.map(([, value]) => Number(value))).to.deep.equal([1, 2])
        await client.watch('counter')
        const other = connect(shards.ambassador.port)
        await other.incr('counter')
        expect(await client.multi().incr('counter').exec()).to.equal(null)
        await client.quit()
        await other.quit()
      })

      it('calls scripts by their hash, on every shard', async () => {
        const client = connect(shards.ambassador.port)
        client.defineCommand('prefixed', {
          numberOfKeys: 1,
          lua: "return ARGV[1] .. (redis.call('GET', KEYS[1]) or 'nothing')",
        })
        type Scripted = { prefixed(key: string, prefix: string): Promise<string> }
        const scripted = client as unknown as Scripted
        for (let i = 0; i < 20; i++) {
          expect(await scripted.prefixed(`script${i}`, `${i}:`)).to.equal(`${i}:nothing`)
        }
        await client.quit()
      })

      it('blocks, subscribes and is told', async () => {
        const client = connect(shards.ambassador.port)
        const blocked = connect(shards.ambassador.port)
        const popped = blocked.blpop('queue', 0)
        await client.rpush('queue', 'job')
        expect(await popped).to.deep.equal(['queue', 'job'])
        const subscriber = connect(shards.ambassador.port)
        await subscriber.subscribe('news', 'weather')
        await subscriber.psubscribe('n*')
        const message = once(subscriber, 'message')
        const patterned = once(subscriber, 'pmessage')
        await client.publish('news', 'hello')
        expect(await message).to.deep.equal(['news', 'hello'])
        expect(await patterned).to.deep.equal(['n*', 'news', 'hello'])
        await subscriber.unsubscribe('news', 'weather')
        for (const each of [client, blocked, subscriber]) await each.quit()
      })
    })
  }

  for (const [name, open] of [
    ['node-redis 5', openNodeRedis5],
    ['node-redis 6', openNodeRedis],
  ] as const) {
    describe(name, () => {
      const connect = open as typeof openNodeRedis5

      it('connects and stores every type', async () => {
        const client = await connect(shards.ambassador.port)
        expect(await client.ping()).to.equal('PONG')
        expect(await client.set('s', 'value')).to.equal('OK')
        expect(await client.get('s')).to.equal('value')
        expect(await client.get('none')).to.equal(null)
        await client.hSet('h', { a: '1', b: '2' })
        expect({ ...(await client.hGetAll('h')) }).to.deep.equal({ a: '1', b: '2' })
        await client.zAdd('z', { score: 1.5, value: 'm' })
        expect(await client.zRangeWithScores('z', 0, -1)).to.deep.equal([
          { score: 1.5, value: 'm' },
        ])
        await client.xAdd('x', '1-1', { field: 'value' })
        const [stream] = (await client.xRead({ key: 'x', id: '0' })) as { messages: unknown[] }[]
        expect(stream?.messages).to.have.length(1)
        await client.close()
      })

      it('reads and writes keys of all shards in one command', async () => {
        const client = await connect(shards.ambassador.port)
        const entries = Array.from({ length: 100 }, (_, i) => [`key${i}`, `value${i}`] as const)
        await client.mSet(Object.fromEntries(entries))
        const keys = entries.map(([key]) => key)
        expect(await client.mGet(keys)).to.deep.equal(entries.map(([, value]) => value))
        const scanned: string[] = []
        for await (const page of client.scanIterator({ MATCH: 'key*', COUNT: 7 })) {
          scanned.push(...page)
        }
        expect(new Set(scanned)).to.deep.equal(new Set(keys))
        expect(await client.del(keys)).to.equal(100)
        await client.close()
      })

      it('pipelines, and makes transactions with WATCH', async () => {
        const client = await connect(shards.ambassador.port)
        const numbers = Array.from({ length: 1000 }, (_, i) => i)
        const values = await Promise.all(
          numbers.flatMap((i) => [client.set(`p${i}`, String(i)), client.get(`p${i}`)]),
        )
        expect(values[1999]).to.equal('999')
        await client.watch('counter')
        expect(await client.multi().incr('counter').incr('counter').exec()).to.deep.equal([1, 2])
        await client.watch('counter')
        const other = await connect(shards.ambassador.port)
        await other.incr('counter')
        const failure = await client
          .multi()
          .incr('counter')
          .exec()
          .catch((error: Error) => error)
        expect(failure).to.have.property('name', 'Error')
        expect(await client.get('counter')).to.equal('3')
        await client.close()
        await other.close()
      })

      it('blocks, subscribes and is told', async () => {
        const client = await connect(shards.ambassador.port)
        const blocked = await connect(shards.ambassador.port)
        const popped = blocked.blPop('queue', 0)
        await client.rPush('queue', 'job')
        expect({ ...(await popped) }).to.deep.equal({ key: 'queue', element: 'job' })
        const subscriber = await connect(shards.ambassador.port)
        const told: string[] = []
        const both = new Promise<void>((resolve) => {
          const listener = (message: string, channel: string): void => {
            told.push(`${channel} ${message}`)
            if (told.length === 2) resolve()
          }
          void subscriber
            .subscribe('news', listener)
            .then(() => subscriber.pSubscribe('n*', listener))
            .then(() => client.publish('news', 'hello'))
        })
        await both
        expect(told).to.deep.equal(['news hello', 'news hello'])
        await subscriber.unsubscribe('news')
        await subscriber.pUnsubscribe('n*')
        for (const each of [client, blocked, subscriber]) await each.close()
      })
    })
  }
}
