/** /events over real connections: who listens hears what happens, and who does not listen costs nothing. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'chai'
import { type Ambassador, startAmbassador } from '../../lib/ambassador.ts'
import { ADMIN_REQUEST_MS, ADMIN_STREAMS_MAX } from '../../lib/limits.ts'
import { configFor, SILENT } from '../support/ambassador.ts'
import { EventStream } from '../support/event-stream.ts'
import { http } from '../support/http.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

/** Whoever looks whether all streams are free takes them for a moment, ms. */
const LOOK_AGAIN_MS = 200

describe('/events', () => {
  const flags = { adminListen: '127.0.0.1:0' }
  let first: RedisServer
  let second: RedisServer
  let ambassador: Ambassador
  let port: number

  before(async () => {
    first = await startRedis()
  })

  after(() => first.stop())

  beforeEach(async () => {
    second = await startRedis()
    ambassador = await startAmbassador(configFor([first, second], flags), SILENT)
    const { adminAddress } = ambassador
    port = typeof adminAddress === 'object' ? adminAddress.port : 0
  })

  afterEach(async () => {
    await ambassador.stop()
    await second.stop()
  })

  it('tells the figures at once and then each second, with the newest sample only', async () => {
    const stream = await EventStream.open(port)
    expect(stream.head).to.match(/^HTTP\/1\.1 200 OK/)
    expect(stream.head).to.match(/content-type: text\/event-stream/i)
    await stream.next('stats')
    const [address] = ambassador.addresses
    const client = await connectRaw(typeof address === 'object' ? address.port : 0)
    const stats = await stream.next('stats', ({ clients }) => clients === 1)
    expect(stats).to.include({ ready: true, draining: false })
    expect(stats.history.length).to.be.at.most(1)
    expect(stats.process.residentBytes).to.be.above(1e6)
    await client.close()
    await stream.close()
  })

  it('tells when a shard goes and when it is back', async () => {
    const stream = await EventStream.open(port)
    await stream.next('stats', ({ shards }) => shards[1]?.state === 'up')
    await second.kill()
    // That the other one is up may be told only now.
    const ofB = ({ name }: { name: string }) => name === 'b'
    expect(await stream.next('shard', ofB)).to.include({ name: 'b', state: 'down' })
    await second.restart()
    const { name, state, at } = await stream.next('shard', ofB)
    expect({ name, state }).to.deep.equal({ name: 'b', state: 'up' })
    expect(Math.abs(Date.now() - Date.parse(at))).to.be.below(60_000)
    await stream.close()
  })

  it('tells of reloads, and that one was refused', async () => {
    const stream = await EventStream.open(port)
    ambassador.reload(configFor([first], flags))
    expect(await stream.next('reload')).to.include({ ok: true })
    expect((await stream.next('stats')).shards).to.have.length(1)
    ambassador.reloadFailed()
    expect(await stream.next('reload')).to.include({ ok: false })
    await stream.close()
  })

  it('has room for a few, and leaves the rest of the endpoint to others', async () => {
    const streams: EventStream[] = []
    for (let i = 0; i < ADMIN_STREAMS_MAX; i++) streams.push(await EventStream.open(port))
    expect((await http({ port, path: '/events' })).status).to.equal(503)
    expect((await http({ port, path: '/livez' })).status).to.equal(200)
    const [one] = streams
    await one?.close()
    // As soon as the ambassador has seen that it went, the next one has its place.
    await until(async () => {
      const again = await EventStream.open(port)
      streams.push(again)
      return again.head.includes('200')
    })
    await streams.at(-1)?.next('stats')
    for (const stream of streams) await stream.close()
  })

  it('goes on for longer than a request may take', async () => {
    const stream = await EventStream.open(port)
    const seconds = ADMIN_REQUEST_MS / 1000 + 2
    for (let i = 0; i < seconds; i++) await stream.next('stats')
    await stream.close()
  })

  it('holds up no stop', async () => {
    const stream = await EventStream.open(port)
    await stream.next('stats')
    await ambassador.stop()
    await stream.closed
  })

  it('closes a listener that does not read, and keeps next to nothing for it', async () => {
    const socket = connect(port, '127.0.0.1')
    socket.pause().on('error', () => {})
    await once(socket, 'connect')
    socket.write('GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await http({ port, path: '/livez' })
    // More than the system buffers between two sockets, by far: 12 MB.
    const residentBytes = process.memoryUsage.rss()
    for (let i = 0; i < 200_000; i++) {
      ambassador.reloadFailed()
      // So that what was written goes out: all at once, most would find its way blocked at once.
      if (i % 200 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(process.memoryUsage.rss() - residentBytes).to.be.below(100 * 1024 * 1024)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    // Its end could only be seen by reading; what can be seen is that its place is free again.
    await freed()
    socket.destroy()
    await closed
  })

  /** Resolves when all streams are free again: as many as there may be can be opened. */
  async function freed(): Promise<void> {
    await until(async () => {
      const streams: EventStream[] = []
      for (let i = 0; i < ADMIN_STREAMS_MAX; i++) streams.push(await EventStream.open(port))
      const all = streams.every(({ head }) => head.includes('200'))
      for (const stream of streams) await stream.close()
      return all
    }, LOOK_AGAIN_MS)
  }
})
