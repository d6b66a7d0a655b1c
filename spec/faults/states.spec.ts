/** Shards that answer an error to everything for a while: real servers in these states. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, keysOn, startAmbassadorFor } from '../support/ambassador.ts'
import { http } from '../support/http.ts'
import { LogLines } from '../support/log-lines.ts'
import { send } from '../support/pipeline.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

const ADMIN = { adminListen: '127.0.0.1:0' }
const KEYS = 2000

interface State {
  readonly error: string
  readonly enter: (redis: RawClient, other: RawClient) => Promise<unknown>
  readonly leave: (redis: RawClient) => Promise<unknown>
}

const STATES: readonly State[] = [
  {
    error: 'MASTERDOWN',
    enter: (redis) =>
      send(redis, 'CONFIG SET replica-serve-stale-data no', 'REPLICAOF 127.0.0.1 1'),
    leave: (redis) => send(redis, 'REPLICAOF NO ONE'),
  },
  {
    error: 'LOADING',
    // It reads its own dump, a key each 10 ms, and looks at its clients now and then.
    enter: (redis, other) => {
      other.write('DEBUG RELOAD\r\n')
      return until(async () => (await send(redis, 'INFO persistence')).join().includes('loading:1'))
    },
    leave: (redis) => send(redis, 'CONFIG SET key-load-delay 0'),
  },
  {
    error: 'BUSY',
    enter: (redis, other) => {
      other.write('EVAL "while true do end" 0\r\n')
      return until(async () => (await send(redis, 'PING'))[0]?.startsWith('-BUSY') ?? false)
    },
    leave: (redis) => send(redis, 'SCRIPT KILL'),
  },
]

describe('row 70: a shard that answers the same error to everything', () => {
  let redis: RedisServer
  let well: RedisServer
  let direct: RawClient
  let other: RawClient
  let ambassador: AmbassadorUnderTest | undefined
  const log = new LogLines()

  beforeEach(async () => {
    const args = ['--enable-debug-command', 'yes', '--busy-reply-threshold', '1']
    redis = await startRedis({ args: [...args, '--loading-process-events-interval-bytes', '1024'] })
    well = await startRedis()
    direct = await connectRaw(redis.port)
    other = await connectRaw(redis.port)
    await send(direct, `DEBUG POPULATE ${KEYS}`, 'CONFIG SET key-load-delay 10000')
    log.clear()
  })

  afterEach(async () => {
    await ambassador?.stop()
    ambassador = undefined
    for (const client of [direct, other]) await client.close()
    for (const server of [redis, well]) await server.stop()
  })

  async function start(flags: Readonly<Record<string, string>> = {}): Promise<AmbassadorUnderTest> {
    ambassador = await startAmbassadorFor([redis, well], { ...ADMIN, ...flags }, log)
    return ambassador
  }

  async function page(path: string): Promise<string> {
    return (await http({ port: ambassador?.adminPort ?? 0, path, headers: { host: 'localhost' } }))
      .body
  }

  /** Waits until the pages say so. Nothing is sent to the shard for it. */
  async function saysOf(state: string): Promise<void> {
    await until(async () => (await page('/readyz?verbose')).includes(`shard a ${state}\n`), 10)
    expect((await page('/stats')).replaceAll(/\s/g, '')).to.contain(
      `"name":"a","pool":"default","address":"127.0.0.1:${redis.port}","state":"${state}"`,
    )
    const client = await ambassador?.connect()
    expect((await client?.request('AMBASSADOR', 'SHARDS'))?.toString()).to.contain(
      `$1\r\na\r\n$7\r\naddress\r\n$${`127.0.0.1:${redis.port}`.length}\r\n127.0.0.1:${redis.port}\r\n$5\r\nstate\r\n$${state.length}\r\n${state}\r\n`,
    )
  }

  const [key = ''] = keysOn(0, 2)

  for (const { error, enter, leave } of STATES) {
    it(`is not up while it says ${error}, and is again without being asked by clients`, async () => {
      const client = await (await start({ readyMinShards: 'all' })).connect()
      await saysOf('up')
      await enter(direct, other)
      expect((await send(client, `GET ${key}`))[0]).to.match(new RegExp(`^-${error} `))
      await saysOf('down')
      expect(await page('/readyz')).to.contain('1 of 2 shards up')
      await leave(direct)
      await saysOf('up')
      expect(await page('/readyz')).to.equal('ok\n')
      expect(log.aboutShards.slice(2)).to.deep.equal(['warn shard down', 'info shard up'])
      const reason = log.lines.find(({ message }) => message === 'shard down')?.facts
      expect(JSON.stringify(reason)).to.contain(`"reason":"${error} `)
      expect((await send(client, `SET ${key} 1`))[0]).to.equal('+OK\r\n')
    })

    it(`is not up if it says ${error} when it is connected to`, async () => {
      await enter(direct, other)
      await start()
      await saysOf('down')
      await leave(direct)
      await saysOf('up')
      expect(log.aboutShards.toSorted()).to.deep.equal([
        ...['info shard up', 'info shard up', 'warn shard down'],
      ])
    })

    it(`is ejected, where that is asked for, while it says ${error}`, async () => {
      const client = await (await start({ ejectShards: 'yes', ejectRetryMs: '100' })).connect()
      await saysOf('up')
      await enter(direct, other)
      const get = async () => (await send(client, `GET ${key}`))[0]
      expect(await get()).to.match(new RegExp(`^-${error} `))
      await until(async () => (await get()) === '$-1\r\n')
      await send(client, `SET ${key} elsewhere`)
      await leave(direct)
      await until(async () => (await get()) === '$-1\r\n', 10)
      expect(await send(client, `EXISTS ${key}`)).to.deep.equal([':0\r\n'])
    })
  }

  it('is up if only a script says so', async () => {
    const client = await (await start()).connect()
    await saysOf('up')
    await send(direct, 'CONFIG RESETSTAT')
    const script = "return redis.error_reply('LOADING Redis is loading the dataset in memory')"
    for (let i = 0; i < 3; i++) {
      expect((await client.request('EVAL', script, '1', key)).toString()).to.match(/^-LOADING /)
    }
    await until(async () =>
      (await send(direct, 'INFO commandstats')).join().includes('cmdstat_ping'),
    )
    await saysOf('up')
    expect(log.aboutShards).to.deep.equal(['info shard up', 'info shard up'])
  })
})
