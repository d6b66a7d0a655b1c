/** POST /reload and POST /drain: what they do to a real process, and who may not send them. */
import { symlinkSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { isCrossSite, isLocal } from '../../lib/admin/steering.ts'
import { startAmbassador } from '../../lib/ambassador.ts'
import { configFor, SILENT } from '../support/ambassador.ts'
import { startBin } from '../support/bin.ts'
import type { Child } from '../support/child.ts'
import { type HttpAnswer, http } from '../support/http.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

describe('POST /reload and POST /drain', () => {
  const redises: RedisServer[] = []
  let file: string
  let port: number
  let adminPort: number
  let child: Child

  before(async () => {
    for (let i = 0; i < 2; i++) redises.push(await startRedis())
  })

  after(async () => {
    for (const redis of redises) await redis.stop()
  })

  beforeEach(async () => {
    port = await freePort()
    adminPort = await freePort()
    file = join(temporaryFiles(), 'given')
    write({})
    // Behind a link to another directory no change is noticed, so that only /reload can be it.
    const link = join(temporaryFiles(), 'link')
    symlinkSync(file, link)
    child = await startBin(['start', '--config', link], {
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: `0.0.0.0:${adminPort}`,
      NODE_ENV: 'production',
    })
  })

  afterEach(() => child.kill())

  function write(more: object, count = 1): void {
    const shards = redises.slice(0, count).map((redis, at) => `${at}=127.0.0.1:${redis.port}`)
    writeFileSync(file, JSON.stringify({ shards, requestTimeoutMs: 0, ...more }))
  }

  function post(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return http({ port: adminPort, path, method: 'POST', headers })
  }

  it('reads the configuration again and says what is different', async () => {
    write({ maxClients: 77 }, 2)
    const { status, body } = await post('/reload')
    expect([status, JSON.parse(body)]).to.deep.equal([
      200,
      { changed: ['maxClients', 'shards'], afterRestart: [] },
    ])
    expect((await http({ port: adminPort, path: '/stats' })).body).to.include('"clientsMax": 77')
    expect(JSON.parse((await post('/reload')).body)).to.deep.equal({
      changed: [],
      afterRestart: [],
    })
  })

  it('refuses a configuration with a mistake, names it, and serves on', async () => {
    write({ maxClients: 'many' })
    const { status, body } = await post('/reload', { 'content-type': 'application/json' })
    expect(status).to.equal(422)
    expect(body).to.match(/^\S+link:1: maxClients: "many" is not a whole number [^\n]+\n$/)
    const client = await connectRaw(port)
    expect((await client.request('SET', 'k', 'v')).toString()).to.equal('+OK\r\n')
    await client.close()
  })

  it('drains as SIGTERM does: the reply that is owed comes, and the process ends with 0', async () => {
    const client = await connectRaw(port)
    await client.request('SET', 'k', 'v')
    await redises[0]?.kill('SIGSTOP')
    const reply = client.request('GET', 'k')
    while (!(await http({ port: adminPort, path: '/stats' })).body.includes('"inFlight": 1,')) {}
    expect((await post('/drain')).status).to.equal(202)
    expect((await http({ port: adminPort, path: '/readyz' })).body).to.equal('draining\n')
    // A preStop hook comes first and SIGTERM after it: that is not the second signal, which kills.
    process.kill(child.pid, 'SIGTERM')
    process.kill(child.pid, 'SIGHUP')
    expect((await post('/drain')).status).to.equal(202)
    expect((await post('/reload')).status).to.equal(409)
    await redises[0]?.kill('SIGCONT')
    expect((await reply).toString()).to.equal('$1\r\nv\r\n')
    expect(await child.exited).to.equal(0)
    await client.close()
    expect(child.output).to.include('"cause":"POST /drain"')
  })

  it('gets its answer out although nobody is connected and the end comes at once', async () => {
    expect((await post('/drain')).body).to.equal('draining\n')
    expect(await child.exited).to.equal(0)
  })

  it('has no other method', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await http({ port: adminPort, path: '/drain', method })
      expect([status, headers.allow, headers['access-control-allow-origin']], method).to.deep.equal(
        [405, 'POST', undefined],
      )
    }
  })

  it('is not for web pages, in whatever way they ask', async () => {
    const own = `localhost:${adminPort}`
    const refused: [number, Record<string, string>][] = [
      [403, { origin: 'http://evil.example' }],
      [403, { origin: 'null' }],
      [403, { origin: `http://localhost:${adminPort + 1}` }],
      [403, { 'sec-fetch-site': 'cross-site' }],
      [403, { 'sec-fetch-site': 'same-site' }],
      [403, { host: 'evil.example' }],
      // Somebody in this network may answer for it.
      [403, { host: `ambassador:${adminPort}` }],
      [415, { 'content-type': 'text/plain' }],
      [415, { 'content-type': 'application/x-www-form-urlencoded' }],
    ]
    for (const [status, headers] of refused) {
      const answer = await post('/drain', { host: own, ...headers })
      expect(answer.status, JSON.stringify(headers)).to.equal(status)
    }
    const page = { host: own, origin: `http://${own}`, 'sec-fetch-site': 'same-origin' }
    expect((await post('/reload', page)).status).to.equal(200)
  })

  it('is not for whoever comes through a proxy on this machine', async () => {
    for (const name of ['X-Forwarded-For', 'Forwarded', 'Via', 'X-Real-IP']) {
      const { status, body } = await post('/drain', { [name]: '10.0.0.1' })
      expect([status, body], name).to.deep.equal([403, 'only from this machine\n'])
    }
  })

  it('is not for other machines', async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
    const outside = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)
    // Whoever connects to that address from here comes from it as well.
    for (const host of outside === undefined ? [] : [outside.address]) {
      const { status, body } = await http({ host, port: adminPort, path: '/drain', method: 'POST' })
      expect([status, body]).to.deep.equal([403, 'only from this machine\n'])
      const meshed = { host, localAddress: '127.0.0.6', port: adminPort, path: '/drain' }
      expect((await http({ ...meshed, method: 'POST' })).status).to.equal(403)
      expect((await http({ host, port: adminPort, path: '/livez' })).status).to.equal(200)
    }
  })
})

