/** The admin endpoint over real HTTP, in front of real Redis servers that come and go. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Ambassador, startAmbassador } from '../../lib/ambassador.ts'
import { packageVersion } from '../../lib/config/package-directory.ts'
import {
  ADMIN_CONNECTIONS_BURST_MAX,
  ADMIN_CONNECTIONS_MAX,
  ADMIN_HEADER_BYTES_MAX,
  ADMIN_STREAMS_MAX,
} from '../../lib/limits.ts'
import { configFor, keysOn, SILENT } from '../support/ambassador.ts'
import { EventStream } from '../support/event-stream.ts'
import { readExposition } from '../support/exposition.ts'
import { type HttpAnswer, http } from '../support/http.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const SECRETS = ['canary-of-clients', 'canary-of-a-user', 'canary-of-a-shard'] as const

function portOf(address: Ambassador['adminAddress']): number {
  return typeof address === 'object' ? address.port : 0
}

describe('the admin endpoint', () => {
  const [clientsSecret, userSecret, shardSecret] = SECRETS
  const flags = {
    adminListen: '127.0.0.1:0',
    requestTimeoutMs: '10000',
    password: clientsSecret,
    users: `alice:${userSecret}`,
    shardPassword: shardSecret,
  }
  let first: RedisServer
  let second: RedisServer
  let ambassador: Ambassador

  before(async () => {
    first = await startRedis({ args: ['--requirepass', shardSecret] })
  })

  after(() => first.stop())

  beforeEach(async () => {
    second = await startRedis({ args: ['--requirepass', shardSecret] })
    ambassador = await startAmbassador(configFor([first, second], flags), SILENT)
  })

  afterEach(async () => {
    await ambassador.stop()
    await second.stop()
  })

  function get(path: string, host = 'localhost'): Promise<HttpAnswer> {
    return http({ port: portOf(ambassador.adminAddress), path, headers: { host } })
  }

  async function getJson(path: string) {
    const { status, headers, body } = await get(path)
    expect(status).to.equal(200)
    expect(headers['content-type']).to.equal('application/json')
    return JSON.parse(body)
  }

  /** Resolves once /readyz?verbose says this; mocha's time-out is its bound. */
  async function readyzIs(status: number, body: string): Promise<void> {
    let answer: HttpAnswer
    do answer = await get('/readyz?verbose')
    while (answer.status !== status || answer.body !== body)
  }

  it('answers probes: alive always, ready as long as one shard is up', async () => {
    await readyzIs(200, 'ok\nshard a up\nshard b up\n')
    await second.kill()
    await readyzIs(200, 'ok\nshard a up\nshard b down\n')
    expect((await get('/readyz')).body).to.equal('ok\n')
    expect((await get('/livez')).body).to.equal('ok\n')
  })

  it('is not ready while no shard is up, and says so', async () => {
    await ambassador.stop()
    await second.kill()
    ambassador = await startAmbassador(configFor([second], flags), SILENT)
    await readyzIs(503, 'no shard is up\nshard a down\n')
    expect((await get('/livez')).status).to.equal(200)
    await second.restart()
    await readyzIs(200, 'ok\nshard a up\n')
  })

  it('is ready once as many shards are up as readyMinShards asks for, which a reload changes', async () => {
    const needs = (readyMinShards: string) => {
      ambassador.reload(configFor([first, second], { ...flags, readyMinShards }))
    }
    needs('all')
    await readyzIs(200, 'ok\nshard a up\nshard b up\n')
    await second.kill()
    await readyzIs(503, '1 of 2 shards up, readyMinShards is 2\nshard a up\nshard b down\n')
    needs('1')
    await readyzIs(200, 'ok\nshard a up\nshard b down\n')
  })

  it('says that it drains for as long as it does, and is the last to close', async () => {
    await readyzIs(200, 'ok\nshard a up\nshard b up\n')
    const [address] = ambassador.addresses
    const client = await connectRaw(typeof address === 'object' ? address.port : 0)
    await client.request('AUTH', clientsSecret)
    await second.kill('SIGSTOP')
    const [key = ''] = keysOn(1, 2)
    const reply = client.request('GET', key)
    while (ambassador.gauges.inFlight === 0) await get('/livez')
    const stopped = ambassador.stop()
    await readyzIs(503, 'draining\nshard a up\nshard b up\n')
    const { draining, ready, clients, inFlight } = await getJson('/stats')
    expect({ draining, ready, clients, inFlight }).to.deep.equal({
      draining: true,
      ready: false,
      clients: 1,
      inFlight: 1,
    })
    const port = portOf(ambassador.adminAddress)
    await second.kill('SIGCONT')
    expect((await reply).toString()).to.equal('$-1\r\n')
    await stopped
    await client.close()
    const refused = await http({ port, path: '/livez' }).catch(({ code }) => code)
    expect(refused).to.equal('ECONNREFUSED')
  })

  it('tells what is under way', async () => {
    await readyzIs(200, 'ok\nshard a up\nshard b up\n')
    const [address] = ambassador.addresses
    const client = await connectRaw(typeof address === 'object' ? address.port : 0)
    await client.request('AUTH', clientsSecret)
    await client.request('SUBSCRIBE', 'news')
    const stats = await getJson('/stats')
    expect(stats).to.include({
      version: packageVersion(),
      ready: true,
      draining: false,
      clients: 1,
      clientsMax: 10_000,
      inFlight: 0,
      leases: 0,
      topics: 2,
      lanes: 1,
    })
    expect(stats.environment).to.have.all.keys('name', 'source')
    expect(
      stats.shards.map(({ name, address, state }: Record<string, unknown>) => [
        name,
        address,
        state,
      ]),
    ).to.deep.equal([
      ['a', `127.0.0.1:${first.port}`, 'up'],
      ['b', `127.0.0.1:${second.port}`, 'up'],
    ])
    const [a, b] = stats.shards
    expect(a.ringShare + b.ringShare).to.be.closeTo(1, 1e-6)
    // Each channel is subscribed on every shard.
    expect(a.topics + b.topics).to.equal(2)
    expect(stats.process.residentBytes).to.be.above(1e6)
    await client.close()
  })

  it('tells Prometheus the same, by its rules', async () => {
    await readyzIs(200, 'ok\nshard a up\nshard b up\n')
    await second.kill()
    await readyzIs(200, 'ok\nshard a up\nshard b down\n')
    const { headers, body } = await get('/metrics')
    expect(headers['content-type']).to.equal('text/plain; version=0.0.4; charset=utf-8')
    const families = readExposition(body)
    expect(families.get('ambassador_shard_up')?.samples).to.deep.equal([
      { suffix: '', labels: { pool: 'default', shard: 'a' }, value: 1 },
      { suffix: '', labels: { pool: 'default', shard: 'b' }, value: 0 },
    ])
    const [info] = families.get('ambassador_build_info')?.samples ?? []
    expect(info?.labels).to.include({ version: packageVersion(), node_version: process.version })
    const shares = families.get('ambassador_shard_ring_share_ratio')?.samples ?? []
    expect(shares.reduce((sum, { value }) => sum + value, 0)).to.be.closeTo(1, 1e-6)
    for (const [name, { type, samples }] of families) {
      expect(name).to.match(/^(?:ambassador|process|nodejs)_[a-z0-9_]+$/)
      expect(name.endsWith('_total'), name).to.equal(type === 'counter')
      for (const { value } of samples) expect(value, name).to.be.at.least(0)
    }
  })

  it('says where a key is and why, for any bytes, without repeating them', async () => {
    const [onFirst = ''] = keysOn(0, 2)
    const [onSecond = ''] = keysOn(1, 2)
    expect(await getJson(`/route?key=${onFirst}`)).to.include({
      shard: 'a',
      address: `127.0.0.1:${first.port}`,
      hash: 'murmur',
      distribution: 'ketama',
    })
    const { shard, hashedFrom, hashedTo, keyBytes } = await getJson(`/route?key=%FF{${onSecond}}+x`)
    expect({ shard, hashedFrom, hashedTo, keyBytes }).to.deep.equal({
      shard: 'b',
      hashedFrom: 2,
      hashedTo: 2 + onSecond.length,
      keyBytes: onSecond.length + 5,
    })
    expect((await get('/route')).status).to.equal(400)
  })

  it('shows options with what set them, and no secret or key on any page', async () => {
    const config = await getJson('/config')
    expect(config.options.password).to.deep.equal({ value: '***', source: 'AMBASSADOR_PASSWORD' })
    expect(config.options.requestTimeoutMs.value).to.equal('10000')
    expect(config.shards.list[0]).to.include({ name: 'a', password: '***' })
    const paths = ['/', '/config', '/stats', '/metrics', '/readyz?verbose', '/route?key=canary-key']
    const pages = await Promise.all(paths.map(async (path) => (await get(path)).body))
    for (const text of [...SECRETS, 'canary-key']) {
      expect(pages.join('\n')).not.to.include(text)
    }
  })

  it('lists its pages, each of which is there', async () => {
    const { body } = await get('/')
    const paths = body.match(/^\/\w+/gm) ?? []
    expect(paths).to.include.members(['/livez', '/readyz', '/stats', '/metrics', '/config'])
    const port = portOf(ambassador.adminAddress)
    for (const path of paths) {
      // /events would go on for ever.
      const { status } = await http({ port, path, method: 'HEAD' })
      expect(status, path).not.to.equal(404)
    }
  })

  it('shows browsers the dashboard, which may load nothing but its own', async () => {
    const port = portOf(ambassador.adminAddress)
    const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
    const { headers, body } = await http({ port, path: '/', headers: { accept } })
    expect(headers['content-type']).to.equal('text/html; charset=utf-8')
    const policy = headers['content-security-policy']
    expect(policy).to.match(/^default-src 'none'; script-src 'self'; style-src 'self'; /)
    expect(policy).not.to.include('unsafe')
    const assets = [...body.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(([, path]) => path)
    expect(assets).to.include.members(['dashboard/page.css', 'dashboard/main.js'])
    for (const asset of assets) expect((await get(`/${asset}`)).status, asset).to.equal(200)
    expect((await get('/')).headers['content-type']).to.equal('text/plain; charset=utf-8')
  })

  it('draws the ring as keys find it', async () => {
    const { shards, owners } = await getJson('/ring')
    expect(shards.map(({ name }: { name: string }) => name)).to.deep.equal(['a', 'b'])
    const route = await getJson('/route?key=user:1')
    const place = Math.floor((route.hashValue / 2 ** 32) * owners.length)
    expect(owners.length).to.be.above(1000)
    // The key's own shard is there, if not in this place then right beside it: the picture is coarse.
    const beside = owners.slice(Math.max(0, place - 1), place + 3)
    expect(beside.map((at: number) => shards[at].name)).to.include(route.shard)
  })

  it('has nothing else', async () => {
    for (const path of [
      '/nothing',
      '/dashboard/',
      '/dashboard/../package.json',
      '/dashboard/stats.d.ts',
      '/stats/',
      '/__proto__',
      '//livez',
      'http://localhost/livez',
    ]) {
      expect((await get(path)).status, path).to.equal(404)
    }
  })

  it('takes GET and HEAD only', async () => {
    const port = portOf(ambassador.adminAddress)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
      const { status, headers } = await http({ port, path: '/livez', method })
      expect(status, method).to.equal(405)
      expect(headers.allow).to.equal('GET, HEAD')
    }
    const { status, headers, body } = await http({ port, path: '/livez', method: 'HEAD' })
    expect({ status, length: headers['content-length'], body }).to.deep.equal({
      status: 200,
      length: '3',
      body: '',
    })
  })

  it('answers no page that has given its own name our address', async () => {
    for (const path of ['/', '/stats', '/metrics', '/config', '/events', '/dashboard/main.js']) {
      const { status, body } = await get(path, 'evil.example')
      expect(status, path).to.equal(403)
      expect(body).not.to.include('shard')
    }
  })

  it('row 85: answers probes by any name, and says no more than they need', async () => {
    await readyzIs(200, 'ok\nshard a up\nshard b up\n')
    for (const path of ['/livez', '/readyz', '/readyz?verbose']) {
      const { status, body } = await get(path, 'lb.example:80')
      expect({ status, body }, path).to.deep.equal({ status: 200, body: 'ok\n' })
    }
  })

  it('row 85: answers Prometheus by the name of a service, and by those in adminHosts', async () => {
    const statusFor = async (host: string): Promise<number> => (await get('/metrics', host)).status
    for (const host of ['ambassador:9380', 'ambassador.shop.svc.cluster.local:9380']) {
      expect(await statusFor(host), host).to.equal(200)
    }
    const names = ['proxy1.prod.example:9380', 'ambassador.shop.svc:9380']
    for (const host of names) expect(await statusFor(host), host).to.equal(403)
    const adminHosts = 'proxy1.prod.example, *.svc'
    ambassador.reload(configFor([first, second], { ...flags, adminHosts }))
    for (const host of names) expect(await statusFor(host), host).to.equal(200)
    expect(await statusFor('evil.example')).to.equal(403)
  })

  it('keeps no connection open after its answer', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(portOf(ambassador.adminAddress), '127.0.0.1')
      let text = ''
      socket.on('data', (bytes) => {
        text += String(bytes)
      })
      socket.on('error', reject)
      socket.on('end', () => resolve(text))
      // No Host: a load balancer's probe.
      socket.write('GET /livez HTTP/1.1\r\n\r\n')
    })
    expect(answer).to.match(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).to.match(/connection: close/i)
  })

  it('closes the oldest connection for one more, so that probes get through', async () => {
    const port = portOf(ambassador.adminAddress)
    const sockets: Socket[] = []
    const open = async (): Promise<Socket> => {
      const socket = connect(port, '127.0.0.1').resume()
      await once(socket, 'connect')
      sockets.push(socket)
      return socket
    }
    const oldest = await open()
    for (let i = 1; i < ADMIN_CONNECTIONS_MAX; i++) await open()
    const closed = once(oldest, 'close')
    expect((await get('/livez')).status).to.equal(200)
    await closed
    // Whoever connects again and again keeps nobody out.
    for (let i = 0; i < 5; i++) {
      await open()
      expect((await get('/livez')).status).to.equal(200)
    }
    // Stopping does not wait for them.
    await ambassador.stop()
    for (const socket of sockets) socket.destroy()
  })

  it('row 85: answers all that ask at once, though they are more than may stay', async () => {
    const count = ADMIN_CONNECTIONS_BURST_MAX
    const answers = await Promise.all(Array.from({ length: count }, () => get('/livez')))
    expect(answers.map(({ status }) => status)).to.deep.equal(new Array(count).fill(200))
  })

  it('closes no stream of events for anybody', async () => {
    const port = portOf(ambassador.adminAddress)
    const streams: EventStream[] = []
    for (let i = 0; i < ADMIN_STREAMS_MAX; i++) streams.push(await EventStream.open(port))
    const idle = Array.from({ length: 2 * ADMIN_CONNECTIONS_MAX }, () => connect(port, '127.0.0.1'))
    await Promise.all(idle.map((socket) => once(socket.resume(), 'connect')))
    expect((await get('/livez')).status).to.equal(200)
    for (const stream of streams) {
      for (let i = 0; i < 2; i++) await stream.next('stats')
      await stream.close()
    }
    for (const socket of idle) socket.destroy()
  })

  it('heeds one request on a connection, however many come at once', async () => {
    let reloads = 0
    const steering = {
      reload: () => {
        reloads++
        return 'draining' as const
      },
      drain: () => {},
    }
    ambassador.steerBy(steering)
    const socket = connect(portOf(ambassador.adminAddress), '127.0.0.1')
    const parts: Buffer[] = []
    socket.on('data', (part) => parts.push(part))
    const closed = once(socket, 'close')
    socket.write('POST /reload HTTP/1.1\r\n\r\n'.repeat(500))
    await closed
    expect(String(Buffer.concat(parts)).match(/^HTTP\/1\.1 /gm)).to.have.length(1)
    expect(reloads).to.equal(1)
  })

  it('is not for pages of other origins, except by a link', async () => {
    const port = portOf(ambassador.adminAddress)
    const ask = async (path: string, site: string, mode: string, dest: string): Promise<number> => {
      const metadata = { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': dest }
      return (await http({ port, path, headers: metadata })).status
    }
    for (const path of ['/', '/stats', '/events', '/metrics', '/hotkeys', '/dashboard/main.js']) {
      // Another port of localhost is the same site.
      for (const site of ['cross-site', 'same-site']) {
        expect(await ask(path, site, 'no-cors', 'empty'), path).to.equal(403)
        expect(await ask(path, site, 'cors', 'script'), path).to.equal(403)
        expect(await ask(path, site, 'navigate', 'iframe'), path).to.equal(403)
      }
    }
    expect(await ask('/', 'cross-site', 'navigate', 'document')).to.equal(200)
    expect(await ask('/', 'none', 'navigate', 'document')).to.equal(200)
    expect(await ask('/stats', 'same-origin', 'cors', 'empty')).to.equal(200)
  })

  it('lets no page of another origin have any answer, nor any cache keep it', async () => {
    for (const path of ['/', '/stats', '/config', '/dashboard/main.js', '/nothing']) {
      const { headers } = await get(path)
      expect(headers, path).to.include({
        'cache-control': 'no-store',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
      })
      expect(Object.keys(headers).join(), path).not.to.match(/access-control/i)
      expect(headers['content-security-policy'], path).not.to.match(/unsafe|\*|data:|blob:|http/)
    }
  })

  it('refuses a request head that is too large', async () => {
    const { status } = await get(`/route?key=${'k'.repeat(ADMIN_HEADER_BYTES_MAX)}`)
    expect(status).to.equal(431)
  })

  it('follows a reload', async () => {
    ambassador.reload(configFor([first], flags))
    const { shards } = await getJson('/stats')
    expect(shards.map(({ name }: { name: string }) => name)).to.deep.equal(['a'])
    expect(shards[0].ringShare).to.equal(1)
  })

  it('gives an ejected shard no share of the ring', async () => {
    await ambassador.stop()
    const config = configFor([first, second], { ...flags, ejectShards: 'yes' })
    ambassador = await startAmbassador(config, SILENT)
    await readyzIs(200, 'ok\nshard a up\nshard b up\n')
    await second.kill()
    let shares: number[]
    do {
      const { shards } = await getJson('/stats')
      shares = shards.map(({ ringShare }: { ringShare: number }) => ringShare)
    } while (shares[1] !== 0)
    expect(shares[0]).to.be.closeTo(1, 1e-6)
  })

  it('is served on a unix socket as well', async () => {
    await ambassador.stop()
    const socketPath = join(temporaryFiles(), 'admin.sock')
    const config = configFor([first], { ...flags, adminListen: `unix:${socketPath}` })
    ambassador = await startAmbassador(config, SILENT)
    expect(ambassador.adminAddress).to.equal(socketPath)
    expect((await http({ socketPath, path: '/livez' })).status).to.equal(200)
  })

  it('is off when told so', async () => {
    await ambassador.stop()
    ambassador = await startAmbassador(configFor([first], { ...flags, adminListen: 'off' }), SILENT)
    expect(ambassador.adminAddress).to.equal(undefined)
  })

  it('rejects the start, and leaves nothing behind, when its address is in use', async () => {
    const occupant = createServer()
    const port = await new Promise<number>((resolve) => {
      occupant.listen(0, '127.0.0.1', () => {
        const address = occupant.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    const config = configFor([first], { ...flags, adminListen: `127.0.0.1:${port}` })
    const failed = await startAmbassador(config, SILENT).catch((error) => error)
    expect(failed).to.include({ code: 'EADDRINUSE', port })
    await new Promise((resolve) => occupant.close(resolve))
  })
})
