/** Several pools behind one port, over real servers: routes decide by prefix, and all pools are one Redis. */
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import { AmbassadorUnderTest, configOfFile, SILENT } from '../support/ambassador.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const PASSWORD = 'hunter2'

describe('several pools', () => {
  const ring: RedisServer[] = []
  const pages: RedisServer[] = []
  let queues: RedisServer
  let text: string
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  before(async () => {
    for (let i = 0; i < 3; i++) ring.push(await startRedis())
    for (let i = 0; i < 2; i++) pages.push(await startRedis())
    queues = await startRedis({ args: ['--requirepass', PASSWORD] })
    const listOf = (servers: readonly RedisServer[]) => {
      return servers.map(({ port }, index) => `s${index}=127.0.0.1:${port}`).join(', ')
    }
    text = [
      `shards: [${listOf(ring)}]`,
      'pools:',
      `  queues: { shards: 127.0.0.1:${queues.port}, shardPassword: ${PASSWORD} }`,
      `  pages: { shards: [${listOf(pages)}], hash: md5 }`,
      'routes:',
      '  - { prefix: "bull:", pool: queues }',
      '  - { prefix: "page:", pool: pages }',
      '  - { prefix: "page:one:", pool: pages, shard: s1 }',
      '  - { prefix: "celery", shard: s2 }',
    ].join('\n')
  })

  beforeEach(async () => {
    ambassador = new AmbassadorUnderTest(await startAmbassador(configOfFile(text), SILENT))
    client = await ambassador.connect()
    await client.request('FLUSHALL')
  })

  afterEach(() => ambassador.stop())

  after(async () => {
    for (const server of [...ring, ...pages, queues]) await server.stop()
  })

  async function ask(...args: string[]): Promise<string> {
    return String(await client.request(...args))
  }

  async function keysOf(server: RedisServer): Promise<string[]> {
    const direct = await connectRaw(server.port)
    if (server === queues) await direct.request('AUTH', PASSWORD)
    const reply = String(await direct.request('KEYS', '*'))
    await direct.close()
    return reply
      .split('\r\n')
      .filter((line) => line !== '' && !/^[*$]/.test(line))
      .sort()
  }

  async function keysOfAll(servers: readonly RedisServer[]): Promise<string[]> {
    return (await Promise.all(servers.map(keysOf))).flat().sort()
  }

  async function scanAll(): Promise<string[]> {
    const found = new Set<string>()
    let cursor = '0'
    do {
      const [, , next = '', , ...lines] = (await ask('SCAN', cursor)).split('\r\n')
      for (const line of lines) if (line !== '' && !line.startsWith('$')) found.add(line)
      cursor = next
    } while (cursor !== '0')
    return [...found]
  }

  it('have the keys that routes give them, and the first has the others', async () => {
    const keys = [
      'bull:1',
      'page:1',
      'page:2',
      'page:one:1',
      'page:one:2',
      'celery',
      'celery:x',
      'u1',
      'u2',
      'u3',
    ]
    await ask('MSET', ...keys.flatMap((key) => [key, `value of ${key}`]))
    expect(await keysOf(queues)).to.deep.equal(['bull:1'])
    expect(await keysOfAll(pages)).to.deep.equal(['page:1', 'page:2', 'page:one:1', 'page:one:2'])
    expect(await keysOf(pages[1] as RedisServer)).to.include.members(['page:one:1', 'page:one:2'])
    expect(await keysOf(ring[2] as RedisServer)).to.include.members(['celery', 'celery:x'])
    expect(await keysOfAll(ring)).to.deep.equal(['celery', 'celery:x', 'u1', 'u2', 'u3'])
    const values = keys.map((key) => `$${9 + key.length}\r\nvalue of ${key}\r\n`)
    expect(await ask('MGET', ...keys)).to.equal(`*${keys.length}\r\n${values.join('')}`)
  })

  it('are one Redis to what goes to all keys', async () => {
    const keys = Array.from(
      { length: 40 },
      (_, i) => `${['bull:', 'page:', 'celery', ''][i % 4]}k${i}`,
    )
    for (const key of keys) await ask('SET', key, 'x')
    expect(await ask('DBSIZE')).to.equal(':40\r\n')
    expect((await scanAll()).sort()).to.deep.equal([...keys].sort())
    expect((await ask('KEYS', '*')).split('\r\n')[0]).to.equal('*40')
    expect(await ask('EXISTS', ...keys)).to.equal(':40\r\n')
    expect(await ask('DEL', ...keys.slice(0, 10))).to.equal(':10\r\n')
    expect(await ask('FLUSHALL')).to.equal('+OK\r\n')
    expect(await keysOfAll([...ring, ...pages, queues])).to.deep.equal([])
  })

  it('combine reads, and refuse what keys of two pools cannot do together', async () => {
    await ask('SADD', 'bull:s', '1')
    await ask('SADD', 'page:s', '2')
    expect(await ask('SCARD', 'page:s')).to.equal(':1\r\n')
    const union = await ask('SUNION', 'bull:s', 'page:s', 'other')
    expect(union.split('\r\n').sort()).to.deep.equal(['', '$1', '$1', '*2', '1', '2'])
    expect(await ask('RENAME', 'bull:s', 'page:t')).to.match(/^-CROSSSLOT /)
    expect(await ask('BLMOVE', 'bull:q', 'page:q', 'LEFT', 'LEFT', '1')).to.match(/^-CROSSSLOT /)
  })

  it('have clients that wait for keys of several of them', async () => {
    const popped = client.request('BLPOP', 'bull:q', 'page:q', 'other', '0')
    const other = await ambassador.connect()
    await other.request('RPUSH', 'page:q', 'job')
    expect(String(await popped)).to.equal('*2\r\n$6\r\npage:q\r\n$3\r\njob\r\n')
  })

  it('have transactions, scripts and waiting clients of their own', async () => {
    expect(await ask('MULTI')).to.equal('+OK\r\n')
    await ask('SET', 'bull:a', '1')
    await ask('INCR', 'bull:a')
    expect(await ask('EXEC')).to.equal('*2\r\n+OK\r\n:2\r\n')
    const script = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
    expect(await ask('EVAL', script, '1', 'bull:a', '5')).to.equal(':7\r\n')
    const popped = client.request('BLPOP', 'page:one:q', '0')
    const other = await ambassador.connect()
    await other.request('RPUSH', 'page:one:q', 'job')
    expect(String(await popped)).to.equal('*2\r\n$10\r\npage:one:q\r\n$3\r\njob\r\n')
  })

  it('have the channels that routes give them, each message once', async () => {
    const listener = await ambassador.connect()
    await listener.request('SUBSCRIBE', 'bull:news')
    await listener.request('SUBSCRIBE', 'news')
    expect(await ask('PUBLISH', 'bull:news', 'one')).to.equal(':1\r\n')
    const [message] = await listener.replies(1)
    expect(String(message)).to.equal('*3\r\n$7\r\nmessage\r\n$9\r\nbull:news\r\n$3\r\none\r\n')
    expect(await ask('PUBSUB', 'NUMSUB', 'bull:news')).to.equal('*2\r\n$9\r\nbull:news\r\n:1\r\n')
    expect(
      await ask('EVAL', "return redis.call('PUBLISH', 'news', 'two')", '1', 'page:x'),
    ).to.match(/^:1/)
  })

  it('come, go and change their routes with a reload, and no client is closed', async () => {
    await ask('SET', 'bull:1', 'old')
    const other = text.replace('prefix: "bull:"', 'prefix: "jobs:"')
    ambassador.reload(configOfFile(other))
    expect(await ask('GET', 'bull:1')).to.equal('$-1\r\n')
    await ask('SET', 'jobs:1', 'new')
    expect(await keysOf(queues)).to.deep.equal(['bull:1', 'jobs:1'])
    const [shards = ''] = text.split('\n')
    ambassador.reload(configOfFile(shards))
    expect(await ask('GET', 'jobs:1')).to.equal('$-1\r\n')
    await ask('SET', 'celery', 'x')
    expect(await keysOfAll(ring)).to.deep.equal(['celery'])
    ambassador.reload(configOfFile(text))
    expect(await ask('GET', 'bull:1')).to.equal('$3\r\nold\r\n')
    await ask('DEL', 'jobs:1', 'bull:1')
  })

  it('fail alone', async () => {
    await ask('SET', 'u1', 'x')
    const [, second] = pages
    await second?.kill()
    expect(await ask('GET', 'page:one:1')).to.match(/^-ERR ambassador: shard pages\/s1 unavailable/)
    expect(await ask('GET', 'u1')).to.equal('$1\r\nx\r\n')
    expect(await ask('GET', 'bull:1')).to.equal('$-1\r\n')
    await second?.restart()
  })
})