describe('steering', () => {
  it('is refused where another program has started the ambassador, unless that steers it', async () => {
    const path = join(temporaryFiles(), 'admin.sock')
    const redis = await startRedis()
    const config = configFor([redis], { adminListen: `unix:${path}` })
    const ambassador = await startAmbassador(config, SILENT)
    const order = { socketPath: path, path: '/drain', method: 'POST' }
    expect((await http(order)).status).to.equal(501)
    const drained = new Promise<void>((resolve) => {
      ambassador.steerBy({ reload: () => 'draining', drain: resolve })
    })
    expect((await http(order)).status).to.equal(202)
    await drained
    await ambassador.stop()
    await redis.stop()
  })

  it('knows a peer on this machine, and takes none for one whose address is gone', () => {
    const isLoopback = (address: string | undefined): boolean => {
      return isLocal({ remoteAddress: address, localAddress: '127.0.0.1' })
    }
    const local = ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']
    expect(local.filter(isLoopback)).to.deep.equal(local)
    const others = ['10.0.0.1', '::ffff:10.0.0.1', '::2', 'fe80::1', '127.0.0.1.evil', undefined]
    expect(others.filter(isLoopback)).to.deep.equal([])
  })

  it('takes nobody for local whom a service mesh brings in from a loopback of its own', () => {
    for (const localAddress of ['10.1.2.3', '::ffff:10.1.2.3', undefined]) {
      expect(isLocal({ remoteAddress: '127.0.0.6', localAddress })).to.equal(false)
    }
    expect(isLocal({ remoteAddress: '::1', localAddress: '::1' })).to.equal(true)
  })

  it('trusts what says nothing of where it comes from, and pages of its own', () => {
    expect(isCrossSite({ host: 'localhost:1' })).to.equal(false)
    expect(isCrossSite({ host: 'LocalHost:1', origin: 'http://localhost:1' })).to.equal(false)
    expect(isCrossSite({ host: 'localhost:1', origin: 'https://localhost:1' })).to.equal(true)
  })
})
