/** What scripts and transactions publish is published on the shard of their keys, and heard all the same. */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import {
  type AmbassadorUnderTest,
  keysOn,
  shardName,
  startAmbassadorFor,
} from '../support/ambassador.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { shareRedises } from '../support/shared-shards.ts'
import { until } from '../support/until.ts'

const SHARDS = 3
const PUBLISH = "return redis.call('PUBLISH', ARGV[1], ARGV[2])"
const SPUBLISH = "return redis.call('SPUBLISH', ARGV[1], ARGV[2])"
const LIBRARY = `#!lua name=news
redis.register_function('tell', function(_, args) return redis.call('PUBLISH', args[1], args[2]) end)
redis.register_function('stell', function(_, args) return redis.call('SPUBLISH', args[1], args[2]) end)`

function sha1(body: string): string {
  return createHash('sha1').update(body).digest('hex')
}

/** Publishes on a shard on which `key` lives, whatever the channel. */
type Publish = (client: RawClient, key: string, channel: string, text: string) => Promise<unknown>

const WAYS: Readonly<Record<string, Publish>> = {
  EVAL: (client, key, channel, text) => client.request('EVAL', PUBLISH, '1', key, channel, text),
  EVALSHA: async (client, key, channel, text) => {
    await client.request('SCRIPT', 'LOAD', PUBLISH)
    return client.request('EVALSHA', sha1(PUBLISH), '1', key, channel, text)
  },
  FCALL: (client, key, channel, text) => client.request('FCALL', 'tell', '1', key, channel, text),
  'PUBLISH behind a key in MULTI': (client, key, channel, text) =>
    transaction(client, ['SET', key, 'v'], ['PUBLISH', channel, text]),
  'PUBLISH before a key in MULTI': (client, key, channel, text) =>
    transaction(client, ['PUBLISH', channel, text], ['SET', key, 'v']),
  'PUBLISH after WATCH': async (client, key, channel, text) => {
    await client.request('WATCH', key)
    return transaction(client, ['PUBLISH', channel, text])
  },
  'EVAL in MULTI': (client, key, channel, text) =>
    transaction(client, ['EVAL', PUBLISH, '1', key, channel, text]),
}

const SHARDED_WAYS: Readonly<Record<string, Publish>> = {
  EVAL: (client, key, channel, text) => client.request('EVAL', SPUBLISH, '1', key, channel, text),
  FCALL: (client, key, channel, text) => client.request('FCALL', 'stell', '1', key, channel, text),
  'SPUBLISH behind a key in MULTI': (client, key, channel, text) =>
    transaction(client, ['SET', key, 'v'], ['SPUBLISH', channel, text]),
}

/** The reply to EXEC; each command must have been queued. */
async function transaction(client: RawClient, ...requests: string[][]): Promise<string> {
  await client.request('MULTI')
  for (const request of requests) {
    expect(String(await client.request(...request)), request.join(' ')).to.equal('+QUEUED\r\n')
  }
  const reply = String(await client.request('EXEC'))
  expect(reply).to.match(new RegExp(`^\\*${requests.length}\r\n`))
  return reply
}

/** The texts of the messages that come until one with `last` from each shard has. */
async function textsUntil(client: RawClient, last: string): Promise<string[]> {
  const texts: string[] = []
  for (let ends = 0; ends < SHARDS; ) {
    const text =
      String(await client.reply())
        .split('\r\n')
        .at(-2) ?? ''
    if (text === last) ends++
    else texts.push(text)
  }
  return texts.sort()
}

/** One key on each shard. */
const KEYS = Array.from({ length: SHARDS }, (_, index) => keysOn(index, SHARDS)[0] as string)

