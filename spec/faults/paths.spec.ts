/** Paths to shards that forget their connections: real servers behind a relay that drops what it was sent. */
import { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { CLIENT_KEEPALIVE_MS, LEASE_FRESH_MS, SHARD_KEEPALIVE_MS } from '../../lib/limits.ts'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { send } from '../support/pipeline.ts'
import type { RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { Relay } from '../support/relay.ts'

const LEASES = 20
/** Long enough for any machine to answer what can be answered. */
const DEADLINE_MS = 2000

describe('row 74: a path that forgets its connections', () => {
  let redis: RedisServer
  let relay: Relay
  let ambassador: AmbassadorUnderTest
  let clients: RawClient[]

  before(async () => {
    redis = await startRedis()
  })

  beforeEach(async () => {
    relay = await Relay.start(redis.port)
    const flags = { requestTimeoutMs: `${DEADLINE_MS}`, connectionsPerShard: '4' }
    ambassador = await startAmbassadorFor([relay], flags)
    clients = await Promise.all(Array.from({ length: LEASES }, () => ambassador.connect()))
    // All at a time, so that each has a connection.
    await Promise.all(clients.map((client) => send(client, 'MULTI', 'SET k 1')))
    await Promise.all(clients.map((client) => send(client, 'EXEC')))
  })

  afterEach(async () => {
    await ambassador.stop()
    await relay.stop()
  })

  after(() => redis.stop())

  async function transact(client: RawClient): Promise<boolean> {
    const replies = await send(client, 'MULTI', 'SET k 1', 'EXEC')
    return replies[2] === '*1\r\n+OK\r\n'
  }

  async function get(client: RawClient): Promise<boolean> {
    return (await send(client, 'GET k'))[0] === '$1\r\n1\r\n'
  }

  /** How many of them fail, one after the other. */
  async function failures(ask: (client: RawClient) => Promise<boolean>): Promise<number> {
    let failed = 0
    for (const client of clients) if (!(await ask(client))) failed++
    return failed
  }

  for (const how of ['forget', 'reject'] as const) {
    const silently = how === 'forget' ? 'in silence' : 'with a reset'
    it(`costs one of twenty transactions at most, ${silently}`, async () => {
      relay[how]()
      expect(await failures(transact)).to.be.at.most(1)
    })

    it(`costs one request at most on connections that are shared, ${silently}`, async () => {
      expect(await failures(get)).to.equal(0)
      relay[how]()
      expect(await failures(get)).to.be.at.most(1)
    })

    it(`costs no transaction what a plain request has found out, ${silently}`, async () => {
      relay[how]()
      expect(await get(clients[0] as RawClient)).to.equal(false)
      expect(await failures(transact)).to.equal(0)
    })
  }

  for (const how of ['forget', 'reject'] as const) {
    it(`costs nothing where connections were idle for a while, all used at a time (${how})`, async () => {
      await pause(2 * LEASE_FRESH_MS)
      relay[how]()
      expect(await Promise.all(clients.map(transact))).to.not.include(false)
    })
  }

  it('leaves connections that are well as they are', async () => {
    await pause(2 * LEASE_FRESH_MS)
    const { accepted } = relay
    expect(await Promise.all(clients.map(transact))).to.not.include(false)
    expect(relay.accepted).to.equal(accepted)
  })

  it('does not keep subscribers waiting for ever', async () => {
    const subscribed = await ambassador.connect()
    await send(subscribed, 'SUBSCRIBE news')
    relay.forget()
    await subscribed.closed()
  })

  it('is kept in mind of its connections by TCP keepalive on both sides', async () => {
    const real = Socket.prototype.setKeepAlive
    const asked: unknown[][] = []
    Socket.prototype.setKeepAlive = new Proxy(real, {
      apply(target, socket, args: unknown[]) {
        asked.push(args)
        return Reflect.apply(target, socket, args)
      },
    })
    try {
      const client = await ambassador.connect()
      // With a database of its own, so that it has to be connected.
      await send(client, 'SELECT 1', 'GET k', 'MULTI', 'GET k', 'EXEC')
      await send(client, 'SUBSCRIBE news')
    } finally {
      Socket.prototype.setKeepAlive = real
    }
    // Those that are shared, a dedicated one, one for subscriptions, and the client's.
    const toShard = asked.filter(([, delayMs]) => delayMs === SHARD_KEEPALIVE_MS)
    const toClient = asked.filter(([, delayMs]) => delayMs === CLIENT_KEEPALIVE_MS)
    expect([toShard.length, toClient.length, asked.length]).to.deep.equal([4 + 1 + 1, 1, 7])
    expect(asked.every(([enable]) => enable === true)).to.equal(true)
  })
})
