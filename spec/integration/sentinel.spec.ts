import { expect } from 'chai'
import { examine } from '../../lib/doctor/doctor.ts'
import { type AmbassadorUnderTest, configFor, startAmbassadorFor } from '../support/ambassador.ts'
import { LogLines } from '../support/log-lines.ts'
import type { RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { type SentinelWorld, startSentinels } from '../support/sentinels.ts'
import { until } from '../support/until.ts'

describe('a shard that sentinels find', () => {
  let world: SentinelWorld
  let plain: RedisServer
  let ambassador: AmbassadorUnderTest
  let log: LogLines
  let client: RawClient

  beforeEach(async () => {
    world = await startSentinels({ masters: { alpha: 2 } })
    plain = await startRedis()
    log = new LogLines()
    ambassador = await startAmbassadorFor(
      ['redis+sentinel://alpha', plain],
      { sentinels: world.addresses },
      log,
    )
    client = await ambassador.connect()
  })

  afterEach(async () => {
    try {
      await ambassador.stop()
    } finally {
      await Promise.all([world.stop(), plain.stop()])
    }
  })

  function moves(): readonly object[] {
    return log.lines
      .filter(({ message }) => message === 'shard has another server')
      .map(({ facts }) => facts)
  }

  /** A key of the shard that the sentinels find. */
  async function keyOfAlpha(): Promise<string> {
    for (let i = 0; ; i++) {
      const reply = String(await client.request('AMBASSADOR', 'ROUTE', `k${i}`))
      if (reply.includes('$1\r\na\r\n')) return `k${i}`
    }
  }

  it('is served from the first request on, beside one with an address', async () => {
    const key = await keyOfAlpha()
    expect(String(await client.request('SET', key, '1'))).to.equal('+OK\r\n')
    expect(String(await client.request('DBSIZE'))).to.equal(':1\r\n')
  })

  it('loses no write that it has acknowledged in a planned failover', async () => {
    const key = await keyOfAlpha()
    const [before] = world.servers('alpha')
    let acknowledged = 0
    let failed = ''
    let isOver = false
    const write = async (): Promise<void> => {
      const writer = await ambassador.connect()
      while (!isOver) {
        const reply = String(await writer.request('INCR', key))
        if (reply.startsWith(':')) acknowledged++
        else failed ||= reply
      }
    }
    const writers = [write(), write(), write(), write()]
    await until(() => acknowledged > 100)
    await world.failOver('alpha')
    await until(() => moves().length === 2)
    const count = acknowledged
    await until(() => acknowledged > count + 100)
    isOver = true
    await Promise.all(writers)
    // What was in flight at the moment of the switch may or may not have been executed.
    expect(failed).to.match(/^$|^-ERR ambassador: shard a connection lost \(may have executed\)/)
    const value = Number(String(await client.request('GET', key)).split('\r\n')[1])
    expect(value).to.be.at.least(acknowledged)
    const [, move] = moves()
    expect(move).to.include({ shard: 'a', from: `127.0.0.1:${before?.port}` })
  })

  it('takes transactions, blocked clients and subscribers along', async () => {
    const key = await keyOfAlpha()
    const blocked = await ambassador.connect()
    const waiting = blocked.request('BLPOP', `{${key}}q`, '0')
    const watcher = await ambassador.connect()
    await watcher.request('WATCH', key)
    const subscriber = await ambassador.connect()
    await subscriber.request('SUBSCRIBE', key)
    await world.failOver('alpha')
    await until(() => moves().length === 2)
    expect(String(await waiting)).to.match(/^-UNBLOCKED /)
    await subscriber.closed()
    expect(String(await watcher.request('MULTI'))).to.match(/^\+OK|^-/)
    expect(String(await watcher.request('SET', key, 'stale'))).to.match(/^\+QUEUED|^-/)
    expect(String(await watcher.request('EXEC'))).to.match(/^-EXECABORT/)
    expect(String(await blocked.request('RPUSH', `{${key}}q`, '1'))).to.equal(':1\r\n')
    expect(String(await blocked.request('BLPOP', `{${key}}q`, '0'))).to.include('\r\n1\r\n')
  })

  it('waits for the heir of a master that is killed, and serves others meanwhile', async () => {
    const key = await keyOfAlpha()
    const [before] = world.servers('alpha')
    await client.request('SET', key, '1')
    await client.request('WAIT', '2', '5000')
    await before?.kill()
    const waiting = client.request('GET', key)
    const other = await ambassador.connect()
    expect(String(await other.request('GET', 'k-of-b'))).to.match(/^\$-1|^-|^\$/)
    expect(String(await waiting)).to.match(/^\$1\r\n1|connection lost \(may have executed\)/)
    expect(String(await client.request('SET', key, '2'))).to.equal('+OK\r\n')
  })

  it('is told by other sentinels after a reload, and moves for that no more than it must', async () => {
    const key = await keyOfAlpha()
    await client.request('SET', key, '1')
    const subscriber = await ambassador.connect()
    await subscriber.request('SUBSCRIBE', key)
    const [first = ''] = world.addresses.split(',')
    ambassador.reload(configFor(['redis+sentinel://alpha', plain], { sentinels: first }))
    expect(String(await client.request('GET', key))).to.equal('$1\r\n1\r\n')
    await client.request('PUBLISH', key, 'hello')
    expect(String(await subscriber.reply())).to.include('hello')
    expect(moves()).to.have.lengthOf(1)
  })

  it('is looked at by doctor where it is now, and so are its sentinels', async () => {
    const config = configFor(['redis+sentinel://alpha', plain], {
      sentinels: world.addresses,
      requestTimeoutMs: '1000',
    })
    const found = await examine(config.pools[0], [0.5, 0.5])
    const about = found.filter(({ check }) => check === 'sentinel')
    const [master] = world.servers('alpha')
    expect(about.map(({ level, saw }) => `${level}: ${saw}`)).to.deep.equal([
      `ok: 3 sentinels say that alpha is at 127.0.0.1:${master?.port}`,
      'note: a failover of alpha takes 2000 ms or more, and a request may take 1000 ms',
    ])
    expect(found.filter(({ check }) => check === 'role').map(({ level }) => level)).to.deep.equal([
      'ok',
      'ok',
    ])
    const other = configFor(['redis+sentinel://beta'], { sentinels: world.addresses })
    const [complaint] = await examine(other.pools[0], [1])
    expect(complaint).to.include({ level: 'problem', check: 'sentinel' })
    expect(complaint?.saw).to.equal('no sentinel knows a master called beta')
  })
})
