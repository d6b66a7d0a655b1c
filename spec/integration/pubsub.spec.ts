/** Pub/sub through the ambassador, against what a client gets from Redis itself. */
import { once } from 'node:events'
import { expect } from 'chai'
import { keysOn, startShards } from '../support/ambassador.ts'
import { openIoredis5, openNodeRedis } from '../support/clients.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { shardsForEach, shareRedises, shareShards } from '../support/shared-shards.ts'
import { until } from '../support/until.ts'

const CHANNELS = ['a', 'b', 'news.1', 'news.2', '']
const PATTERNS = ['*', 'news.*', 'a', '[ab]']
const END = 'end-of-step'

describe('pub/sub on one shard', () => {
  const shard = shareShards(1)
  const redises = shareRedises(1)

  for (const protocol of [2, 3] as const) {
    it(`gives a RESP${protocol} client what Redis gives it, byte for byte`, async () => {
      const seed = specSeed()
      const steps = stepsOf(createRandom(seed), 300)
      const [direct] = redises as [RedisServer]
      const expected = await transcript(await connectTo(direct.port, protocol), direct, steps)
      const client = await shard.ambassador.connect(protocol)
      const found = await transcript(client, shard.redises[0] as RedisServer, steps)
      for (const [index, step] of steps.entries()) {
        expect(found[index], `seed ${seed}, ${step.join(' ')}`).to.deep.equal(expected[index])
      }
    })
  }

  it('refuses other commands to RESP2 subscribers in the words of Redis', async () => {
    const requests = [
      ['SUBSCRIBE', 'a'],
      ['GET', 'k'],
      ['CONFIG', 'GET', 'x'],
      ['HELLO', '3'],
      ['MULTI'],
      ['PING'],
      ['PING', 'hello'],
      ['PING', 'x', 'y'],
      ['NOPE'],
      ['GET'],
      ['UNSUBSCRIBE'],
      ['SSUBSCRIBE', 's'],
      ['GET', 'k'],
      ['SUNSUBSCRIBE'],
      ['GET', 'k'],
      ['PSUBSCRIBE', '*'],
      ['RESET'],
      ['GET', 'k'],
      ['SUBSCRIBE', 'a', 'b', 'a'],
      ['QUIT'],
    ]
    const here = await shard.ambassador.connect()
    const there = await connectRaw((redises[0] as RedisServer).port)
    for (const client of [here, there]) {
      for (const request of requests) client.write(encodeInline(request))
    }
    expect(String(await here.rest())).to.equal(String(await there.rest()))
  })

  it('holds RESP3 subscribers to the restrictions once they go back to RESP2', async () => {
    const client = await shard.ambassador.connect(3)
    expect(String(await client.request('SUBSCRIBE', 'a'))).to.equal(
      '>3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n',
    )
    expect(String(await client.request('GET', 'k'))).to.equal('_\r\n')
    expect(String(await client.request('MULTI'))).to.equal('+OK\r\n')
    expect(String(await client.request('EXEC'))).to.equal('*0\r\n')
    await client.request('HELLO', '2')
    expect(String(await client.request('GET', 'k'))).to.match(/^-ERR Can't execute 'get'/)
  })

  it('keeps what a watching client has watched when it subscribes', async () => {
    const client = await shard.ambassador.connect()
    await client.request('WATCH', 'w')
    await client.request('SUBSCRIBE', 'a')
    await client.request('UNSUBSCRIBE', 'a')
    const other = await shard.ambassador.connect()
    await other.request('SET', 'w', '1')
    await client.request('MULTI')
    await client.request('SET', 'w', '2')
    expect(String(await client.request('EXEC'))).to.equal('*-1\r\n')
  })

  it('carries names and messages that come in many reads', async () => {
    const name = 'n'.repeat(200_000)
    const client = await shard.ambassador.connect()
    const confirmed = await client.request('SUBSCRIBE', name, '-')
    expect(String(confirmed)).to.equal(`*3\r\n$9\r\nsubscribe\r\n$200000\r\n${name}\r\n:1\r\n`)
    expect(String(await client.reply())).to.equal('*3\r\n$9\r\nsubscribe\r\n$1\r\n-\r\n:2\r\n')
    const publisher = await shard.ambassador.connect()
    const payload = 'p'.repeat(3_000_000)
    expect(String(await publisher.request('PUBLISH', name, payload))).to.equal(':1\r\n')
    const message = await client.reply()
    expect(message.length).to.be.greaterThan(3_200_000)
    expect(message.subarray(-3_000_002, -2).equals(Buffer.from(payload))).to.equal(true)
  })
})

/** One request a step; messages are published on the server itself, so that both get the same. */
type Step = readonly string[]

function stepsOf(random: Random, count: number): Step[] {
  return Array.from({ length: count }, () => stepOf(random))
}

function stepOf(random: Random): Step {
  const some = (names: readonly string[]): string[] =>
    Array.from({ length: random.integer(1, 4) }, () => random.pick(names))
  switch (random.integer(0, 9)) {
    case 0:
    case 1:
      return ['SUBSCRIBE', ...some(CHANNELS)]
    case 2:
      return ['PSUBSCRIBE', ...some(PATTERNS)]
    case 3:
      return ['UNSUBSCRIBE', ...some(CHANNELS)]
    case 4:
      return random.integer(0, 4) === 0 ? ['PUNSUBSCRIBE'] : ['PUNSUBSCRIBE', ...some(PATTERNS)]
    case 5:
      return random.pick([
        ['SSUBSCRIBE', ...some(CHANNELS)],
        ['SUNSUBSCRIBE', ...some(CHANNELS)],
      ])
    case 6:
      return random.pick([['PING'], ['PING', 'text'], ['UNSUBSCRIBE'], ['GET', 'nothing']])
    case 7:
      return ['SPUBLISH', random.pick(CHANNELS), 'sharded']
    default:
      return ['PUBLISH', random.pick(CHANNELS), 'payload']
  }
}

/** What the client gets in each step, frame by frame; a message on its own channel ends each step. */
async function transcript(
  client: RawClient,
  server: RedisServer,
  steps: readonly Step[],
): Promise<string[][]> {
  const publisher = await connectRaw(server.port)
  await client.request('SSUBSCRIBE', END)
  const found: string[][] = []
  for (const step of steps) {
    const publishes = step[0]?.endsWith('PUBLISH') === true
    const count = publishes
      ? 0
      : step[0]?.endsWith('SUBSCRIBE') && step.length > 1
        ? step.length - 1
        : 1
    const frames = publishes ? [String(await publisher.request(...step))] : []
    if (!publishes) client.write(encodeInline(step))
    for (let i = 0; i < count; i++) frames.push(String(await client.reply()))
    await publisher.request('SPUBLISH', END, '')
    for (;;) {
      const frame = String(await client.reply())
      if (frame.includes(END)) break
      frames.push(frame)
    }
    found.push(step.length === 1 && step[0] === 'UNSUBSCRIBE' ? unordered(frames) : inOrder(frames))
  }
  await publisher.close()
  await client.close()
  return found
}

/** A message matches patterns in the order of Redis's hash table, which differs from run to run. */
function inOrder(frames: readonly string[]): string[] {
  const isPattern = (frame: string): boolean => frame.includes('pmessage')
  return [
    ...frames.filter((frame) => !isPattern(frame)),
    ...frames.filter((frame) => isPattern(frame)).sort(),
  ]
}

/** Redis names the channels of a bare UNSUBSCRIBE in such an order as well; the counts have theirs. */
function unordered(frames: readonly string[]): string[] {
  const names = frames.map((frame) => frame.replace(/:\d+\r\n$/, '')).sort()
  return [...names, ...frames.map((frame) => /:\d+\r\n$/.exec(frame)?.[0] ?? '')]
}

async function connectTo(port: number, protocol: 2 | 3): Promise<RawClient> {
  const client = await connectRaw(port)
  if (protocol === 3) await client.request('HELLO', '3')
  return client
}

function encodeInline(args: readonly string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('')}`
}

describe('pub/sub on three shards', () => {
  const shards = shardsForEach(3)

  it('subscribes each topic once however many clients have it, and only as long', async () => {
    const clients = await Promise.all(
      [2, 3, 2, 3].map((p) => shards.ambassador.connect(p as 2 | 3)),
    )
    for (const client of clients) await client.request('SUBSCRIBE', 'c')
    for (const client of clients) await client.request('PSUBSCRIBE', 'c*')
    expect(await sumOf(shards.redises, 'PUBSUB', 'NUMSUB', 'c')).to.equal(3)
    expect(await sumOf(shards.redises, 'PUBSUB', 'NUMPAT')).to.equal(3)
    const publisher = await shards.ambassador.connect()
    expect(String(await publisher.request('PUBLISH', 'c', 'm'))).to.equal(':8\r\n')
    for (const client of clients) {
      const words = (await client.replies(2)).map((frame) => /p?message/.exec(String(frame))?.[0])
      expect(words.sort()).to.deep.equal(['message', 'pmessage'])
    }
    for (const client of clients.slice(1)) await client.close()
    expect(await sumOf(shards.redises, 'PUBSUB', 'NUMSUB', 'c')).to.equal(3)
    await shards.ambassador.quiet()
    await until(async () => (await sumOf(shards.redises, 'PUBSUB', 'NUMPAT')) === 0)
    expect(await sumOf(shards.redises, 'PUBSUB', 'NUMSUB', 'c')).to.equal(0)
  })

  it('counts all who hear what is published, and nobody who has left', async () => {
    const clients = await Promise.all([2, 3, 2].map((p) => shards.ambassador.connect(p as 2 | 3)))
    const [first, second, third] = clients as [RawClient, RawClient, RawClient]
    const publisher = await shards.ambassador.connect()
    const heard = async (...request: string[]) =>
      Number(String(await publisher.request(...request)).slice(1))
    expect(await heard('PUBLISH', 'c', 'm')).to.equal(0)
    await first.request('SUBSCRIBE', 'c')
    for (const client of clients) await client.request('PSUBSCRIBE', '[a-c]')
    await third.request('SSUBSCRIBE', 'c')
    await first.request('SSUBSCRIBE', 'c')
    expect(await heard('PUBLISH', 'c', 'm')).to.equal(4)
    expect(await heard('PUBLISH', 'a', 'm')).to.equal(3)
    expect(await heard('PUBLISH', 'd', 'm')).to.equal(0)
    expect(await heard('SPUBLISH', 'c', 'm')).to.equal(2)
    // One whom the ambassador does not know, on the shard itself.
    const direct = await Promise.all(shards.redises.map(({ port }) => connectRaw(port)))
    for (const client of direct) await client.request('PSUBSCRIBE', 'a')
    expect(await heard('PUBLISH', 'a', 'm')).to.equal(4)
    for (const client of direct) await client.close()
    await second.close()
    await third.close()
    await until(async () => (await heard('PUBLISH', 'a', 'm')) === 1)
    expect(String(await publisher.request('PUBLISH', 'a'))).to.match(/^-ERR wrong number/)
  })

  it('opens one subscriber connection for a shard, however often clients come and go', async () => {
    const client = await shards.ambassador.connect()
    await client.request('PSUBSCRIBE', '*')
    const before = await sumOf(shards.redises, 'INFO', 'stats')
    for (let i = 0; i < 200; i++) {
      await client.request('SUBSCRIBE', `c${i}`)
      await client.request('UNSUBSCRIBE', `c${i}`)
    }
    // The one who asks connects anew, to each of the three.
    expect(await sumOf(shards.redises, 'INFO', 'stats')).to.equal(before + 3)
  })

  it('passes on keyspace notifications of all shards', async () => {
    for (const redis of shards.redises)
      await ask(redis, 'CONFIG', 'SET', 'notify-keyspace-events', 'KEA')
    const client = await shards.ambassador.connect(3)
    await client.request('SUBSCRIBE', '__keyevent@0__:set')
    const writer = await shards.ambassador.connect()
    for (let i = 0; i < 30; i++) await writer.request('SET', `k${i}`, 'v')
    const keys = (await client.replies(30)).map((frame) => String(frame).split('\r\n')[6])
    expect(new Set(keys)).to.deep.equal(new Set(Array.from({ length: 30 }, (_, i) => `k${i}`)))
  })

  it('answers in order when the shards confirm in another', async () => {
    const client = await shards.ambassador.connect()
    const names = Array.from({ length: 60 }, (_, i) => `c${i}`)
    client.write(names.map((name) => encodeInline(['SUBSCRIBE', name])).join(''))
    client.write(encodeInline(['PING']))
    const frames = await client.replies(names.length)
    for (const [i, frame] of frames.entries()) {
      expect(String(frame)).to.match(new RegExp(`\\r\\nc${i}\\r\\n:${i + 1}\\r\\n$`))
    }
    expect(String(await client.reply())).to.equal('*2\r\n$4\r\npong\r\n$0\r\n\r\n')
  })

  it('closes those who subscribed through a shard that is lost, and nobody else (row 55)', async () => {
    const everywhere = await shards.ambassador.connect()
    await everywhere.request('PSUBSCRIBE', '*')
    const [lost, kept] = [await shards.ambassador.connect(), await shards.ambassador.connect()]
    await lost.request('SUBSCRIBE', keysOn(0, 3)[0] as string)
    await kept.request('SUBSCRIBE', keysOn(1, 3)[0] as string)
    await (shards.redises[0] as RedisServer).kill()
    await everywhere.closed()
    await lost.closed()
    expect(String(await kept.request('PING'))).to.equal('*2\r\n$4\r\npong\r\n$0\r\n\r\n')
  })

  it('subscribes nothing when the shard of one of the channels cannot be reached', async () => {
    await (shards.redises[1] as RedisServer).kill()
    const client = await shards.ambassador.connect()
    const channels = [0, 1, 2].map((index) => keysOn(index, 3)[0] as string)
    const answer = String(await client.request('SUBSCRIBE', ...channels))
    expect(answer).to.equal('-ERR ambassador: shard b unavailable (not sent)\r\n')
    expect(String(await client.request('PING'))).to.equal('+PONG\r\n')
    const others = [shards.redises[0], shards.redises[2]] as RedisServer[]
    for (const channel of channels) {
      await until(async () => (await sumOf(others, 'PUBSUB', 'NUMSUB', channel)) === 0)
    }
    await (shards.redises[1] as RedisServer).restart()
    // Whoever is told while the shard is only coming back may be closed, and subscribes again.
    await until(async () => {
      const again = await shards.ambassador.connect()
      const reply = await again.request('SUBSCRIBE', ...channels).catch(() => 'closed')
      return String(reply).startsWith('*3')
    })
  })

  it('serves ioredis and node-redis', async () => {
    const subscriber = openIoredis5(shards.ambassador.port, { enableReadyCheck: false })
    const nodeRedis = await openNodeRedis(shards.ambassador.port)
    const heard: string[] = []
    subscriber.on('message', (channel, message) => heard.push(`ioredis ${channel} ${message}`))
    subscriber.on('pmessage', (pattern, channel, message) => {
      heard.push(`ioredis ${pattern} ${channel} ${message}`)
    })
    if (subscriber.status !== 'ready') await once(subscriber, 'ready')
    await subscriber.subscribe('one', 'two')
    await subscriber.psubscribe('t*')
    await nodeRedis.subscribe('two', (message, channel) => heard.push(`node ${channel} ${message}`))
    await nodeRedis.set('key', 'value')
    const publisher = await shards.ambassador.connect()
    await publisher.request('PUBLISH', 'one', '1')
    await publisher.request('PUBLISH', 'two', '2')
    await until(async () => heard.length === 4)
    expect(heard.sort()).to.deep.equal([
      'ioredis one 1',
      'ioredis t* two 2',
      'ioredis two 2',
      'node two 2',
    ])
    expect(await subscriber.unsubscribe('one', 'two')).to.equal('1')
    await nodeRedis.unsubscribe('two')
    expect(await nodeRedis.get('key')).to.equal('value')
    subscriber.disconnect()
    nodeRedis.destroy()
  })
})

describe('pub/sub with users of the shards', () => {
  it('lets each hear what the shards let that user hear', async () => {
    const alice = ['--user', 'alice', 'on', '>secret', '+@all', 'resetchannels', '&open']
    const shards = await startShards(2, { authPassthrough: 'yes' }, alice)
    const [limited, anybody] = [
      await shards.ambassador.connect(),
      await shards.ambassador.connect(),
    ]
    await limited.request('AUTH', 'alice', 'secret')
    await anybody.request('AUTH', 'default', 'any')
    expect(String(await anybody.request('SUBSCRIBE', 'closed'))).to.match(/^\*3/)
    // That another user has it must not open it to this one.
    expect(String(await limited.request('SUBSCRIBE', 'open', 'closed'))).to.match(/^-NOPERM/)
    expect(String(await limited.request('SUBSCRIBE', 'open'))).to.match(/:1\r\n$/)
    await shards.stop()
  })
})

describe('row 55: a slow subscriber', () => {
  it('is cut off, and the others get everything', async () => {
    const shards = await startShards(2)
    const slow = await shards.ambassador.connect()
    const quick = await shards.ambassador.connect(3)
    for (const client of [slow, quick]) await client.request('SUBSCRIBE', 'c')
    slow.pause()
    const publisher = await shards.ambassador.connect()
    const payload = Buffer.alloc(1024 * 1024, 'x')
    const count = 64
    for (let i = 0; i < count; i++) {
      await publisher.request('PUBLISH', 'c', payload)
      expect((await quick.reply()).length).to.be.greaterThan(payload.length)
    }
    await until(() => shards.ambassador.gauges.clients === 2)
    slow.resume()
    await slow.closed()
    await shards.stop()
  })
})

async function ask(redis: RedisServer, ...args: string[]): Promise<string> {
  const client = await connectRaw(redis.port)
  const answer = String(await client.request(...args))
  await client.close()
  return answer
}

/** The number at the end of the replies, or of connections received, summed over the servers. */
async function sumOf(redises: readonly RedisServer[], ...args: string[]): Promise<number> {
  const answers = await Promise.all(redises.map((redis) => ask(redis, ...args)))
  return answers.reduce((sum, answer) => {
    const number = /total_connections_received:(\d+)/.exec(answer) ?? /:(\d+)\r\n$/.exec(answer)
    return sum + Number(number?.[1])
  }, 0)
}
