/** Databases that are a pool or one shard, over real servers: each is one Redis in full to those who SELECT it. */
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import { ConfigError } from '../../lib/errors.ts'
import { AmbassadorUnderTest, configOfFile, SILENT } from '../support/ambassador.ts'
import { encodeRequest } from '../support/frames.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

describe('databases that are a pool or a shard', () => {
  const ring: RedisServer[] = []
  let queues: RedisServer
  let text: string
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  before(async () => {
    for (let i = 0; i < 3; i++) ring.push(await startRedis())
    queues = await startRedis()
    text = [
      `shards: [${ring.map(({ port }, index) => `s${index}=127.0.0.1:${port}`).join(', ')}]`,
      `pools: { queues: { shards: 127.0.0.1:${queues.port} } }`,
      'databases: { 3: { pool: queues }, 4: { shard: s1 } }',
    ].join('\n')
  })

  beforeEach(async () => {
    ambassador = new AmbassadorUnderTest(await startAmbassador(configOfFile(text), SILENT))
    client = await ambassador.connect()
    await client.request('FLUSHALL')
  })

  afterEach(() => ambassador.stop())

  after(async () => {
    for (const server of [...ring, queues]) await server.stop()
  })

  async function ask(...args: string[]): Promise<string> {
    return String(await client.request(...args))
  }

  async function keysIn(server: RedisServer | undefined, database: number): Promise<string> {
    const direct = await connectRaw(server?.port ?? 0)
    await direct.request('SELECT', String(database))
    const reply = String(await direct.request('DBSIZE'))
    await direct.close()
    return reply
  }

  async function inTurn(...requests: string[][]): Promise<string[]> {
    client.write(Buffer.concat(requests.map((args) => encodeRequest(...args))))
    return (await client.replies(requests.length)).map(String)
  }

  it('have all their keys there, in the database of that number', async () => {
    expect(await ask('SELECT', '4')).to.equal('+OK\r\n')
    for (let i = 0; i < 20; i++) await client.request('SET', `k${i}`, 'v')
    expect(await keysIn(ring[1], 4)).to.equal(':20\r\n')
    expect(await ask('DBSIZE')).to.equal(':20\r\n')
    expect(await ask('KEYS', 'k1*')).to.match(/^\*11\r\n/)
    await client.request('SELECT', '3')
    expect(await ask('DBSIZE')).to.equal(':0\r\n')
    await client.request('SET', 'q', 'v')
    expect(await keysIn(queues, 3)).to.equal(':1\r\n')
    await client.request('SELECT', '0')
    expect(await ask('DBSIZE')).to.equal(':0\r\n')
    await client.request('SELECT', '5')
    await client.request('MSET', 'a', '1', 'b', '2', 'c', '3', 'd', '4', 'e', '5', 'f', '6')
    expect(await keysIn(ring[0], 5)).not.to.equal(':0\r\n')
  })

  for (const database of ['3', '4']) {
    it(`take what needs one Redis (${database})`, async () => {
      await client.request('SELECT', database)
      const replies = await inTurn(['MULTI'], ['SET', 'a', '1'], ['SET', 'b', '2'], ['EXEC'])
      expect(replies.at(-1)).to.equal('*2\r\n+OK\r\n+OK\r\n')
      const undeclared = "redis.call('SET', 'c', '3') return redis.call('MGET', 'a', 'b', 'c')"
      expect(await ask('EVAL', undeclared, '1', 'a')).to.match(/^\*3\r\n\$1\r\n1\r\n/)
      expect(await ask('RENAME', 'a', 'z')).to.equal('+OK\r\n')
      expect(await ask('MSETNX', 'x', '1', 'y', '2')).to.equal(':1\r\n')
      await client.request('RPUSH', 'low', 'job')
      expect(await ask('BRPOP', 'high', 'default', 'low', '0')).to.match(/^\*2\r\n\$3\r\nlow\r\n/)
      await client.request('RPUSH', 'low', 'job')
      expect(await ask('BLMOVE', 'low', 'other', 'LEFT', 'LEFT', '0')).to.equal('$3\r\njob\r\n')
      expect(await ask('SORT', 'other', 'ALPHA', 'STORE', 'sorted')).to.equal(':1\r\n')
    })
  }

  it('say what leads from one to another, and send nothing of it', async () => {
    const apart =
      /^-ERR ambassador: command '\w+' is not supported because .* servers.* \(not sent\)\r\n$/
    await client.request('SET', 'k', 'v')
    expect(await ask('MOVE', 'k', '3')).to.match(apart)
    expect(await ask('COPY', 'k', 'l', 'DB', '4')).to.match(apart)
    expect(await ask('SWAPDB', '0', '3')).to.match(apart)
    expect(await ask('SWAPDB', '1', '2')).to.equal('+OK\r\n')
    const [, select, , exec] = await inTurn(['MULTI'], ['SELECT', '3'], ['GET', 'k'], ['EXEC'])
    expect(select).to.match(apart)
    expect(exec).to.match(/^-EXECABORT/)
    await client.request('SELECT', '3')
    await client.request('SET', 'q', 'v')
    expect(await ask('MOVE', 'q', '0')).to.match(apart)
    expect(await ask('SWAPDB', '1', '2')).to.match(apart)
    expect(await ask('COPY', 'q', 'r', 'DB', '3')).to.equal(':1\r\n')
    const flush = await inTurn(['MULTI'], ['FLUSHALL'], ['EXEC'])
    expect(flush[1]).to.match(apart)
    expect(await ask('DBSIZE')).to.equal(':2\r\n')
  })

  it('are emptied by FLUSHDB alone, and all together by FLUSHALL in any of them', async () => {
    await client.request('MSET', 'a', '1', 'b', '2', 'c', '3')
    for (const database of ['3', '4']) {
      await client.request('SELECT', database)
      await client.request('SET', 'k', 'v')
    }
    await client.request('FLUSHDB')
    expect(await ask('DBSIZE')).to.equal(':0\r\n')
    await client.request('SELECT', '0')
    expect(await ask('DBSIZE')).to.equal(':3\r\n')
    await client.request('SELECT', '4')
    expect(await ask('FLUSHALL')).to.equal('+OK\r\n')
    expect(await keysIn(queues, 3)).to.equal(':0\r\n')
    await client.request('SELECT', '0')
    expect(await ask('DBSIZE')).to.equal(':0\r\n')
  })

  it('share channels, as the databases of a Redis do', async () => {
    await client.request('SELECT', '3')
    await client.request('SUBSCRIBE', 'news')
    const other = await ambassador.connect()
    expect(String(await other.request('PUBLISH', 'news', 'one'))).to.equal(':1\r\n')
    await other.request('SELECT', '4')
    expect(String(await other.request('PUBLISH', 'news', 'two'))).to.equal(':1\r\n')
    expect(String(await client.reply())).to.match(/one/)
    expect(String(await client.reply())).to.match(/two/)
  })

  it('are left by RESET, kept by HELLO, and follow a reload', async () => {
    await client.request('SELECT', '3')
    await client.request('SET', 'q', 'v')
    await client.request('HELLO', '3')
    expect(await ask('GET', 'q')).to.equal('$1\r\nv\r\n')
    ambassador.reload(configOfFile(text.replace('4: { shard: s1 }', '4: { shard: s2 }')))
    expect(await ask('GET', 'q')).to.equal('$1\r\nv\r\n')
    expect(await ask('CLIENT', 'INFO')).to.match(/ db=3 /)
    ambassador.reload(configOfFile(text.replace('3: { pool: queues }, ', '')))
    expect(await ask('GET', 'q')).to.equal('_\r\n')
    ambassador.reload(configOfFile(text))
    expect(await ask('GET', 'q')).to.equal('$1\r\nv\r\n')
    await client.request('RESET')
    expect(await ask('GET', 'q')).to.equal('$-1\r\n')
    expect(await ask('DBSIZE')).to.equal(':0\r\n')
  })

  it('are checked before they are used', () => {
    const problems = (databases: string): readonly string[] => {
      try {
        configOfFile(`${text.split('\n').slice(0, 2).join('\n')}\ndatabases: ${databases}`)
      } catch (error) {
        if (error instanceof ConfigError) return error.problems
        throw error
      }
      return []
    }
    expect(problems('{ 3: { pool: queue } }')).to.deep.equal([
      '--config-inline:3: database 3 is the pool "queue", which is not there; did you mean "queues"?',
    ])
    expect(problems('{ 3: { shard: s9 } }')[0]).to.match(
      /: database 3 is the shard "s9", which pool "default" does not have/,
    )
    expect(problems('{ 0: { pool: queues } }')[0]).to.match(/database 0 is that of all pools/)
    expect(problems('{ x: { pool: queues } }')[0]).to.match(/"x" is no number of a database$/)
    expect(problems('{ 3: {} }')[0]).to.match(/database 3 names neither a pool nor a shard$/)
    expect(problems('3=queues,4=default/s1')).to.deep.equal([])
  })
})
