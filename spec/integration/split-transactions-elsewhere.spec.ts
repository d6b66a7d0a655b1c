/** Transactions that are split (`transactions: split`) over pools, over a reload, by users of their own, through a failover. */
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import {
  AmbassadorUnderTest,
  configOfFile,
  keysOn,
  SILENT,
  startAmbassadorFor,
  startShards,
} from '../support/ambassador.ts'
import { LogLines } from '../support/log-lines.ts'
import { send } from '../support/pipeline.ts'
import type { RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { startSentinels } from '../support/sentinels.ts'
import { until } from '../support/until.ts'

const PASSWORD = 'hunter2'
const EXECABORT = '-EXECABORT Transaction discarded because of previous errors.\r\n'
/** On both of two shards. */
const EACH = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
/** A key on each of two shards. */
const [[k0 = ''], [k1 = '']] = [keysOn(0, 2), keysOn(1, 2)]

function listOf(servers: readonly RedisServer[]): string {
  return servers.map(({ port }, index) => `s${index}=127.0.0.1:${port}`).join(', ')
}

describe('transactions that are split over several pools', () => {
  const ring: RedisServer[] = []
  let queues: RedisServer
  let text: string
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  before(async () => {
    for (let i = 0; i < 2; i++) ring.push(await startRedis())
    queues = await startRedis({ args: ['--requirepass', PASSWORD] })
    text = [
      `shards: [${listOf(ring)}]`,
      'transactions: split',
      'pools:',
      `  queues: { shards: 127.0.0.1:${queues.port}, shardPassword: ${PASSWORD} }`,
      'routes: [{ prefix: "bull:", pool: queues }]',
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

  it('are executed in each of them, and answered in order', async () => {
    const lines = ['RPUSH bull:wait 1', `SET ${k0} x`, `SET ${k1} y`, 'RPUSH bull:wait 2']
    const replies = await send(client, 'MULTI', ...lines, `GET ${k1}`, 'EXEC')
    expect(replies.at(-1)).to.equal('*5\r\n:1\r\n+OK\r\n+OK\r\n:2\r\n$1\r\ny\r\n')
    expect(await send(client, 'LLEN bull:wait', `GET ${k0}`)).to.deep.equal([
      ':2\r\n',
      '$1\r\nx\r\n',
    ])
  })

  it('have no effect in any when a watched key of one has changed', async () => {
    const other = await ambassador.connect()
    await send(client, 'WATCH bull:id', 'MULTI', 'INCR bull:id', `SET ${k0} x`, `SET ${k1} y`)
    await other.request('SET', 'bull:id', '7')
    expect(await send(client, 'EXEC', `MGET ${k0} ${k1} bull:id`)).to.deep.equal([
      '*-1\r\n',
      '*3\r\n$-1\r\n$-1\r\n$1\r\n7\r\n',
    ])
  })

  it('go on over a reload between any two of their requests', async () => {
    const lines = ['MULTI', `INCR ${k0}`, 'INCR bull:id', `INCR ${k1}`, 'EXEC']
    for (let at = 1; at < lines.length; at++) {
      const before = await send(client, ...lines.slice(0, at))
      expect(before.filter((reply) => reply.startsWith('-'))).to.deep.equal([])
      ambassador.reload(configOfFile(`${text}\nslowRequestMs: ${100 + at}`))
      const replies = await send(client, ...lines.slice(at))
      expect(replies.at(-1)).to.equal(`*3\r\n${`:${at}\r\n`.repeat(3)}`)
    }
  })

  it('stay what they are when a reload takes the option away', async () => {
    await send(client, 'MULTI', `INCR ${k0}`, 'INCR bull:id')
    ambassador.reload(configOfFile(text.replace('transactions: split', 'transactions: shard')))
    const [whole] = await send(client, 'EXEC')
    expect(whole).to.equal('*2\r\n:1\r\n:1\r\n')
    const next = await send(client, 'MULTI', `INCR ${k0}`, 'INCR bull:id', 'EXEC')
    expect(next[2]).to.match(/^-CROSSSLOT .*AMBASSADOR_TRANSACTIONS=split\r\n$/)
    expect(next[3]).to.equal(EXECABORT)
  })
})

describe('transactions that are split, where shards judge users', () => {
  it('may do on each shard what their user may', async () => {
    const alice = ['--user', 'alice', 'on', '>pw', '~*', '&*', '+@all', '-incr']
    const own = await startShards(2, { authPassthrough: 'yes', transactions: 'split' }, alice)
    const client = await own.ambassador.connect()
    await send(client, 'AUTH alice pw')
    expect(await send(client, 'MULTI', `SET ${k0} x`, `SET ${k1} y`, 'EXEC')).to.deep.equal([
      '+OK\r\n',
      '+QUEUED\r\n',
      '+QUEUED\r\n',
      '*2\r\n+OK\r\n+OK\r\n',
    ])
    const replies = await send(client, 'MULTI', `DEL ${k0}`, `INCR ${k1}`, 'EXEC', `GET ${k0}`)
    expect(replies.slice(2)).to.deep.equal([
      "-NOPERM this user has no permissions to run the 'incr' command\r\n",
      EXECABORT,
      '$1\r\nx\r\n',
    ])
    await own.stop()
  })
})

describe('transactions that are split over masters that move', () => {
  it('are discarded everywhere when one of the masters moves before EXEC', async () => {
    const world = await startSentinels({ masters: { alpha: 1, beta: 0 } })
    const shards = ['redis+sentinel://alpha', 'redis+sentinel://beta']
    const flags = { sentinels: world.addresses, transactions: 'split' }
    const log = new LogLines()
    const ambassador = await startAmbassadorFor(shards, flags, log)
    const client = await ambassador.connect()
    const lines = ['MULTI', ...EACH.map((key) => `SET ${key} 1`)]
    expect(await send(client, ...lines)).to.include('+QUEUED\r\n')
    await world.failOver('alpha')
    const heir = `127.0.0.1:${world.servers('alpha')[1]?.port}`
    await until(() => log.lines.some(({ facts }) => Object.values(facts).includes(heir)))
    expect(await send(client, 'EXEC', 'MGET a b c d e f g h')).to.deep.equal([
      EXECABORT,
      `*8\r\n${'$-1\r\n'.repeat(8)}`,
    ])
    expect((await send(client, ...lines, 'EXEC')).at(-1)).to.equal(`*8\r\n${'+OK\r\n'.repeat(8)}`)
    await ambassador.stop()
    await world.stop()
  })
})
