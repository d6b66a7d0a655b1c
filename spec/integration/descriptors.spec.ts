/** Row 29: a flood of clients under a low limit of open files, against the real process. */
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { cleanEnvironment } from '../support/bin.ts'
import { type Child, startChild } from '../support/child.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const BIN = fileURLToPath(new URL('../../../dist/bin.js', import.meta.url))

/** (160 - 36 for itself and the shard) / 2. Node opens about 90 files at once while it starts. */
const CLIENTS = 62

describe('row 29: more clients than descriptors', () => {
  let redis: RedisServer
  let child: Child
  let port: number

  before(async () => {
    redis = await startRedis()
    port = await freePort()
    const listen = `--listen 127.0.0.1:${port} --admin-listen off --log-format json`
    const command = `ulimit -n 160; exec "$0" "$1" ${listen} --shards a=127.0.0.1:${redis.port}`
    child = await startChild({
      command: 'bash',
      args: ['-c', command, process.execPath, BIN],
      env: cleanEnvironment(),
      ready: { log: 'accepting clients' },
    })
  })

  after(async () => {
    await child.kill()
    await redis.stop()
  })

  it('tells at the start how many clients it takes', () => {
    expect(child.output).to.include(`maxClients is ${CLIENTS} instead of 10000`)
  })

  it('serves those who are connected, keeps its shards, and recovers', async () => {
    const steady = await connectRaw(port)
    await steady.request('SET', 'a', '1')
    const flood = await Promise.all(Array.from({ length: 400 }, () => tryConnect(port)))
    for (let i = 0; i < 200; i++) {
      expect((await steady.request('INCR', 'a')).toString()).to.equal(`:${i + 2}\r\n`)
    }
    // The shard's own connections are lost and made anew while the clients are still there.
    const admin = await connectRaw(redis.port)
    await admin.request('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    let reply = ''
    while (reply !== '+OK\r\n') reply = (await steady.request('SET', 'a', 'again')).toString()
    const served = await Promise.all(flood.map((client) => client && isServed(client)))
    expect(served.filter((each) => each === true)).to.have.lengthOf(CLIENTS - 1)
    for (const client of flood) await client?.close()
    const next = await untilServed(port)
    expect((await next.request('GET', 'a')).toString()).to.equal('$5\r\nagain\r\n')
    for (const client of [steady, admin, next]) await client.close()
    expect(child.output).to.not.match(/EMFILE/)
  })

  it('lets every client it takes be in a transaction', async () => {
    await untilServed(port).then((client) => client.close())
    const clients: RawClient[] = []
    while (clients.length < CLIENTS) clients.push(await untilServed(port))
    for (const client of clients) {
      await client.request('MULTI')
      expect((await client.request('INCR', 'b')).toString()).to.equal('+QUEUED\r\n')
    }
    for (const client of clients) {
      expect((await client.request('EXEC')).toString()).to.match(/^\*1\r\n:/)
      await client.close()
    }
  })
})

async function tryConnect(port: number): Promise<RawClient | undefined> {
  return await connectRaw(port).catch(() => undefined)
}

async function isServed(client: RawClient): Promise<boolean> {
  const reply = await client.request('PING').catch(() => 'closed')
  return reply.toString() === '+PONG\r\n'
}

/** A client's end is noticed a moment later than it happens. */
async function untilServed(port: number): Promise<RawClient> {
  for (;;) {
    const client = await tryConnect(port)
    if (client !== undefined && (await isServed(client))) return client
    await client?.close()
  }
}
