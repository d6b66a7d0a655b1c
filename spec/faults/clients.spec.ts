/** Faults in how clients live, read and write, by their numbers in docs/faults.md. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { type AmbassadorUnderTest, keysOn, startShards } from '../support/ambassador.ts'
import { type AmbassadorProcess, startAmbassadorProcess } from '../support/ambassador-process.ts'
import { bulk, encodeRequest } from '../support/frames.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { Victim } from '../support/victim.ts'

const MB = 1024 * 1024

describe('faults: how clients come, go and stay', () => {
  let redises: RedisServer[]
  let ambassador: AmbassadorUnderTest
  let stop: () => Promise<void>

  before(async () => {
    ;({ redises, ambassador, stop } = await startShards(1, { maxClients: '300' }))
  })

  afterEach(() => ambassador.quiet())
  after(() => stop())

  it('row 19: half-close with requests in flight gets all replies, then FIN', async () => {
    const client = await ambassador.connect()
    const direct = await connectRaw(redises[0]?.port ?? 0)
    direct.write(encodeRequest('DEBUG', 'SLEEP', '0.2'))
    const requests = ['1', '2', '3'].map((n) => encodeRequest('SET', `row19:${n}`, n))
    client.write(Buffer.concat(requests))
    client.halfClose()
    expect((await client.rest()).toString()).to.equal('+OK\r\n+OK\r\n+OK\r\n')
    await direct.close()
  })

  it('row 19: FIN in the middle of a request gets FIN, and nothing is executed', async () => {
    const client = await ambassador.connect()
    client.write('*3\r\n$3\r\nSET\r\n$5\r\nrow19\r\n$9\r\nhal')
    client.halfClose()
    expect((await client.rest()).length).to.equal(0)
    const next = await ambassador.connect()
    expect((await next.request('EXISTS', 'row19')).toString()).to.equal(':0\r\n')
  })

  it('row 20: a reset with requests in flight leaves no reply to the next client', async () => {
    const next = await ambassador.connect()
    for (let round = 0; round < 20; round++) {
      const gone = await ambassador.connect()
      for (let i = 0; i < 50; i++) gone.write(encodeRequest('ECHO', `gone ${round}`))
      for (let i = 0; i < 50; i++) gone.write(encodeRequest('SET', 'row20', `gone ${round}`))
      gone.reset()
      expect((await next.request('ECHO', 'mine')).toString()).to.equal(bulk('mine').toString())
      expect((await next.request('EXISTS', 'none')).toString()).to.equal(':0\r\n')
    }
  })

  it('row 26: nothing behind QUIT is executed', async () => {
    const client = await ambassador.connect()
    client.write(encodeRequest('QUIT'))
    client.write(encodeRequest('SET', 'row26', 'v'))
    expect((await client.rest()).toString()).to.equal('+OK\r\n')
    const next = await ambassador.connect()
    expect((await next.request('EXISTS', 'row26')).toString()).to.equal(':0\r\n')
  })

  it('row 27: 2000 clients that come and go leave no descriptor behind', async () => {
    await ambassador.quiet()
    const openFiles = (): number => readdirSync('/proc/self/fd').length
    const before = openFiles()
    for (let round = 0; round < 40; round++) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => ambassador.connect()))
      await Promise.all(clients.map((client) => client.request('GET', 'row27')))
      await ambassador.quiet()
    }
    expect(openFiles()).to.be.at.most(before + 2)
  })

  it('row 6: a request that comes byte by byte is cut off, and cost what had come of it', async () => {
    const realNow = performance.now
    const startMs = realNow.call(performance)
    const announced = '*2\r\n$4\r\nECHO\r\n$536870912\r\n'
    const beforeBytes = process.memoryUsage().arrayBuffers
    const clients = await Promise.all(Array.from({ length: 100 }, () => ambassador.connect()))
    const other = await ambassador.connect()
    let closed = 0
    for (const client of clients) {
      client.write(announced)
      void client.closed().then(() => closed++)
    }
    await other.request('PING')
    // A minute in 60 ms, by the only clock that is asked.
    performance.now = () => startMs + 1000 * (realNow.call(performance) - startMs)
    try {
      while (closed < clients.length) {
        for (const client of clients) if (client.socket.writable) client.write('x')
        expect((await other.request('PING')).toString()).to.equal('+PONG\r\n')
        expect(clients.every(({ unreadBytes }) => unreadBytes === 0)).to.equal(true)
      }
    } finally {
      performance.now = realNow
    }
    expect(process.memoryUsage().arrayBuffers - beforeBytes).to.be.below(10 * MB)
  })

  it('row 28: one client too many is told so and closed; the others stay', async () => {
    const clients: RawClient[] = []
    for (let i = 0; i < 300; i++) clients.push(await ambassador.connect())
    const [first] = clients as [RawClient]
    await first.request('PING')
    const late = await ambassador.connect()
    expect((await late.rest()).toString()).to.equal('-ERR max number of clients reached\r\n')
    expect((await first.request('PING')).toString()).to.equal('+PONG\r\n')
  })
})

/** Resident memory of what malloc has from the heap, where all buffers under 128 KB come from. */
function mallocBytes(pid: number): number {
  const smaps = readFileSync(`/proc/${pid}/smaps`, 'utf8')
  return 1024 * Number(/\[heap\]\n(?:.*\n)*?Rss:\s+(\d+)/.exec(smaps)?.[1])
}

