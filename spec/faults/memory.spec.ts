/**
 * Row 77: what the process takes is 128 MB and maxClientMemoryMb, whatever clients do; docs/operations.md
 * tells operators to set a container's limit by that.
 */
import { expect } from 'chai'
import { PROCESS_MEMORY_MB } from '../../lib/limits.ts'
import { keysOn } from '../support/ambassador.ts'
import { type AmbassadorProcess, startAmbassadorProcess } from '../support/ambassador-process.ts'
import { encodeRequest } from '../support/frames.ts'
import { send } from '../support/pipeline.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

const MB = 1024 * 1024
const OK = '+OK\r\n'
const here = keysOn(0, 2, 8)
const there = keysOn(1, 2, 8)
const all = [...here, ...there]

describe('row 77: memory', function () {
  this.timeout(60_000)
  let redises: RedisServer[]
  let ambassador: AmbassadorProcess
  let clientMb: number
  const clients: RawClient[] = []

  before(async () => {
    redises = [await startRedis(), await startRedis()]
    const values = Buffer.alloc(MB, 'v')
    for (const [redis, keys] of [
      [redises[0], here],
      [redises[1], there],
    ] as const) {
      const direct = await connectRaw(redis?.port ?? 0)
      for (const key of keys) await direct.request('SET', key, values)
      await direct.close()
    }
  })

  after(async () => {
    for (const redis of redises) await redis.stop()
  })

  afterEach(async () => {
    for (const client of clients.splice(0)) client.reset()
    await ambassador.child.kill()
  })

  async function start(maxClientMemoryMb: number, ...more: string[]): Promise<void> {
    clientMb = maxClientMemoryMb
    const flags = [
      '--max-client-memory-mb',
      `${clientMb}`,
      '--request-timeout-ms',
      '30000',
      ...more,
    ]
    ambassador = await startAmbassadorProcess(redises, flags)
  }

  async function connect(count: number): Promise<RawClient[]> {
    const connected = await Promise.all(
      Array.from({ length: count }, () => connectRaw(ambassador.port)),
    )
    clients.push(...connected)
    return connected
  }

  function expectBounded(): void {
    const mostMb = ambassador.mostResidentBytes() / MB
    expect(mostMb).to.be.at.most(PROCESS_MEMORY_MB + clientMb)
  }

  /** Each sets a value of so many MB so many times. Resolves with what they were told. */
  async function upload(count: number, valueMb: number, times = 1): Promise<string[]> {
    const value = Buffer.alloc(valueMb * MB, 'u')
    const answers = (await connect(count)).map(async (client, i) => {
      const told: string[] = []
      for (let time = 0; time < times; time++) {
        told.push((await client.request('SET', `upload:${i}`, value)).toString())
      }
      return told
    })
    return (await Promise.all(answers)).flat()
  }

  /** Each asks for so much of 1 MB each and reads nothing. */
  async function leaveUnread(count: number, values: number): Promise<void> {
    const [key = ''] = here
    const requests = Array.from({ length: values }, () => encodeRequest('GET', key))
    for (const client of await connect(count)) {
      client.pause()
      client.write(Buffer.concat(requests))
    }
    // Nothing more happens once others are answered as many times as it takes to look at all clients.
    const [other] = (await connect(1)) as [RawClient]
    for (let i = 0; i < 5000; i++) await other.request('PING')
  }

  /** Each reads 16 MB from both shards at once, or is told that this is too much now. */
  async function fanOut(count: number, times: number): Promise<void> {
    const reads = (await connect(count)).map(async (client) => {
      for (let time = 0; time < times; time++) await client.request('MGET', ...all)
    })
    await Promise.all(reads)
  }

  it('is bounded while 20 clients set 10 MB each, again and again, and all succeed', async () => {
    await start(64)
    const told = await upload(20, 10, 3)
    expect([...new Set(told)]).to.deep.equal([OK])
    expectBounded()
  })

  it('is bounded while 4 clients set 100 MB each, and all succeed', async () => {
    await start(256)
    const told = await upload(4, 100)
    expect(told).to.deep.equal([OK, OK, OK, OK])
    expectBounded()
  })

  it('is bounded while values go to both shards at once', async () => {
    await start(64)
    const pairs = all.flatMap((key) => [`m:${key}`, Buffer.alloc(MB, 'm')])
    const told = (await connect(8)).map(async (client) => {
      return (await client.request('MSET', ...pairs)).toString()
    })
    const answers = await Promise.all(told)
    // A shard that takes nothing for a while, as on a busy machine, does not get all of that at once.
    const refused = answers.filter((answer) => answer !== OK)
    expect(refused.join('')).to.match(/^(?:-ERR ambassador: overloaded \(.*\)\r\n)*$/)
    expect(refused).to.have.length.below(answers.length / 2)
    expectBounded()
  })

  it('is bounded while 20 clients read 16 MB from both shards at once', async () => {
    await start(64)
    await fanOut(20, 3)
    expectBounded()
  })

  it('is bounded while 20 clients read 10 MB in transactions over both shards', async () => {
    await start(64, '--transactions', 'split')
    const keys = [...here.slice(3), ...there.slice(3)]
    const lines = ['MULTI', ...keys.map((key) => `GET ${key}`), 'EXEC']
    const reads = (await connect(20)).map(async (client) => {
      for (let time = 0; time < 3; time++) {
        const answer = (await send(client, ...lines)).at(-1) ?? ''
        expect(answer.slice(0, 80)).to.match(
          /^\*10\r\n|^-ERR ambassador: overloaded by the replies /,
        )
      }
    })
    await Promise.all(reads)
    const [alone] = (await connect(1)) as [RawClient]
    expect((await send(alone, ...lines)).at(-1)?.slice(0, 5)).to.equal('*10\r\n')
    expectBounded()
  })

  it('is bounded while 100 clients read nothing, and comes back when they are gone', async () => {
    await start(64)
    const quietBytes = ambassador.residentBytes()
    await leaveUnread(100, 30)
    expectBounded()
    for (const client of clients.splice(0)) client.reset()
    await until(() => ambassador.residentBytes() < quietBytes + 64 * MB, 50)
  })

  it('is bounded while subscribers of large messages do not read', async () => {
    await start(64)
    const subscribers = await connect(50)
    for (const subscriber of subscribers) await subscriber.request('SUBSCRIBE', 'row77')
    for (const subscriber of subscribers) subscriber.pause()
    const [publisher] = (await connect(1)) as [RawClient]
    const message = Buffer.alloc(MB / 2, 'p')
    for (let i = 0; i < 100; i++) await publisher.request('PUBLISH', 'row77', message)
    expectBounded()
  })

  it('is bounded under all of that at once, with 500 idle clients', async () => {
    await start(64)
    for (const client of await connect(500)) await client.request('PING')
    const ended = await Promise.allSettled([upload(10, 10), leaveUnread(50, 30), fanOut(10, 2)])
    expect(ended[1]?.status).to.equal('fulfilled')
    expectBounded()
  })

  it('refuses a value larger than maxClientMemoryMb in one line that names it', async () => {
    await start(64)
    const [client] = (await connect(1)) as [RawClient]
    client.write(encodeRequest('SET', 'row77', Buffer.alloc(100 * MB, 'r')))
    expect((await client.reply()).toString()).to.equal(
      '-ERR ambassador: request larger than maxClientMemoryMb allows (not sent)\r\n',
    )
    expect((await client.rest()).length).to.equal(0)
    expectBounded()
  })
})
