/** Names of shards that lead elsewhere in time: real servers on two addresses of this machine. */
import dns from 'node:dns'
import { syncBuiltinESMExports } from 'node:module'
import { expect } from 'chai'
import { RESOLVE_AGAIN_MS } from '../../lib/limits.ts'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { encodeRequest } from '../support/frames.ts'
import { ManualTimers } from '../support/manual-timers.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const ADDRESSES = ['127.0.0.1', '127.0.0.2']
const PIPELINE = 50

type Found = (error: Error | null, found?: dns.LookupAddress[]) => void

describe('row 61: a name that leads elsewhere', function () {
  this.timeout(30_000)
  let redises: RedisServer[]
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  /** Where the name leads; undefined: nowhere. */
  let address: string | undefined
  const timers = new ManualTimers()
  const realLookup = dns.lookup

  function lookup(host: string, options: dns.LookupAllOptions, found: Found): void {
    if (host !== 'shard.test') realLookup(host, options, found)
    else if (address === undefined) setImmediate(found, new Error('ENOTFOUND'))
    else setImmediate(found, null, [{ address, family: 4 }])
  }

  before(async () => {
    // What net.connect and lib ask by default; the file of hosts is not ours to write.
    dns.lookup = lookup as unknown as typeof dns.lookup
    syncBuiltinESMExports()
    const port = await freePort()
    redises = await Promise.all(ADDRESSES.map((own) => startRedis({ port, host: own })))
  })

  beforeEach(async () => {
    timers.install(false)
    address = ADDRESSES[0]
    ambassador = await startAmbassadorFor([`shard.test:${redises[0]?.port}`])
    client = await ambassador.connect()
    await client.request('FLUSHDB')
  })

  afterEach(async () => {
    timers.restore()
    await ambassador.stop()
  })

  after(async () => {
    dns.lookup = realLookup
    syncBuiltinESMExports()
    for (const redis of redises) await redis.stop()
  })

  async function ask(index: number, ...words: string[]): Promise<string> {
    const direct = await connectRaw({
      host: ADDRESSES[index] ?? '',
      port: redises[index]?.port ?? 0,
    })
    const reply = await direct.request(...words)
    await direct.close()
    return reply.toString('latin1')
  }

  /** Pushes in pipelines until a shard has got some; returns how many were pushed, all of them well. */
  async function pushUntilAt(index: number): Promise<number> {
    const push = encodeRequest('RPUSH', 'list', 'x')
    let pushed = 0
    while ((await ask(index, 'EXISTS', 'list')) !== ':1\r\n') {
      for (let i = 0; i < PIPELINE; i++) client.write(push)
      for (const reply of await client.replies(PIPELINE)) expect(reply.toString()).to.match(/^:\d/)
      pushed += PIPELINE
    }
    return pushed
  }

  async function lengths(): Promise<number> {
    const replies = [await ask(0, 'LLEN', 'list'), await ask(1, 'LLEN', 'list')]
    return replies.reduce((sum, reply) => sum + Number(reply.slice(1)), 0)
  }

  it('is followed without a request lost or sent twice', async () => {
    await ask(1, 'FLUSHDB')
    let pushed = await pushUntilAt(0)
    address = undefined
    timers.advance(RESOLVE_AGAIN_MS)
    // A name that cannot be resolved was good a moment ago.
    expect((await client.request('LLEN', 'list')).toString()).to.equal(`:${pushed}\r\n`)
    address = ADDRESSES[1]
    const moving = pushUntilAt(1)
    timers.advance(RESOLVE_AGAIN_MS)
    pushed += await moving
    expect(await lengths()).to.equal(pushed)
  })

  it('is resolved again whenever the shard is connected to', async () => {
    await ask(1, 'FLUSHDB')
    await pushUntilAt(0)
    address = ADDRESSES[1]
    await ask(0, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await pushUntilAt(1)
    expect(await ask(1, 'EXISTS', 'list')).to.equal(':1\r\n')
  })
})
