/** Addresses that lead to one pool each, over real servers: each pool is a Redis of its own there. */
import { once } from 'node:events'
import tls from 'node:tls'
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import type { Config } from '../../lib/config/config.ts'
import { loadConfig } from '../../lib/config/sources/load.ts'
import { ConfigError } from '../../lib/errors.ts'
import { AmbassadorUnderTest, SILENT } from '../support/ambassador.ts'
import { Authority, pem } from '../support/certificates.ts'
import { encodeRequest } from '../support/frames.ts'
import { startNutcracker } from '../support/nutcracker.ts'
import { freePort } from '../support/ports.ts'
import { createRandom, specSeed } from '../support/random.ts'
import { connectRaw, RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const KEYS_PER_POOL = Number(process.env['SPEC_LISTENER_KEYS'] ?? 2000)

function configOf(flags: Readonly<Record<string, string>>): Config {
  return loadConfig({
    env: {},
    flags: {
      environmentDirectory: '/nonexistent',
      namespaceFile: '/nonexistent',
      adminListen: 'off',
      ...flags,
    },
  })
}

describe('addresses that lead to one pool', () => {
  const ring: RedisServer[] = []
  let queues: RedisServer
  let text: string
  let ambassador: AmbassadorUnderTest
  /** To all pools, to the pool default alone, to the pool queues alone. */
  let whole: RawClient
  let rest: RawClient
  let own: RawClient

  before(async () => {
    for (let i = 0; i < 2; i++) ring.push(await startRedis())
    queues = await startRedis()
    text = [
      'listen:',
      '  - 127.0.0.1:0',
      '  - default@127.0.0.1:0',
      '  - { address: 127.0.0.1:0, pool: queues }',
      `shards: [${ring.map(({ port }, index) => `s${index}=127.0.0.1:${port}`).join(', ')}]`,
      'pools:',
      `  queues: { shards: 127.0.0.1:${queues.port}, clientPassword: hunter2 }`,
      'routes:',
      '  - { prefix: "bull:", pool: queues }',
      '  - { prefix: "celery", shard: s1 }',
    ].join('\n')
  })

  beforeEach(async () => {
    const config = configOf({ configInline: text })
    ambassador = new AmbassadorUnderTest(await startAmbassador(config, SILENT))
    const [first, second, third] = ambassador.ports
    whole = await ambassador.connect(2, first)
    rest = await ambassador.connect(2, second)
    own = await ambassador.connect(2, third)
    await whole.request('FLUSHALL')
    await own.request('AUTH', 'hunter2')
  })

  afterEach(() => ambassador.stop())

  after(async () => {
    for (const server of [...ring, queues]) await server.stop()
  })

  async function ask(client: RawClient, ...args: string[]): Promise<string> {
    return String(await client.request(...args))
  }

  it('have its keys, whatever the routes say of other pools', async () => {
    await whole.request('SET', 'bull:1', 'routed')
    await rest.request('SET', 'bull:1', 'on the ring')
    expect(await ask(own, 'GET', 'bull:1')).to.equal('$6\r\nrouted\r\n')
    expect(await ask(whole, 'GET', 'bull:1')).to.equal('$6\r\nrouted\r\n')
    expect(await ask(rest, 'GET', 'bull:1')).to.equal('$11\r\non the ring\r\n')
    await rest.request('SET', 'celery', 'q')
    const shard = await connectRaw(ring[1]?.port ?? 0)
    expect(await ask(shard, 'GET', 'celery')).to.equal('$1\r\nq\r\n')
    await shard.close()
  })

  it('count, list and flush what is in it, and nothing else', async () => {
    for (let i = 0; i < 20; i++) await rest.request('SET', `k${i}`, 'v')
    await own.request('MSET', 'a', '1', 'b', '2', 'c', '3')
    expect(await ask(whole, 'DBSIZE')).to.equal(':23\r\n')
    expect(await ask(rest, 'DBSIZE')).to.equal(':20\r\n')
    expect(await ask(own, 'DBSIZE')).to.equal(':3\r\n')
    expect(await ask(own, 'KEYS', '*')).to.match(/^\*3\r\n/)
    expect(await ask(own, 'FLUSHALL')).to.equal('+OK\r\n')
    expect(await ask(whole, 'DBSIZE')).to.equal(':20\r\n')
  })

  it('take transactions and scripts over any keys where the pool is one server', async () => {
    const requests = [['MULTI'], ['INCR', 'one'], ['INCR', 'two'], ['EXEC']]
    own.write(Buffer.concat(requests.map((args) => encodeRequest(...args))))
    expect((await own.replies(4)).map(String).at(-1)).to.equal('*2\r\n:1\r\n:1\r\n')
    const script = "return redis.call('GET', 'one') .. redis.call('GET', 'two')"
    expect(await ask(own, 'EVAL', script, '0')).to.equal('$2\r\n11\r\n')
  })

  it('have channels of their own', async () => {
    await own.request('SUBSCRIBE', 'news')
    await rest.request('SUBSCRIBE', 'news')
    const publisher = await ambassador.connect(2, ambassador.ports[2])
    await publisher.request('AUTH', 'hunter2')
    expect(await ask(publisher, 'PUBLISH', 'news', 'ours')).to.equal(':1\r\n')
    expect(String(await own.reply())).to.match(/ours/)
    const other = await ambassador.connect(2, ambassador.ports[1])
    expect(await ask(other, 'PUBLISH', 'news', 'theirs')).to.equal(':1\r\n')
    expect(String(await rest.reply())).to.match(/theirs/)
  })

  it('show and end clients of their own', async () => {
    await whole.request('CLIENT', 'SETNAME', 'first')
    expect(await ask(own, 'CLIENT', 'LIST')).not.to.match(/name=first/)
    expect(await ask(rest, 'INFO', 'clients')).to.match(/connected_clients:1\r\n/)
    const id = String(await whole.request('CLIENT', 'ID')).slice(1, -2)
    expect(await ask(own, 'CLIENT', 'KILL', 'ID', id)).to.equal(':0\r\n')
    expect(await ask(whole, 'PING')).to.equal('+PONG\r\n')
    expect(await ask(rest, 'INFO', 'server')).to.match(
      new RegExp(`tcp_port:${ambassador.ports[1]}\\r\\n`),
    )
  })

  it('ask for the password of the pool', async () => {
    const stranger = await ambassador.connect(2, ambassador.ports[2])
    expect(await ask(stranger, 'PING')).to.match(/^-NOAUTH /)
    expect(await ask(stranger, 'AUTH', 'hunter3')).to.match(/^-WRONGPASS /)
    expect(await ask(rest, 'PING')).to.equal('+PONG\r\n')
  })

  it('may take TLS, for several pools with one certificate', async () => {
    const authority = new Authority()
    const { cert, key } = authority.issue('DNS:localhost,IP:127.0.0.1')
    const listen = 'queues@tls://127.0.0.1:0,default@tls://127.0.0.1:0'
    const config = configOf({ configInline: text, listen, tlsCert: cert, tlsKey: key })
    const secure = new AmbassadorUnderTest(await startAmbassador(config, SILENT))
    await whole.request('SET', 'bull:1', 'routed')
    const replies: string[] = []
    for (const port of secure.ports) {
      const socket = tls.connect({ host: '127.0.0.1', port, ca: pem(authority.cert) })
      const client = new RawClient(socket)
      await once(socket, 'secureConnect')
      if (port === secure.ports[0]) await client.request('AUTH', 'hunter2')
      replies.push(await ask(client, 'GET', 'bull:1'))
      await client.close()
    }
    await secure.stop()
    expect(replies).to.deep.equal(['$6\r\nrouted\r\n', '$-1\r\n'])
  })

  it('lead to the same pools after a reload, of which none may be gone', async () => {
    await own.request('SET', 'x', '1')
    ambassador.reload(configOf({ configInline: text.replace('celery', 'rq:') }))
    expect(await ask(own, 'GET', 'x')).to.equal('$1\r\n1\r\n')
    const without = configOf({ listen: '127.0.0.1:0', shards: `127.0.0.1:${queues.port}` })
    expect(() => ambassador.reload(without))
      .to.throw(ConfigError)
      .with.property('problems')
      .that.deep.equals(['an address leads to the pool queues, which can go only with a restart'])
    expect(await ask(own, 'GET', 'x')).to.equal('$1\r\n1\r\n')
  })
})

describe('nutcracker.yml with three pools', () => {
  const servers: RedisServer[] = []

  before(async () => {
    for (let i = 0; i < 5; i++) servers.push(await startRedis())
  })

  after(async () => {
    for (const server of servers) await server.stop()
  })

  /** `portOf`: where each pool listens. */
  function textOf(portOf: (pool: string) => number): string {
    const list = (weightOf: (index: number) => number, nameOf: (index: number) => string) =>
      servers.map(({ port }, i) => `   - 127.0.0.1:${port}:${weightOf(i)}${nameOf(i)}`)
    const pools: Record<string, string[]> = {
      alpha: [
        'hash: fnv1a_64',
        'servers:',
        ...list(
          () => 1,
          (i) => ` server${i}`,
        ),
      ],
      beta: [
        'hash: murmur',
        'hash_tag: "{}"',
        'servers:',
        ...list(
          (i) => i + 1,
          () => '',
        ),
      ],
      gamma: [
        'hash: crc32a',
        'distribution: modula',
        'servers:',
        ...list(
          () => 1,
          () => '',
        ),
      ],
    }
    return Object.entries(pools)
      .map(([name, lines]) => {
        const body = [`listen: 127.0.0.1:${portOf(name)}`, 'redis: true', ...lines]
        return `${name}:\n${body.map((line) => `  ${line}\n`).join('')}`
      })
      .join('\n')
  }

  async function portsOfPools(): Promise<ReadonlyMap<string, number>> {
    const ports = new Map<string, number>()
    for (const name of ['alpha', 'beta', 'gamma']) ports.set(name, await freePort())
    return ports
  }

  it(`has each of ${KEYS_PER_POOL} keys of each pool where nutcracker puts it`, async () => {
    const random = createRandom(specSeed())
    const [theirs, ours] = [await portsOfPools(), await portsOfPools()]
    const nutcracker = await startNutcracker(textOf((pool) => theirs.get(pool) as number))
    const directory = temporaryFiles({ 'n.yml': textOf((pool) => ours.get(pool) as number) })
    const config = configOf({ config: `${directory}/n.yml` })
    const ambassador = new AmbassadorUnderTest(await startAmbassador(config, SILENT))
    expect(ambassador.ports).to.deep.equal([...ours.values()])
    let differences = 0
    try {
      for (const [pool, port] of theirs) {
        const keys = Array.from({ length: KEYS_PER_POOL }, (_, index) => {
          const tag = random.next() < 0.3 ? `{${random.integer(0, 50)}}` : ''
          return Buffer.concat([Buffer.from(`${tag}${pool}${index}`), random.bytes(8)])
        })
        const writer = await connectRaw(port)
        writer.write(Buffer.concat(keys.map((key) => encodeRequest('SET', key, key))))
        await writer.replies(keys.length)
        await writer.close()
        const reader = await ambassador.connect(2, ours.get(pool))
        reader.write(Buffer.concat(keys.map((key) => encodeRequest('GET', key))))
        const replies = await reader.replies(keys.length)
        differences += replies.filter((reply, at) => !reply.includes(keys[at] as Buffer)).length
      }
    } finally {
      await ambassador.stop()
      await nutcracker.stop()
    }
    expect(differences, `seed ${random.seed}`).to.equal(0)
  })

  it('is served as one pool when one is chosen', async () => {
    const ports = await portsOfPools()
    const directory = temporaryFiles({ 'n.yml': textOf((pool) => ports.get(pool) as number) })
    const { edge, pools } = configOf({ config: `${directory}/n.yml`, pool: 'beta' })
    expect(edge.listen).to.deep.equal([{ host: '127.0.0.1', port: ports.get('beta') }])
    expect(pools).to.have.lengthOf(1)
    expect(pools[0]).to.include({ name: 'default', hash: 'murmur' })
  })
})