describe('row 72: messages that scripts and transactions publish', () => {
  const redises = shareRedises(SHARDS)
  let ambassador: AmbassadorUnderTest
  let publisher: RawClient

  beforeEach(async () => {
    ambassador = await startAmbassadorFor(redises)
    publisher = await ambassador.connect()
    await publisher.request('FUNCTION', 'LOAD', 'REPLACE', LIBRARY)
  })
  afterEach(() => ambassador.stop())

  for (const [name, publish] of Object.entries(WAYS)) {
    it(`are heard once each: ${name}`, async () => {
      const subscribers = await Promise.all([2, 3, 2, 3].map((p) => ambassador.connect(p as 2 | 3)))
      const [channels, pushed, pattern, both] = subscribers as [
        RawClient,
        RawClient,
        RawClient,
        RawClient,
      ]
      for (const client of [channels, pushed, both]) {
        for (const channel of KEYS) await client.request('SUBSCRIBE', channel)
      }
      for (const client of [pattern, both]) await client.request('PSUBSCRIBE', 'k*')
      const expected: string[] = []
      for (const key of KEYS) {
        for (const channel of KEYS) {
          await publish(publisher, key, channel, `${key}>${channel}`)
          expected.push(`${key}>${channel}`)
        }
      }
      // Each shard's messages come in their order: behind these nothing can be left.
      for (const key of KEYS) await WAYS['EVAL']?.(publisher, key, KEYS[0] as string, 'end')
      expected.sort()
      for (const client of [channels, pushed, pattern]) {
        expect(await textsUntil(client, 'end')).to.deep.equal(expected)
      }
      const twice = [...expected, ...expected, 'end', 'end', 'end'].sort()
      const heard = (await both.replies(twice.length)).map((frame) =>
        String(frame).split('\r\n').at(-2),
      )
      expect(heard.sort()).to.deep.equal(twice)
    })
  }

  for (const [name, publish] of Object.entries(SHARDED_WAYS)) {
    it(`are heard once each on sharded channels: ${name}`, async () => {
      const client = await ambassador.connect(3)
      for (const channel of KEYS) await client.request('SSUBSCRIBE', channel)
      const expected: string[] = []
      for (const key of KEYS) {
        for (const channel of KEYS) {
          await publish(publisher, key, channel, `${key}>${channel}`)
          expected.push(`${key}>${channel}`)
        }
      }
      for (const key of KEYS) await SHARDED_WAYS['EVAL']?.(publisher, key, KEYS[0] as string, 'end')
      expect(await textsUntil(client, 'end')).to.deep.equal(expected.sort())
    })
  }

  it('are heard once where two shards are databases of one Redis', async () => {
    const [{ port }] = redises as [RedisServer]
    const two = await startAmbassadorFor([
      `redis://127.0.0.1:${port}/0`,
      `redis://127.0.0.1:${port}/1`,
    ])
    const client = await two.connect()
    await client.request('SUBSCRIBE', 'news')
    await client.request('PSUBSCRIBE', 'ne*')
    const other = await two.connect()
    expect(String(await other.request('PUBLISH', 'news', '1'))).to.equal(':2\r\n')
    for (const index of [0, 1]) {
      await other.request('EVAL', PUBLISH, '1', keysOn(index, 2)[0] as string, 'news', '2')
    }
    await other.request('PUBLISH', 'news', '3')
    const texts = (await client.replies(8)).map((frame) => String(frame).split('\r\n').at(-2))
    expect(texts).to.deep.equal(['1', '1', '2', '2', '2', '2', '3', '3'])
    expect(String(await other.request('PUBSUB', 'NUMSUB', 'news'))).to.match(/:1\r\n$/)
    await two.stop()
  })

  it('leave the counts right: PUBLISH, NUMSUB, SHARDNUMSUB, NUMPAT, CHANNELS', async () => {
    const other = await startAmbassadorFor(redises)
    const clients = [
      await ambassador.connect(),
      await ambassador.connect(3),
      await other.connect(),
      await connectRaw((redises[1] as RedisServer).port),
    ]
    const [first, second, , direct] = clients as [RawClient, RawClient, RawClient, RawClient]
    // Its shard is the one on which the client that goes past us is.
    const channel = KEYS[1] as string
    for (const client of clients) {
      await client.request('SUBSCRIBE', channel)
      await client.request('SSUBSCRIBE', channel)
      await client.request('PSUBSCRIBE', 'k*')
    }
    const ask = async (...args: string[]) => String(await publisher.request(...args))
    expect(await ask('PUBLISH', channel, 'm')).to.equal(':8\r\n')
    expect(await ask('SPUBLISH', channel, 'm')).to.equal(':4\r\n')
    const counted = `*2\r\n$${channel.length}\r\n${channel}\r\n`
    expect(await ask('PUBSUB', 'NUMSUB', channel)).to.equal(`${counted}:4\r\n`)
    expect(await ask('PUBSUB', 'SHARDNUMSUB', channel)).to.equal(`${counted}:4\r\n`)
    expect(await ask('PUBSUB', 'NUMPAT')).to.equal(':1\r\n')
    expect(await ask('PUBSUB', 'CHANNELS')).to.equal(`*1\r\n$${channel.length}\r\n${channel}\r\n`)
    await direct.close()
    await second.close()
    await until(async () => (await ask('PUBLISH', channel, 'm')) === ':4\r\n')
    expect(await ask('PUBSUB', 'NUMSUB', channel)).to.equal(`${counted}:2\r\n`)
    // While keys are watched it is counted as well.
    await publisher.request('WATCH', channel)
    await ambassador.connect().then((client) => client.request('SUBSCRIBE', channel))
    expect(await ask('PUBLISH', channel, 'm')).to.equal(':5\r\n')
    await first.request('SUNSUBSCRIBE', channel)
    expect(await ask('PUBSUB', 'SHARDNUMSUB', channel)).to.equal(`${counted}:1\r\n`)
    await other.stop()
  })
})