describe('faults: clients that do not read', () => {
  let redises: RedisServer[]
  let ambassador: AmbassadorProcess
  let victim: Victim
  const [here = ''] = keysOn(0, 2)
  const greedy: RawClient[] = []

  before(async () => {
    redises = [await startRedis(), await startRedis()]
    ambassador = await startAmbassadorProcess(redises, ['--request-timeout-ms', '20000'])
    victim = await Victim.start({ port: ambassador.port, id: 'v', depth: 50 })
    const client = await connectRaw(ambassador.port)
    await client.request('SET', here, Buffer.alloc(MB, 'v'))
    await client.close()
  })

  afterEach(async () => {
    for (const client of greedy.splice(0)) client.reset()
    await victim.round()
    expect([...victim.errors]).to.deep.equal([])
  })

  after(async () => {
    await victim.stop()
    await ambassador.child.kill()
    for (const redis of redises) await redis.stop()
  })

  async function greedyClient(of = ambassador): Promise<RawClient> {
    const client = await connectRaw(of.port)
    client.pause()
    greedy.push(client)
    return client
  }

  it('row 21: a million requests whose replies nobody reads cost little', async () => {
    await victim.round()
    const before = ambassador.residentBytes()
    const mallocBefore = mallocBytes(ambassador.child.pid)
    const client = await greedyClient()
    const requests = Buffer.concat(Array.from({ length: 1000 }, () => encodeRequest('GET', 'none')))
    for (let i = 0; i < 1000; i++) client.write(requests)
    for (let i = 0; i < 20; i++) await victim.round()
    expect(ambassador.residentBytes() - before).to.be.below(100 * MB)
    client.resume()
    let replies = 0
    while (replies < 100_000) {
      expect((await client.reply()).toString()).to.equal('$-1\r\n')
      replies++
    }
    // Nor does their passing through leave the process larger: it was 6 to 9 MB when rests were copied.
    expect(mallocBytes(ambassador.child.pid) - mallocBefore).to.be.below(4 * MB)
  })

  it('row 22: 300 values of 1 MB that nobody reads cost less than their client may hold', async () => {
    await victim.round()
    const before = ambassador.residentBytes()
    const client = await greedyClient()
    for (let i = 0; i < 300; i++) client.write(encodeRequest('GET', here))
    for (let i = 0; i < 20; i++) await victim.round()
    expect(ambassador.residentBytes() - before).to.be.below(100 * MB)
  })

  it('row 24: writes to a shard that hangs are bounded, and the other shard is served', async () => {
    const [elsewhere = ''] = keysOn(1, 2)
    await victim.stop()
    victim = await Victim.start({ port: ambassador.port, id: 'w', depth: 1, key: () => elsewhere })
    await redises[0]?.kill('SIGSTOP')
    try {
      const before = ambassador.residentBytes()
      const client = await greedyClient()
      const request = encodeRequest('SET', here, Buffer.alloc(MB, 'w'))
      for (let i = 0; i < 300; i++) client.write(request)
      for (let i = 0; i < 200; i++) await victim.round()
      expect(ambassador.residentBytes() - before).to.be.below(250 * MB)
    } finally {
      await redises[0]?.kill('SIGCONT')
    }
  })

  it('row 24: one client does not use up what may wait for a shard that hangs', async () => {
    const client = await greedyClient()
    client.resume()
    // Answers widen its window: now it may have a thousand requests in flight.
    for (let i = 0; i < 2000; i++) client.write(encodeRequest('GET', 'none'))
    await client.replies(2000)
    await redises[0]?.kill('SIGSTOP')
    try {
      const request = encodeRequest('SET', here, Buffer.alloc(MB / 2, 'w'))
      for (let i = 0; i < 300; i++) client.write(request)
      for (let i = 0; i < 200; i++) await victim.round()
      const other = await connectRaw(ambassador.port)
      other.write(encodeRequest('STRLEN', here))
      await redises[0]?.kill('SIGCONT')
      expect((await other.reply()).toString()).to.match(/^:/)
      const replies = new Set((await client.replies(300)).map(String))
      expect([...replies]).to.deep.equal(['+OK\r\n'])
      await other.close()
    } finally {
      await redises[0]?.kill('SIGCONT')
    }
  })

  it('row 25: others are served while one client floods', async () => {
    const flood = await connectRaw(ambassador.port)
    greedy.push(flood)
    const requests = Buffer.concat(Array.from({ length: 1000 }, () => encodeRequest('GET', 'none')))
    for (let i = 0; i < 200; i++) flood.write(requests)
    const floodBytes = 200_000 * '$-1\r\n'.length
    let rounds = 0
    while (flood.unreadBytes < floodBytes) {
      await victim.round()
      rounds++
    }
    expect(rounds).to.be.greaterThan(10)
  })

  it('row 23: many such clients are bounded together', async () => {
    const bounded = await startAmbassadorProcess(redises, [
      ...['--request-timeout-ms', '20000', '--max-client-memory-mb', '64'],
    ])
    const other = await Victim.start({ port: bounded.port, id: 'o', depth: 50 })
    await other.round()
    const before = bounded.residentBytes()
    const clients = await Promise.all(Array.from({ length: 150 }, () => greedyClient(bounded)))
    for (const client of clients) {
      for (let i = 0; i < 30; i++) client.write(encodeRequest('GET', here))
    }
    let mostBytes = 0
    for (let i = 0; i < 50; i++) {
      await other.round()
      mostBytes = Math.max(mostBytes, bounded.residentBytes())
    }
    // What is held, and a heap that grows before it is collected.
    expect(mostBytes - before).to.be.below((64 + 128) * MB)
    expect([...other.errors]).to.deep.equal([])
    await other.stop()
    await bounded.child.kill()
  })
})
