import { expect } from 'chai'
import {
  type AmbassadorUnderTest,
  configFor,
  keysOn,
  SILENT,
  startAmbassadorFor,
  startShards,
} from '../support/ambassador.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

describe('ejection', () => {
  it('gives the keys of a dead shard to the others, and back when it answers (row 52)', async () => {
    const { redises, ambassador, stop } = await startShards(2, {
      ejectShards: 'yes',
      ejectAfterFailures: '1',
      ejectRetryMs: '50',
    })
    const [, second] = redises
    const client = await ambassador.connect()
    const [key = ''] = keysOn(1, 2)
    expect((await client.request('SET', key, 'there')).toString()).to.equal('+OK\r\n')
    await second?.kill()
    while ((await client.request('SET', key, 'elsewhere')).toString() !== '+OK\r\n');
    const first = await connectRaw(redises[0]?.port ?? 0)
    expect((await first.request('GET', key)).toString()).to.equal('$9\r\nelsewhere\r\n')
    await second?.restart()
    // The shard is empty now: as soon as its key is its own again, the value is gone.
    while ((await client.request('GET', key)).toString() !== '$-1\r\n');
    await first.close()
    await stop()
  })

  it('does not happen unless it is asked for', async () => {
    const { redises, ambassador, stop } = await startShards(2)
    const client = await ambassador.connect()
    const [key = ''] = keysOn(1, 2)
    await client.request('SET', key, 'there')
    await redises[1]?.kill()
    for (let i = 0; i < 20; i++) {
      expect((await client.request('SET', key, 'x')).toString()).to.match(
        /^-ERR ambassador: shard b /,
      )
    }
    await stop()
  })

  describe('and reloads', () => {
    const EJECTING = { ejectShards: 'yes', ejectAfterFailures: '1', ejectRetryMs: '3600000' }
    const [[first = ''], [second = '']] = [keysOn(0, 2), keysOn(1, 2)]
    let redises: [RedisServer, RedisServer]
    let ambassador: AmbassadorUnderTest
    let client: RawClient
    let messages: string[]

    const keyIs = (value: string) => {
      return until(async () => (await client.request('GET', second)).toString() === value)
    }

    /** Shard b is gone, and its keys are on a. */
    const loseSecond = async (): Promise<void> => {
      await redises[1].kill()
      await until(async () => {
        return (await client.request('SET', second, 'elsewhere')).toString() === '+OK\r\n'
      })
      expect(messages).to.include('shard ejected, its keys go to the others')
    }

    beforeEach(async () => {
      redises = [await startRedis(), await startRedis()]
      messages = []
      const log = (_: object, message: string): void => {
        messages.push(message)
      }
      ambassador = await startAmbassadorFor(redises, EJECTING, { ...SILENT, info: log, warn: log })
      client = await ambassador.connect()
      await client.request('SET', second, 'there')
    })

    afterEach(async () => {
      await ambassador.stop()
      for (const redis of redises) await redis.stop()
    })

    it('ends when a reload turns it off (row 76)', async () => {
      ambassador.reload(configFor(redises))
      const subscriber = await ambassador.connect()
      await subscriber.request('SUBSCRIBE', first)
      await redises[1].kill()
      for (let i = 0; i < 20; i++) {
        expect((await client.request('GET', second)).toString()).to.match(/^-ERR ambassador: /)
      }
      expect(messages.filter((message) => /ejected|restored/.test(message))).to.deep.equal([])
      expect((await client.request('PUBLISH', first, 'news')).toString()).to.equal(':1\r\n')
      expect((await subscriber.reply()).toString()).to.include('news')
    })

    it('gives an ejected shard its keys back when a reload turns it off', async () => {
      await loseSecond()
      const subscriber = await ambassador.connect()
      await subscriber.request('SUBSCRIBE', second)
      ambassador.reload(configFor(redises))
      // The channel was on the other shard.
      await subscriber.closed()
      expect((await client.request('GET', second)).toString()).to.match(
        /^-ERR ambassador: shard b /,
      )
      await redises[1].restart()
      await keyIs('$-1\r\n')
    })

    it('goes on when a reload changes something else', async () => {
      await loseSecond()
      const subscriber = await ambassador.connect()
      await subscriber.request('SUBSCRIBE', second)
      ambassador.reload(configFor(redises, { ...EJECTING, slowRequestMs: '77' }))
      expect((await client.request('GET', second)).toString()).to.equal('$9\r\nelsewhere\r\n')
      expect((await client.request('PUBLISH', second, 'news')).toString()).to.equal(':1\r\n')
      expect((await subscriber.reply()).toString()).to.include('news')
      await redises[1].restart()
      ambassador.reload(configFor(redises, { ...EJECTING, ejectRetryMs: '1' }))
      await keyIs('$-1\r\n')
      await subscriber.closed()
    })

    it('begins anew when a reload turns it off and on again', async () => {
      await loseSecond()
      await redises[1].restart()
      ambassador.reload(configFor(redises))
      ambassador.reload(configFor(redises, EJECTING))
      await keyIs('$-1\r\n')
    })
  })
})
