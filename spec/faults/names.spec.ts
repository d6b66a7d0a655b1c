/** Names of shards that lead elsewhere in time: real servers on two addresses of this machine. */
import { expect } from 'chai'
import { RESOLVE_AGAIN_MS } from '../../lib/limits.ts'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { encodeRequest } from '../support/frames.ts'
import { MovingName } from '../support/moving-name.ts'
import type { RawClient } from '../support/raw-client.ts'

const PIPELINE = 50

describe('row 61: a name that leads elsewhere', () => {
  let name: MovingName
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  before(async () => {
    name = await MovingName.start()
  })

  beforeEach(async () => {
    name.timers.install(false)
    name.lead(0)
    ambassador = await startAmbassadorFor([name.shard])
    client = await ambassador.connect()
    await client.request('FLUSHDB')
  })

  afterEach(async () => {
    name.timers.restore()
    await ambassador.stop()
  })

  after(() => name.stop())

  /** Pushes in pipelines until a shard has got some; returns how many were pushed, all of them well. */
  async function pushUntilAt(index: 0 | 1): Promise<number> {
    const push = encodeRequest('RPUSH', 'list', 'x')
    let pushed = 0
    while ((await name.ask(index, 'EXISTS', 'list')) !== ':1\r\n') {
      for (let i = 0; i < PIPELINE; i++) client.write(push)
      for (const reply of await client.replies(PIPELINE)) expect(reply.toString()).to.match(/^:\d/)
      pushed += PIPELINE
    }
    return pushed
  }

  async function lengths(): Promise<number> {
    const replies = [await name.ask(0, 'LLEN', 'list'), await name.ask(1, 'LLEN', 'list')]
    return replies.reduce((sum, reply) => sum + Number(reply.slice(1)), 0)
  }

  it('is followed without a request lost or sent twice', async () => {
    await name.ask(1, 'FLUSHDB')
    let pushed = await pushUntilAt(0)
    name.lead(undefined)
    name.timers.advance(RESOLVE_AGAIN_MS)
    // A name that cannot be resolved was good a moment ago.
    expect((await client.request('LLEN', 'list')).toString()).to.equal(`:${pushed}\r\n`)
    name.lead(1)
    const moving = pushUntilAt(1)
    name.timers.advance(RESOLVE_AGAIN_MS)
    pushed += await moving
    expect(await lengths()).to.equal(pushed)
  })

  it('is resolved again whenever the shard is connected to', async () => {
    await name.ask(1, 'FLUSHDB')
    await pushUntilAt(0)
    name.lead(1)
    await name.ask(0, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await pushUntilAt(1)
    expect(await name.ask(1, 'EXISTS', 'list')).to.equal(':1\r\n')
  })
})
