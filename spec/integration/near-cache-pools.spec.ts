/** Each pool keeps what its own options say, over real servers. */
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import { AmbassadorUnderTest, configOfFile, SILENT } from '../support/ambassador.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

describe('near cache of several pools', () => {
  let servers: RedisServer[] = []
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  /** `first` and `pages`: the options of the two pools. */
  async function start(first: string, pages: string): Promise<void> {
    const [one, two] = servers as [RedisServer, RedisServer]
    const text = [
      `shards: [127.0.0.1:${one.port}]`,
      first,
      'pools:',
      `  pages: { shards: [127.0.0.1:${two.port}], requestTimeoutMs: 20000${pages} }`,
      'routes:',
      '  - { prefix: "page:", pool: pages }',
    ].join('\n')
    ambassador = new AmbassadorUnderTest(await startAmbassador(configOfFile(text), SILENT))
    client = await ambassador.connect()
  }

  beforeEach(async () => {
    servers = [await startRedis(), await startRedis()]
  })
  afterEach(async () => {
    await ambassador.stop()
    for (const server of servers) await server.stop()
  })

  /** Commands of this name that all shards have executed. */
  async function executed(name: string): Promise<number> {
    let sum = 0
    for (const { port } of servers) {
      const direct = await connectRaw(port)
      const stats = `${await direct.request('INFO', 'commandstats')}`
      sum += Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
      await direct.close()
    }
    return sum
  }

  /** Reads until no shard is asked any more. */
  async function warm(...read: string[]): Promise<void> {
    const name = (read[0] as string).toLowerCase()
    await until(async () => {
      const before = await executed(name)
      await client.request(...read)
      return (await executed(name)) === before
    })
  }

  async function asked(key: string, times: number): Promise<number> {
    const before = await executed('get')
    for (let i = 0; i < times; i++) await client.request('GET', key)
    return (await executed('get')) - before
  }

  it('keeps keys of a further pool, and of the first what that names', async () => {
    await start('nearCacheKeys: "config:"', ', nearCacheKeys: "page:"')
    expect(`${await client.request('SET', 'config:a', 'one')}`).to.equal('+OK\r\n')
    expect(`${await client.request('SET', 'page:a', 'two')}`).to.equal('+OK\r\n')
    await warm('GET', 'config:a')
    await warm('GET', 'page:a')
    await warm('MGET', 'config:a', 'page:a')
    const both = '*2\r\n$3\r\none\r\n$3\r\ntwo\r\n'
    expect(`${await client.request('MGET', 'config:a', 'page:a')}`).to.equal(both)
    expect(await asked('other', 5)).to.equal(5)
    await client.request('SET', 'page:a', 'new')
    expect(`${await client.request('GET', 'page:a')}`).to.equal('$3\r\nnew\r\n')
    const facts = `${await client.request('AMBASSADOR', 'STATS')}`
    expect(facts).to.include('ambassador_near_cache_hits')
  })

  it('keeps nothing of a pool that names no keys', async () => {
    await start('', ', nearCacheKeys: "*"')
    await warm('GET', 'page:a')
    expect(await asked('config:a', 5)).to.equal(5)
  })

  it('forgets what a script of either pool may have written, and all of it when asked', async () => {
    await start('nearCacheKeys: "*"', ', nearCacheKeys: "*"')
    for (const key of ['config:a', 'page:a']) {
      await client.request('SET', key, 'old')
      await warm('GET', key)
      await client.request('EVAL', "return redis.call('SET', ARGV[1], 'new')", '1', key, key)
      expect(`${await client.request('GET', key)}`).to.equal('$3\r\nnew\r\n')
      await warm('GET', key)
    }
    expect(`${await client.request('AMBASSADOR', 'NEARCACHE', 'CLEAR')}`).to.equal('+OK\r\n')
    expect(await asked('config:a', 1)).to.equal(1)
    expect(await asked('page:a', 1)).to.equal(1)
  })
})
