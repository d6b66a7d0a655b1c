/** The socket to a server, and what is known of it when there is none. */
import { expect } from 'chai'
import { Turn } from '../../../../lib/io/turn.ts'
import type { ConnectionOptions } from '../../../../lib/upstream/connection/connection-options.ts'
import type { ShardAddress } from '../../../../lib/upstream/connection/making/dial.ts'
import { handshake } from '../../../../lib/upstream/connection/making/handshake.ts'
import { Link } from '../../../../lib/upstream/connection/making/link.ts'
import { type FakeShard, startFakeShard } from '../../../support/fake-shard.ts'
import { ManualTimers } from '../../../support/manual-timers.ts'
import { until } from '../../../support/until.ts'

const TIMEOUT_MS = 5000
const PLAIN = { protocol: 2, database: 0, username: undefined, password: undefined } as const

describe('Link', () => {
  const timers = new ManualTimers()
  let shard: FakeShard
  let greeting: string | undefined
  let told: string[]
  let server: { address: ShardAddress | undefined }
  let link: Link

  beforeEach(async () => {
    greeting = '+PONG\r\n'
    told = []
    shard = await startFakeShard(() => greeting, { handshake: false })
    server = { address: { host: '127.0.0.1', port: shard.port } }
    const options: Pick<ConnectionOptions, 'server' | 'attempt' | 'turn'> = {
      server,
      attempt: () => ({
        handshake: handshake({ ...PLAIN, clientId: false, redirect: false }),
        timeoutMs: TIMEOUT_MS,
      }),
      turn: new Turn(),
    }
    timers.install(false)
    link = new Link(options as ConnectionOptions, {
      onBytes: (buffer, length) => {
        told.push(link.greeted(Buffer.from(buffer.subarray(0, length)), true))
      },
      onLate: () => told.push('late'),
      onClosed: () => told.push('closed'),
    })
  })

  afterEach(async () => {
    timers.restore()
    link.abandon('the spec is over')
    await shard.stop()
  })

  it('is made when the server has answered the greeting', async () => {
    expect(link.open()).to.equal(true)
    await until(() => told.length > 0)
    expect(told).to.deep.equal(['made'])
    expect(link.reason).to.equal(undefined)
    expect(timers.delaysMs).to.deep.equal([])
  })

  it('is none while the address of the server is unknown', () => {
    server.address = undefined
    expect(link.open()).to.equal(false)
    expect(link.socket).to.equal(undefined)
    expect(link.reason).to.equal('its server is not known')
    expect(link.incarnation).to.equal(1)
  })

  it('says in the words of the server why that turns it away', async () => {
    greeting = '-ERR max number of clients reached\r\n'
    link.open()
    await until(() => told.includes('closed'))
    expect(told).to.deep.equal(['failed', 'closed'])
    expect(link.rejection).to.equal('ERR max number of clients reached')
    expect(link.isTurnedAway).to.equal(true)
    link.open()
    expect(link.isTurnedAway).to.equal(false)
  })

  it('gives up a server that does not answer in time', async () => {
    greeting = undefined
    link.open()
    await until(() => shard.requests.length > 0)
    timers.advance(TIMEOUT_MS)
    expect(told).to.deep.equal(['late'])
    await until(() => told.includes('closed'))
    expect(link.reason).to.equal('connect timed out: it takes connections and does not answer')
    expect(link.rejection).to.equal(undefined)
  })

  it('says that a server which takes connections does not answer TLS', async () => {
    server.address = { host: '127.0.0.1', port: shard.port, tls: { rejectUnauthorized: false } }
    link.open()
    await until(() => link.socket?.connecting === false)
    timers.advance(TIMEOUT_MS)
    await until(() => told.includes('closed'))
    expect(link.reason).to.equal(
      'connect timed out: it takes connections and does not answer TLS. Does it speak TLS?',
    )
  })

  it('says no more of a server that takes no connection than that it is late', async () => {
    link.open()
    expect(link.socket?.connecting).to.equal(true)
    timers.advance(TIMEOUT_MS)
    await until(() => told.includes('closed'))
    expect(link.reason).to.equal('connect timed out')
  })
})
