/**
 * Sentinels and masters that fail in every way but the simple one. In each case nothing may be written
 * to a server that is not the master, and the shard moves as often as its master does.
 */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { type FakeSentinel, startFakeSentinel } from '../support/fake-sentinel.ts'
import { LogLines } from '../support/log-lines.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { type SentinelSetup, type SentinelWorld, startSentinels } from '../support/sentinels.ts'
import { until } from '../support/until.ts'

const PASSWORD = 'secret'

describe('a shard that sentinels find, when they or its servers fail', () => {
  let world: SentinelWorld
  let ambassador: AmbassadorUnderTest
  let log: LogLines
  let client: RawClient

  afterEach(async () => {
    try {
      await ambassador.stop()
    } finally {
      await world.stop()
    }
  })

  async function start(
    setup: Omit<SentinelSetup, 'masters'>,
    flags: Readonly<Record<string, string>> = {},
    more: readonly FakeSentinel[] = [],
  ): Promise<void> {
    world = await startSentinels({ masters: { alpha: 2 }, downAfterMs: 1000, ...setup })
    log = new LogLines()
    const sentinels = [world.addresses, ...more.map(({ address }) => address)].join(',')
    ambassador = await startAmbassadorFor(['redis+sentinel://alpha'], { sentinels, ...flags }, log)
    client = await ambassador.connect()
    await write()
  }

  /** Until a write is acknowledged: what is in flight at a switch is lost, and says so. */
  async function write(key = 'k'): Promise<void> {
    await until(async () => {
      const reply = String(await client.request('INCR', key))
      if (reply.startsWith(':')) return true
      expect(reply).to.match(/^-ERR ambassador: .*\((?:may have executed|not sent)\)/)
      return false
    })
  }

  /** Where the shard has been, one after the other. */
  function stations(): number[] {
    const moves = log.lines.filter(({ message }) => message === 'shard has another server')
    return moves.map(({ facts }) => Number(String((facts as { to: string }).to).split(':')[1]))
  }

  function server(port: number | undefined): RedisServer {
    const found = world.servers('alpha').find((each) => each.port === port)
    if (found === undefined) throw new Error(`no server at ${port}`)
    return found
  }

  async function untilMoved(times: number): Promise<RedisServer> {
    await until(() => stations().length >= times)
    return server(stations()[times - 1])
  }

  /** It has moved as often as its master, and to the same servers: on a busy machine sentinels may do more than they were asked. */
  async function checkStations(): Promise<void> {
    const [first] = world.servers('alpha')
    const all = (): string => [first?.port, ...world.heirs('alpha')].join(' ')
    await until(() => stations().join(' ') === all(), 20)
  }

  /** What it says of itself, and how many INCR clients and its master have made it do, at one moment. */
  async function look({ port }: RedisServer): Promise<{ role: string; incrs: number }> {
    const raw = await connectRaw(port)
    try {
      await raw.request('MULTI')
      await raw.request('ROLE')
      await raw.request('INFO', 'commandstats')
      const text = String(await raw.request('EXEC'))
      const role = /\$\d+\r\n(master|slave)\r\n/.exec(text)?.[1] ?? ''
      return { role, incrs: Number(/cmdstat_incr:calls=(\d+)/.exec(text)?.[1] ?? 0) }
    } finally {
      await raw.close()
    }
  }

  /** Writes until a server that calls itself a master has been told by the sentinels that it is none. */
  async function writeUntilReplica(zombie: RedisServer, incrs: number): Promise<void> {
    await until(async () => {
      await write()
      const seen = await look(zombie).catch(() => ({ role: undefined, incrs }))
      if (seen.role === 'master') expect(seen.incrs).to.equal(incrs)
      return seen.role === 'slave'
    }, 20)
  }

  it('follows though a sentinel is deaf, and does not move again when it hears', async () => {
    await start({ password: PASSWORD }, { sentinelPassword: PASSWORD })
    const deaf = world.sentinels[2]
    await deaf?.kill('SIGSTOP')
    await world.failOver('alpha')
    const heir = await untilMoved(2)
    await write()
    await deaf?.kill('SIGCONT')
    await until(async () => (await world.masterPort('alpha', 2)) === heir.port, 50)
    await write()
    await checkStations()
  })

  it('believes no sentinel that lies, however new it says its word is', async () => {
    const stranger = await startRedis()
    const liar = await startFakeSentinel()
    try {
      await start({ sentinels: 2 }, {}, [liar])
      const [first] = world.servers('alpha')
      await world.failOver('alpha')
      const heir = await untilMoved(2)
      await until(async () => (await world.masterPort('alpha', 1)) === heir.port, 50)
      await write()
      const old = first as RedisServer
      const { incrs } = await look(old)
      for (const { port } of [old, stranger]) {
        for (const epoch of [0, 1, 99]) {
          const { asked } = liar
          const told = { master: `127.0.0.1:${port}`, epoch, replicas: [`127.0.0.1:${heir.port}`] }
          liar.switchMaster('alpha', told)
          liar.publish(
            '+selected-slave',
            `slave s 127.0.0.1 ${port} @ alpha 127.0.0.1 ${heir.port}`,
          )
          await until(() => liar.asked > asked + 1)
          await write()
        }
      }
      // It calls itself a master all the time.
      expect(await look(old)).to.deep.equal({ role: 'master', incrs })
      expect(await look(stranger)).to.deep.equal({ role: 'master', incrs: 0 })
      await checkStations()
    } finally {
      await liar.stop()
      await stranger.stop()
    }
  })

  it('follows by the one sentinel that it still reaches, two being cut off', async () => {
    await start({ relayed: true })
    for (const sentinel of world.sentinels.slice(1)) sentinel.relay?.cut()
    const [first] = world.servers('alpha')
    await first?.kill()
    await untilMoved(2)
    await write()
    await checkStations()
  })

  it('writes nothing to a dead master that comes back and calls itself one', async () => {
    await start({})
    const [first] = world.servers('alpha')
    await first?.kill()
    await untilMoved(2)
    await first?.restart()
    await writeUntilReplica(first as RedisServer, 0)
    await checkStations()
  })

  it('goes on with its master when a failover is aborted, and believes no heir that wakes too late', async () => {
    await start({ failoverTimeoutMs: 1500, downAfterMs: 5000 })
    const replicas = world.servers('alpha').slice(1)
    for (const replica of replicas) await replica.kill('SIGSTOP')
    await world.failOver('alpha')
    // The replica that was chosen has been told to be the master, and has not read it.
    await until(async () => (await world.flags('alpha', 0)).includes('failover_in_progress'), 20)
    await until(async () => !(await world.flags('alpha', 0)).includes('failover_in_progress'), 20)
    await write()
    for (const replica of replicas) await replica.kill('SIGCONT')
    const woken = await firstMaster(replicas)
    let incrs = 0
    await until(async () => {
      const seen = await look(woken).catch(() => undefined)
      incrs = seen?.incrs ?? 0
      return seen !== undefined
    }, 20)
    await writeUntilReplica(woken, incrs)
    await checkStations()
  })

  async function firstMaster(servers: readonly RedisServer[]): Promise<RedisServer> {
    let found: RedisServer | undefined
    await until(async () => {
      for (const each of servers) {
        // A sentinel that makes it a master closes the connections that it had.
        const { role } = await look(each).catch(() => ({ role: undefined }))
        if (role === 'master') found = each
      }
      return found !== undefined
    }, 20)
    return found as RedisServer
  }

  it('follows two failovers that come one upon the other', async () => {
    await start({ failoverTimeoutMs: 60_000 })
    await world.failOver('alpha')
    const second = await untilMoved(2)
    await write()
    await world.failOver('alpha')
    const third = await untilMoved(3)
    await write()
    for (const sentinel of [0, 1, 2]) {
      await until(async () => (await world.masterPort('alpha', sentinel)) === third.port, 50)
    }
    await write()
    expect(stations()).to.include.members([second.port, third.port])
    await checkStations()
  })

  it('leaves a master that hangs, and writes nothing to it when it wakes', async () => {
    await start({})
    const [first] = world.servers('alpha')
    const hung = first as RedisServer
    await hung.kill('SIGSTOP')
    const waiting = client.request('INCR', 'k')
    await untilMoved(2)
    expect(String(await waiting)).to.include('connection lost (may have executed)')
    await write('after')
    await hung.kill('SIGCONT')
    const { incrs } = await look(hung)
    await writeUntilReplica(hung, incrs)
    await checkStations()
  })
})
