/** `readFrom: nearest`, over real servers that are reached through relays, each as slow as the spec says. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { LogLines } from '../support/log-lines.ts'
import { Relay } from '../support/relay.ts'
import { type Replicated, startReplicated } from '../support/replicated.ts'
import { until } from '../support/until.ts'

/** There and back it is twice as long: far more than an answer takes on a machine that has much to do. */
const FAR_MS = 100

describe('readFrom: nearest', () => {
  let world: Replicated
  let relays: readonly Relay[]
  let ambassador: AmbassadorUnderTest | undefined

  beforeEach(async () => {
    world = await startReplicated(2)
    const servers = [world.master, ...world.replicas]
    relays = await Promise.all(servers.map(({ port }) => Relay.start(port)))
  })

  afterEach(async () => {
    try {
      await ambassador?.stop()
    } finally {
      ambassador = undefined
      for (const relay of relays) await relay.stop()
      await world.stop()
    }
  })

  /** The master first, then the replicas. */
  function near(index: number): void {
    for (const [i, relay] of relays.entries()) relay.delayMs = i === index ? 0 : FAR_MS
  }

  async function start(): Promise<AmbassadorUnderTest> {
    const log = new LogLines()
    const [master, ...others] = relays
    const list = others.map(({ port }) => `replica=127.0.0.1:${port}`).join('&')
    const shard = `redis://127.0.0.1:${master?.port}?${list}`
    ambassador = await startAmbassadorFor([shard], { readFrom: 'nearest' }, log)
    await until(() => {
      return log.lines.filter(({ message }) => message === 'replica is read from').length === 2
    })
    return ambassador
  }

  it('reads where answers come soonest, and follows when that is elsewhere', async () => {
    near(2)
    const at = await start()
    /** A session stays with its replica: each of these is a new one. */
    const reads = async (name: string): Promise<boolean> => {
      const client = await at.connect()
      const reply = String(await client.request('GET', 'who'))
      await client.close()
      return reply.includes(`\r\n${name}\r\n`)
    }
    await until(() => reads('replica1'), 50)
    near(1)
    await until(() => reads('replica0'), 50)
    near(0)
    await until(() => reads('master'), 50)
  })

  it('leaves a session with its replica as long as that serves, however slow it becomes', async () => {
    near(2)
    const at = await start()
    const one = await at.connect()
    const who = async (client: typeof one) => String(await client.request('GET', 'who'))
    await until(async () => (await who(one)).includes('replica1'), 50)
    near(1)
    await until(async () => {
      const fresh = await at.connect()
      const reply = await who(fresh)
      await fresh.close()
      return reply.includes('replica0')
    }, 50)
    expect(await who(one)).to.include('replica1')
  })
})