describe('row 72: subscribing while a shard is away', () => {
  const redises: RedisServer[] = []
  let ambassador: AmbassadorUnderTest
  let publisher: RawClient
  /** Its shard stays, that of the other goes. */
  const [staying, lost] = [KEYS[0] as string, KEYS[1] as string]
  let away: RedisServer

  beforeEach(async () => {
    for (let i = 0; i < SHARDS; i++) redises.push(await startRedis())
    away = redises[1] as RedisServer
    ambassador = await startAmbassadorFor(redises)
    publisher = await ambassador.connect()
  })
  afterEach(async () => {
    await ambassador.stop()
    for (const redis of redises.splice(0)) await redis.stop()
  })

  /** Until the ambassador knows. */
  async function kill(): Promise<void> {
    await away.kill()
    const refused = `-ERR ambassador: shard ${shardName(1)} unavailable (not sent)\r\n`
    await until(async () => String(await publisher.request('GET', lost)) === refused)
  }

  async function comeBack(): Promise<void> {
    await away.restart()
    await until(async () => String(await publisher.request('GET', lost)) === '$-1\r\n')
  }

  /** Whether a script on that shard is heard, asked until it is. */
  async function isHeard(channel: string): Promise<void> {
    const client = await ambassador.connect()
    await until(async () => String(await client.request('SUBSCRIBE', channel)).startsWith('*3'))
    await publisher.request('EVAL', PUBLISH, '1', lost, channel, 'from a script')
    expect(String(await client.reply())).to.match(/from a script\r\n$/)
  }

  it('costs the channels of that shard alone, and patterns nothing', async () => {
    await kill()
    const client = await ambassador.connect()
    expect(String(await client.request('SUBSCRIBE', staying))).to.match(/^\*3/)
    expect(String(await client.request('SSUBSCRIBE', staying))).to.match(/^\*3/)
    expect(String(await client.request('PSUBSCRIBE', 'k*'))).to.match(/^\*3/)
    expect(String(await client.request('SUBSCRIBE', '__keyevent@0__:set'))).to.match(/^\*3/)
    expect(String(await client.request('SUBSCRIBE', lost))).to.equal(
      `-ERR ambassador: shard ${shardName(1)} unavailable (not sent)\r\n`,
    )
    expect(String(await publisher.request('PUBLISH', staying, 'm'))).to.equal(':2\r\n')
    const words = (await client.replies(2)).map((frame) => /p?message/.exec(String(frame))?.[0])
    expect(words.sort()).to.deep.equal(['message', 'pmessage'])
  })

  it('lets nobody who subscribed meanwhile wait in vain for what is published when it is back', async () => {
    await kill()
    const clients = [await ambassador.connect(), await ambassador.connect(3)]
    await clients[0]?.request('SUBSCRIBE', staying)
    await clients[1]?.request('PSUBSCRIBE', 'k*')
    await comeBack()
    // What was published there before we had subscribed is lost: they are told so.
    for (const client of clients) await client.closed()
    await isHeard(staying)
  })

  it('closes nobody whose channels are elsewhere until it is back', async () => {
    const client = await ambassador.connect()
    await client.request('SUBSCRIBE', staying)
    await kill()
    expect(String(await client.request('PING'))).to.equal('*2\r\n$4\r\npong\r\n$0\r\n\r\n')
    expect(String(await publisher.request('PUBLISH', staying, 'm'))).to.equal(':1\r\n')
    expect(String(await client.reply())).to.match(/m\r\n$/)
    await comeBack()
    await client.closed()
    await isHeard(staying)
  })

  it('tells those who may have missed something when the connection alone was cut', async () => {
    const client = await ambassador.connect()
    await client.request('SUBSCRIBE', staying)
    const direct = await connectRaw(away.port)
    expect(String(await direct.request('CLIENT', 'KILL', 'TYPE', 'pubsub'))).to.equal(':1\r\n')
    await client.closed()
    await direct.close()
    await isHeard(staying)
  })

  it('waits for no shard that says nothing, and for none twice', async () => {
    await ambassador.stop()
    ambassador = await startAmbassadorFor(redises, { requestTimeoutMs: '500' })
    publisher = await ambassador.connect()
    const client = await ambassador.connect()
    await client.request('SUBSCRIBE', staying)
    await away.kill('SIGSTOP')
    const again = await ambassador.connect()
    expect(String(await again.request('SUBSCRIBE', `{${staying}}:2`))).to.match(/^\*3/)
    expect(String(await again.request('PSUBSCRIBE', 'other*'))).to.match(/^\*3/)
    await away.kill('SIGCONT')
    await again.closed()
    await isHeard(staying)
  })
})