describe('a Redis Cluster as a pool beside a ring', () => {
  let cluster: Cluster
  let redis: RedisServer
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  before(async () => {
    redis = await startRedis()
    cluster = await startCluster({ masters: 3 })
    const text = [
      `shards: a=127.0.0.1:${redis.port}`,
      'pools:',
      `  big: { shards: "redis+cluster://${cluster.addresses}" }`,
      'routes: big:=big',
    ].join('\n')
    ambassador = new AmbassadorUnderTest(await startAmbassador(configOfFile(text), SILENT))
    client = await ambassador.connect()
  })

  after(async () => {
    await ambassador.stop()
    await cluster.stop()
    await redis.stop()
  })

  it('has its keys in its slots, and is one Redis with the ring', async () => {
    const keys = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? `big:${i}` : `small:${i}`))
    expect(String(await client.request('MSET', ...keys.flatMap((key) => [key, 'x'])))).to.equal(
      '+OK\r\n',
    )
    expect(String(await client.request('DBSIZE'))).to.equal(':60\r\n')
    expect(String(await client.request('EXISTS', ...keys))).to.equal(':60\r\n')
    const direct = await connectRaw(redis.port)
    expect(String(await direct.request('DBSIZE'))).to.equal(':30\r\n')
    await direct.close()
    expect(String(await client.request('INCR', 'big:n'))).to.equal(':1\r\n')
    expect(String(await client.request('DEL', ...keys))).to.equal(':60\r\n')
  })
})
