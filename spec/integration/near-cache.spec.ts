/** Reads answered from memory, against real servers. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, configFor, startAmbassadorFor } from '../support/ambassador.ts'
import { encodeRequest } from '../support/frames.ts'
import { LogLines } from '../support/log-lines.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

describe('near cache', () => {
  let redis: RedisServer
  let ambassador: AmbassadorUnderTest
  let direct: RawClient

  before(async () => {
    redis = await startRedis()
    direct = await connectRaw(redis.port)
  })
  after(async () => {
    await direct.close()
    await redis.stop()
  })
  beforeEach(async () => {
    await direct.request('FLUSHALL')
    ambassador = await startAmbassadorFor([redis], { nearCacheKeys: 'config:' })
  })
  afterEach(async () => {
    await ambassador.stop()
  })

  /** Commands of this name that the shard has executed. */
  async function executed(name: string): Promise<number> {
    const stats = (await direct.request('INFO', 'commandstats')).toString()
    return Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  }

  /** Reads until the shard is not asked any more. */
  async function warm(client: RawClient, ...read: string[]): Promise<void> {
    const name = (read[0] as string).toLowerCase()
    await until(async () => {
      const before = await executed(name)
      await client.request(...read)
      return (await executed(name)) === before
    })
  }

  for (const protocol of [2, 3] as const) {
    describe(`in RESP${protocol}`, () => {
      it('answers from memory until the key changes', async () => {
        const client = await ambassador.connect(protocol)
        await direct.request('SET', 'config:a', 'one')
        await warm(client, 'GET', 'config:a')
        expect(`${await client.request('GET', 'config:a')}`).to.equal('$3\r\none\r\n')
        await direct.request('SET', 'config:a', 'two')
        await until(async () => `${await client.request('GET', 'config:a')}` === '$3\r\ntwo\r\n')
      })

      it('never shows a client what was there before its own write', async () => {
        const client = await ambassador.connect(protocol)
        const other = await ambassador.connect(protocol)
        for (let round = 0; round < 300; round++) {
          await client.request('SET', 'config:a', `${round}`)
          expect(`${await other.request('GET', 'config:a')}`).to.include(`\r\n${round}\r\n`)
          expect(`${await client.request('GET', 'config:a')}`).to.include(`\r\n${round}\r\n`)
        }
      })
    })
  }

  it('leaves other keys alone', async () => {
    const client = await ambassador.connect()
    await direct.request('CONFIG', 'RESETSTAT')
    for (let i = 0; i < 20; i++) await client.request('GET', 'other:a')
    expect(await executed('get')).to.equal(20)
  })

  it('keeps what is read twice, of every type, also that there is nothing', async () => {
    const client = await ambassador.connect()
    await direct.request('HSET', 'config:h', 'f', 'v')
    await direct.request('ZADD', 'config:z', '1', 'm')
    await warm(client, 'HGETALL', 'config:h')
    await warm(client, 'ZSCORE', 'config:z', 'm')
    await warm(client, 'EXISTS', 'config:none')
    expect(`${await client.request('EXISTS', 'config:none')}`).to.equal(':0\r\n')
    await direct.request('SET', 'config:none', '1')
    await until(async () => `${await client.request('EXISTS', 'config:none')}` === ':1\r\n')
  })

  it('forgets what a transaction, a script, RENAME, COPY, MSET or a blocking command of ours changes', async () => {
    const client = await ambassador.connect()
    const writer = await ambassador.connect()
    const writes: readonly (readonly string[][])[] = [
      [['MULTI'], ['SET', 'config:a', 'new'], ['EXEC']],
      [['WATCH', 'config:a'], ['SET', 'config:a', 'new'], ['UNWATCH']],
      [['EVAL', "return redis.call('SET', 'config:a', 'new')", '0']],
      [['EVAL', "return redis.call('SET', KEYS[1], 'new')", '1', 'config:a']],
      [
        ['SET', 'config:b', 'new'],
        ['RENAME', 'config:b', 'config:a'],
      ],
      [
        ['SET', 'config:b', 'new'],
        ['COPY', 'config:b', 'config:a', 'REPLACE'],
      ],
      [['MSET', 'config:b', '1', 'config:a', 'new']],
      [['SETRANGE', 'config:a', '0', 'new']],
      [['FLUSHALL'], ['SET', 'config:a', 'new']],
      [
        ['SET', 'config:a', 'new'],
        ['SWAPDB', '0', '1'],
        ['SWAPDB', '0', '1'],
      ],
    ]
    for (const write of writes) {
      await writer.request('SET', 'config:a', 'old')
      await warm(client, 'GET', 'config:a')
      for (const command of write) await writer.request(...command)
      expect(`${await client.request('GET', 'config:a')}`, `${write}`).to.equal('$3\r\nnew\r\n')
    }
    await writer.request('RPUSH', 'config:l', 'a')
    await warm(client, 'LLEN', 'config:l')
    await writer.request('BLPOP', 'config:l', '0')
    expect(`${await client.request('LLEN', 'config:l')}`).to.equal(':0\r\n')
  })

  it('keeps nothing of a server that was emptied by others', async () => {
    for (const protocol of [2, 3] as const) {
      const client = await ambassador.connect(protocol)
      await direct.request('SET', 'config:a', 'v')
      await until(async () => `${await client.request('GET', 'config:a')}`.includes('v'))
      await warm(client, 'GET', 'config:a')
      await direct.request('FLUSHALL')
      await until(async () => !`${await client.request('GET', 'config:a')}`.includes('v'))
    }
  })

  it('keeps the order within a pipeline that reads what it writes', async () => {
    const client = await ambassador.connect()
    await client.request('SET', 'config:a', '0')
    await warm(client, 'GET', 'config:a')
    const script = Array.from({ length: 50 }, (_, i) => [
      encodeRequest('SET', 'config:a', `${i}`),
      encodeRequest('GET', 'config:a'),
      encodeRequest('GET', 'config:b'),
    ]).flat()
    client.write(Buffer.concat(script))
    for (let i = 0; i < 50; i++) {
      const replies = [await client.reply(), await client.reply(), await client.reply()].map(String)
      expect(replies).to.deep.equal(['+OK\r\n', `$${`${i}`.length}\r\n${i}\r\n`, '$-1\r\n'])
    }
  })

  it('does not outlive the key', async () => {
    const client = await ambassador.connect()
    await direct.request('CONFIG', 'SET', 'hz', '1')
    for (let round = 0; round < 20; round++) {
      await client.request('SET', 'config:a', 'v', 'PX', '40')
      const setMs = performance.now()
      let reply = ''
      while (reply !== '$-1\r\n') {
        const askedMs = performance.now()
        reply = `${await client.request('GET', 'config:a')}`
        // Redis itself may answer so if the SET was executed late, which is before its reply.
        if (reply !== '$-1\r\n') expect(askedMs - setMs).to.be.lessThan(45)
      }
    }
    await direct.request('CONFIG', 'SET', 'hz', '10')
  })

  for (const protocol of [2, 3] as const) {
    it(`answers MGET from memory when it has all keys, in RESP${protocol}`, async () => {
      const client = await ambassador.connect(protocol)
      await direct.request('MSET', 'config:a', 'one', 'config:b', 'two')
      const keys = ['config:a', 'config:none', 'config:b']
      await warm(client, 'MGET', ...keys)
      const none = protocol === 2 ? '$-1\r\n' : '_\r\n'
      const expected = `*3\r\n$3\r\none\r\n${none}$3\r\ntwo\r\n`
      expect(`${await client.request('MGET', ...keys)}`).to.equal(expected)
      // The replies to GET are the same.
      const asked = await executed('get')
      expect(`${await client.request('GET', 'config:b')}`).to.equal('$3\r\ntwo\r\n')
      expect(await executed('get')).to.equal(asked)
      await client.request('MSET', 'config:none', 'three', 'config:a', 'four')
      const reply = `${await client.request('MGET', ...keys)}`
      expect(reply).to.equal('*3\r\n$4\r\nfour\r\n$5\r\nthree\r\n$3\r\ntwo\r\n')
    })

    it(`answers no MGET in part from memory and in part from the shard, in RESP${protocol}`, async () => {
      const client = await ambassador.connect(protocol)
      await direct.request('MSET', 'config:a', 'one', 'other', 'two')
      await warm(client, 'GET', 'config:a')
      const asked = await executed('mget')
      for (let round = 0; round < 5; round++) {
        const reply = `${await client.request('MGET', 'config:a', 'other')}`
        expect(reply).to.equal('*2\r\n$3\r\none\r\n$3\r\ntwo\r\n')
      }
      expect(await executed('mget')).to.equal(asked + 5)
    })
  }

  it('asks only those shards for the keys of an MGET that have one which is missing', async () => {
    const second = await startRedis()
    const both = await startAmbassadorFor([redis, second], { nearCacheKeys: 'config:' })
    const client = await both.connect()
    const keys = Array.from({ length: 12 }, (_, i) => `config:${i}`)
    for (const key of keys) await client.request('SET', key, key)
    await warm(client, 'MGET', ...keys)
    const values = keys.map((key) => `$${key.length}\r\n${key}\r\n`)
    const beside = await connectRaw(second.port)
    await until(async () => {
      await beside.request('CONFIG', 'RESETSTAT')
      expect(`${await client.request('MGET', ...keys)}`).to.equal(`*12\r\n${values.join('')}`)
      return !`${await beside.request('INFO', 'commandstats')}`.includes('cmdstat_mget')
    })
    // One of the first shard's keys is missing now.
    const own = keys.find((key) => key !== undefined) as string
    const holder = (await direct.request('EXISTS', own)).toString() === ':1\r\n' ? direct : beside
    const other = holder === direct ? beside : direct
    await client.request('SET', own, 'new')
    await other.request('CONFIG', 'RESETSTAT')
    const reply = `${await client.request('MGET', ...keys)}`
    expect(reply).to.equal(`*12\r\n$3\r\nnew\r\n${values.slice(1).join('')}`)
    expect(`${await other.request('INFO', 'commandstats')}`).not.to.include('cmdstat_mget')
    await beside.close()
    await both.stop()
    await second.stop()
  })

  it('keeps databases apart', async () => {
    const client = await ambassador.connect()
    const other = await ambassador.connect()
    await other.request('SELECT', '1')
    await client.request('SET', 'config:a', 'zero')
    await other.request('SET', 'config:a', 'one')
    await warm(client, 'GET', 'config:a')
    await warm(other, 'GET', 'config:a')
    expect(`${await client.request('GET', 'config:a')}`).to.include('zero')
    expect(`${await other.request('GET', 'config:a')}`).to.include('one')
    await client.request('SWAPDB', '0', '1')
    expect(`${await client.request('GET', 'config:a')}`).to.include('one')
    await direct.request('FLUSHALL')
  })

  it('answers clients of each protocol in theirs', async () => {
    const [two, three] = [await ambassador.connect(2), await ambassador.connect(3)]
    await direct.request('HSET', 'config:h', 'f', 'v')
    await warm(two, 'HGETALL', 'config:h')
    await warm(three, 'HGETALL', 'config:h')
    expect(`${await two.request('HGETALL', 'config:h')}`).to.equal('*2\r\n$1\r\nf\r\n$1\r\nv\r\n')
    expect(`${await three.request('HGETALL', 'config:h')}`).to.equal('%1\r\n$1\r\nf\r\n$1\r\nv\r\n')
  })

  describe('when connections are lost', () => {
    for (const [what, type] of [
      ['the feed', 'normal'],
      ['all connections', 'normal'],
    ] as const) {
      for (const protocol of [2, 3] as const) {
        it(`shows nothing from before after the loss of ${what} in RESP${protocol} (row 95)`, async () => {
          const client = await ambassador.connect(protocol)
          for (let round = 0; round < 3; round++) {
            await direct.request('SET', 'config:a', `old${round}`)
            await until(async () => {
              return `${await client.request('GET', 'config:a')}`.includes(`old${round}`)
            })
            await warm(client, 'GET', 'config:a')
            const list = `${await direct.request('CLIENT', 'LIST', 'TYPE', type)}`
            const lines = list.split('\n').filter((line) => !line.includes('cmd=client|list'))
            const doomed = what === 'the feed' ? lines.filter((line) => /resp=3/.test(line)) : lines
            for (const line of doomed) {
              const id = /\bid=(\d+)/.exec(line)?.[1]
              if (id !== undefined) await direct.request('CLIENT', 'KILL', 'ID', id)
            }
            await direct.request('SET', 'config:a', `new${round}`)
            await until(async () => {
              return `${await client.request('GET', 'config:a')}`.includes(`new${round}`)
            })
          }
        })
      }
    }

    it('shows nothing of a shard that has died, and nothing of its past when it is back', async () => {
      const client = await ambassador.connect()
      await client.request('SET', 'config:a', 'before')
      await warm(client, 'GET', 'config:a')
      await redis.restart()
      await direct.close()
      direct = await connectRaw(redis.port)
      await until(async () => `${await client.request('GET', 'config:a')}` === '$-1\r\n')
    })

    it('shows nothing for longer than it may of a shard that is silent (row 94)', async () => {
      const client = await ambassador.connect()
      const settings = {
        nearCacheKeys: 'config:',
        nearCacheStaleMs: '300',
        requestTimeoutMs: '500',
      }
      ambassador.reload(configFor([redis], settings))
      await client.request('SET', 'config:a', 'v')
      await warm(client, 'GET', 'config:a')
      await redis.kill('SIGSTOP')
      const stoppedMs = performance.now()
      let lastHitMs = stoppedMs
      try {
        for (;;) {
          const askedMs = performance.now()
          const reply = `${await client.request('GET', 'config:a')}`
          if (!reply.startsWith('$')) break
          lastHitMs = askedMs
        }
      } finally {
        await redis.kill('SIGCONT')
      }
      expect(lastHitMs - stoppedMs).to.be.lessThan(350)
    })
  })

  it('keeps nothing where it may not track, and says so', async () => {
    await direct.request('ACL', 'SETUSER', 'plain', 'on', '>pw', '+@all', '-client|tracking', '~*')
    const log = new LogLines()
    const shard = `redis://plain:pw@127.0.0.1:${redis.port}`
    const other = await startAmbassadorFor([shard], { nearCacheKeys: '*' }, log)
    const client = await other.connect()
    await direct.request('CONFIG', 'RESETSTAT')
    let asked = 0
    await until(async () => {
      await client.request('GET', 'a')
      asked++
      return log.lines.some(({ message }) => message.startsWith('shard cannot be tracked'))
    })
    expect(await executed('get')).to.equal(asked)
    await other.stop()
  })

  it('tells a shard that evicts by use which keys are in use, and no other', async () => {
    const evicting = await startRedis({
      args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru'],
    })
    const settings = { nearCacheKeys: 'config:', nearCacheTouchMs: '50' }
    const both = await startAmbassadorFor([redis, evicting], settings)
    await direct.request('CONFIG', 'RESETSTAT')
    const client = await both.connect()
    const beside = await connectRaw(evicting.port)
    await until(async () => {
      for (let key = 0; key < 20; key++) await client.request('GET', `config:${key}`)
      return `${await beside.request('INFO', 'commandstats')}`.includes('cmdstat_touch:calls=')
    })
    expect(await executed('touch')).to.equal(0)
    await beside.close()
    await both.stop()
    await evicting.stop()
  })

  it('is turned on and off by a reload', async () => {
    const client = await ambassador.connect()
    ambassador.reload(configFor([redis]))
    await direct.request('CONFIG', 'RESETSTAT')
    for (let i = 0; i < 10; i++) await client.request('GET', 'config:a')
    expect(await executed('get')).to.equal(10)
    ambassador.reload(configFor([redis], { nearCacheKeys: 'config:' }))
    await warm(client, 'GET', 'config:a')
  })
})
