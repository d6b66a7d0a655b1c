/**
 * A pool that is mirrored, over real servers: what arrives at the mirror, and that a mirror which hangs, dies or
 * is full does nothing to clients.
 */
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import type { Config } from '../../lib/config/config.ts'
import { loadConfig } from '../../lib/config/sources/load.ts'
import { MIRROR_BYTES_MAX } from '../../lib/limits.ts'
import type { MirrorCounts } from '../../lib/stats/mirror/mirror-counts.ts'
import { AmbassadorUnderTest, configOfFile, SILENT } from '../support/ambassador.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { http } from '../support/http.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

const KEYS = 200

/** As /stats tells it. */
interface Told extends Omit<MirrorCounts, 'dropped' | 'skipped'> {
  readonly pool: string
  readonly mirror: string
  readonly dropped: Record<string, number>
  readonly skipped: Record<string, number>
  readonly shards: readonly { readonly name: string; readonly state: string }[]
}

function configOf(lines: readonly string[]): Config {
  return configOfFile(lines.join('\n'), { adminListen: '127.0.0.1:0', requestTimeoutMs: '1000' })
}

function listOf(servers: readonly RedisServer[]): string {
  return `[${servers.map(({ port }, at) => `s${at}=127.0.0.1:${port}`).join(', ')}]`
}

describe('a mirrored pool', () => {
  const ring: RedisServer[] = []
  const next: RedisServer[] = []
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  before(async () => {
    for (let i = 0; i < 3; i++) ring.push(await startRedis())
    for (let i = 0; i < 2; i++) next.push(await startRedis())
  })

  beforeEach(async () => {
    for (const { port } of [...ring, ...next]) {
      const direct = await connectRaw(port)
      await direct.request('FLUSHALL')
      await direct.request('SCRIPT', 'FLUSH')
      await direct.close()
    }
    await start('next')
  })

  afterEach(() => ambassador.stop())

  after(async () => {
    for (const server of [...ring, ...next]) await server.stop()
  })

  /** `mirror`: as the file has it. */
  function linesOf(mirror: string | undefined, target = `{ shards: ${listOf(next)} }`): string[] {
    return [
      `shards: ${listOf(ring)}`,
      ...(mirror === undefined ? [] : [`mirror: ${mirror}`, 'pools:', `  next: ${target}`]),
    ]
  }

  async function start(mirror: string, target?: string): Promise<void> {
    if (ambassador !== undefined) await ambassador.stop()
    const config = configOf(linesOf(mirror, target))
    ambassador = new AmbassadorUnderTest(await startAmbassador(config, SILENT))
    client = await ambassador.connect()
  }

  async function page(path: string): Promise<string> {
    return (await http({ port: ambassador.adminPort, path })).body
  }

  async function told(): Promise<Told> {
    const { mirrors } = JSON.parse(await page('/stats')) as { mirrors: readonly Told[] }
    return mirrors[0] as Told
  }

  async function mirrored(): Promise<Told> {
    await until(async () => (await told()).waiting === 0, 5)
    return told()
  }

  /** Every key of these servers with its value. */
  async function contentOf(servers: readonly RedisServer[]): Promise<ReadonlyMap<string, string>> {
    const content = new Map<string, string>()
    for (const { port } of servers) {
      const direct = await connectRaw(port)
      const keys = (await direct.request('KEYS', '*')).toString().split('\r\n')
      for (const key of keys.filter((line) => /^\w/.test(line))) {
        expect(content.has(key)).to.equal(false)
        content.set(key, (await direct.request('DUMP', key)).toString('latin1'))
      }
      await direct.close()
    }
    return content
  }

  async function writeAll(): Promise<Buffer[]> {
    const replies: Buffer[] = []
    for (let i = 0; i < KEYS; i++) replies.push(await client.request('SET', `key${i}`, `value${i}`))
    const pairs = Array.from({ length: KEYS }, (_, i) => [`many${i}`, `${i}`]).flat()
    replies.push(await client.request('MSET', ...pairs))
    replies.push(await client.request('DEL', ...pairs.filter((_, i) => i % 4 === 0)))
    for (let i = 0; i < 20; i++) replies.push(await client.request('RPUSH', `list${i % 5}`, `${i}`))
    replies.push(await client.request('EVAL', "return redis.call('INCR', KEYS[1])", '1', 'counter'))
    return replies
  }

  it('arrives at the mirror with each of its writes, each key where the mirror puts it', async () => {
    await writeAll()
    const { sent, errors, unanswered, dropped } = await mirrored()
    const { sent: _, ...wrong } = { sent, errors, unanswered, ...dropped }
    expect(wrong).to.deep.equal({ errors: 0, unanswered: 0, full: 0, away: 0 })
    expect(sent).to.be.greaterThan(KEYS)
    expect(await contentOf(next)).to.deep.equal(await contentOf(ring))
    expect((await contentOf(ring)).size).to.be.greaterThan(KEYS)
    for (const { port } of next) {
      const direct = await connectRaw(port)
      expect(await direct.request('DBSIZE')).not.to.deep.equal(Buffer.from(':0\r\n'))
      await direct.close()
    }
  })

  it('is told with the rehearsal, so that one page has what would be refused and what is answered', async () => {
    await ambassador.stop()
    const config = configOf([...linesOf('next'), 'whatIf: a=h1:1,b=h2:1'])
    ambassador = new AmbassadorUnderTest(await startAmbassador(config, SILENT))
    client = await ambassador.connect()
    const direct = await connectRaw(next[0]?.port ?? 0)
    await direct.request('SET', 'other', 'a string')
    const other = await connectRaw(next[1]?.port ?? 0)
    await other.request('SET', 'other', 'a string')
    await client.request('SET', 'key', 'value')
    // A list here, a string there.
    await client.request('RPUSH', 'other', 'element')
    await mirrored()
    const { mirrors } = JSON.parse(await page('/preflight'))
    const counts = { sent: 2, errors: 1, unanswered: 0, dropped: 0 }
    expect(mirrors).to.deep.equal([{ pool: 'default', mirror: 'next', ...counts }])
    const line =
      'mirror next of default: 2 copies sent, 1 answered with an error, 0 without a reply; 0 not sent\n'
    expect(await page('/preflight?text')).to.include(line)
    for (const each of [direct, other]) await each.close()
  })

  it('is one Redis without its mirror', async () => {
    await writeAll()
    await mirrored()
    const { size } = await contentOf(ring)
    expect(await client.request('DBSIZE')).to.deep.equal(Buffer.from(`:${size}\r\n`))
    await client.request('FLUSHALL')
    await mirrored()
    expect((await contentOf(next)).size).to.equal(0)
  })

  it('gives the mirror the scripts that it lacks', async () => {
    const body = "return redis.call('SET', KEYS[1], ARGV[1])"
    const reply = (await client.request('SCRIPT', 'LOAD', body)).toString()
    const sha = reply.split('\r\n')[1] as string
    await mirrored()
    for (const { port } of next) {
      const direct = await connectRaw(port)
      await direct.request('SCRIPT', 'FLUSH')
      await direct.close()
    }
    const config = configOf(linesOf(undefined))
    ambassador.reload(config)
    ambassador.reload(configOf(linesOf('next')))
    for (let i = 0; i < 20; i++) await client.request('EVALSHA', sha, '1', `key${i}`, 'x')
    expect((await mirrored()).errors).to.equal(0)
    expect(await contentOf(next)).to.deep.equal(await contentOf(ring))
  })

  it('is sent in part: writes only, a share of the requests, none', async () => {
    await start('{ pool: next, writesOnly: yes }')
    await client.request('SET', 'key', 'value')
    await client.request('GET', 'key')
    expect((await mirrored()).sent).to.equal(1)
    await start('{ pool: next, percent: 0 }')
    await client.request('SET', 'key', 'value')
    expect((await mirrored()).sent).to.equal(0)
    await start('{ pool: next, percent: 50 }')
    for (let i = 0; i < KEYS; i++) await client.request('SET', `key${i}`, 'value')
    expect((await mirrored()).sent).to.be.within(1, KEYS - 1)
  })

  it('counts what cannot be mirrored, by reason', async () => {
    await client.request('BLPOP', 'list', '0.01')
    await client.request('PUBLISH', 'channel', 'text')
    await client.request('EVAL', 'return 1', '0')
    await client.request('WATCH', 'key')
    await client.request('MULTI')
    await client.request('SET', 'key', 'value')
    await client.request('EXEC')
    await client.request('PING')
    const { sent, skipped } = await mirrored()
    expect(sent).to.equal(0)
    const none = { crossslot: 0, other: 0 }
    expect(skipped).to.deep.equal({ blocking: 1, pubsub: 1, script: 1, transaction: 1, ...none })
    expect((await contentOf(next)).size).to.equal(0)
  })

  it('mirrors nothing that was refused, and skips what the mirror would part', async () => {
    const lines = [
      `shards: ${listOf(ring.slice(0, 1))}`,
      'mirror: next',
      'pools:',
      `  next: { shards: ${listOf(next)} }`,
    ]
    ambassador.reload(configOf(lines))
    for (let i = 0; i < KEYS; i++) await client.request('MSETNX', `a${i}`, '1', `b${i}`, '1')
    const { sent, skipped } = await mirrored()
    expect(skipped['crossslot']).to.be.greaterThan(0)
    expect(sent + (skipped['crossslot'] ?? 0)).to.equal(KEYS)
    ambassador.reload(configOf(linesOf('next', `{ shards: ${listOf(next.slice(0, 1))} }`)))
    const replies: string[] = []
    for (let i = 0; i < KEYS; i++) {
      replies.push((await client.request('MSETNX', `c${i}`, '1', `d${i}`, '1')).toString())
    }
    const done = replies.filter((reply) => !reply.startsWith('-CROSSSLOT')).length
    expect((await mirrored()).sent - sent).to.equal(done)
  })

  it('counts the errors that the mirror answers', async () => {
    const direct = await connectRaw((next[0] as RedisServer).port)
    await start('next', `{ shards: ${listOf(next.slice(0, 1))} }`)
    await direct.request('SET', 'key', 'no list')
    expect((await client.request('RPUSH', 'key', 'x')).toString()).to.equal(':1\r\n')
    expect((await mirrored()).errors).to.equal(1)
    await direct.close()
  })

  it('shows its counts as metrics too', async () => {
    await client.request('SET', 'key', 'value')
    await mirrored()
    const text = await page('/metrics')
    expect(text).to.contain('ambassador_mirror_sent_total{pool="default",mirror="next"} 1')
    expect(text).to.contain('ambassador_mirror_shards_up{pool="default",mirror="next"} 2')
    expect(text).to.contain(
      'ambassador_mirror_dropped_total{pool="default",mirror="next",why="full"} 0',
    )
  })

  it('tells its clients too, by AMBASSADOR STATS', async () => {
    await client.request('SET', 'key', 'value')
    await mirrored()
    const stats = (await client.request('AMBASSADOR', 'STATS')).toString()
    expect(stats).to.contain('ambassador_mirror_sent\r\n:1\r\n')
  })

  it('is one of several: keys go to the mirror of their own pool, from everywhere', async () => {
    const [own] = ring as [RedisServer]
    const lines = [
      'listen: [127.0.0.1:0, queues@127.0.0.1:0]',
      'adminListen: 127.0.0.1:0',
      `shards: ${listOf(ring.slice(1))}`,
      'pools:',
      `  queues: { shards: ${listOf([own])}, mirror: next }`,
      `  next: { shards: ${listOf(next)} }`,
      'routes: [{ prefix: "q:", pool: queues }, { prefix: "q:pinned", pool: queues, shard: s0 }]',
      'databases: { 3: { pool: queues } }',
    ]
    await ambassador.stop()
    const config = loadConfig({
      env: { AMBASSADOR_CONFIG_INLINE: lines.join('\n') },
      flags: { environmentDirectory: '/nonexistent', namespaceFile: '/nonexistent' },
    })
    ambassador = new AmbassadorUnderTest(await startAmbassador(config, SILENT))
    client = await ambassador.connect()
    await client.request('MSET', 'a', '1', 'q:b', '2', 'c', '3', 'q:pinned', '4')
    const atPool = await ambassador.connect(2, ambassador.ports[1])
    await atPool.request('SET', 'd', '5')
    await mirrored()
    expect([...(await contentOf(next)).keys()].sort()).to.deep.equal(['d', 'q:b', 'q:pinned'])
    await client.request('SELECT', '3')
    await client.request('SET', 'e', '6')
    const { sent } = await mirrored()
    expect(sent).to.be.within(3, 4)
    const found: string[] = []
    for (const { port } of next) {
      const direct = await connectRaw(port)
      await direct.request('SELECT', '3')
      found.push(...(await direct.request('KEYS', '*')).toString().split('\r\n'))
      await direct.close()
    }
    expect(found).to.include('e')
  })

  it('is added and removed by a reload', async () => {
    ambassador.reload(configOf(linesOf(undefined)))
    await client.request('SET', 'before', 'x')
    expect(JSON.parse(await page('/stats')).mirrors).to.deep.equal([])
    ambassador.reload(configOf(linesOf('next')))
    await client.request('SET', 'with', 'x')
    await mirrored()
    ambassador.reload(configOf(linesOf(undefined)))
    await client.request('SET', 'behind', 'x')
    expect([...(await contentOf(next)).keys()]).to.deep.equal(['with'])
  })

  describe('whose mirror is in trouble', () => {
    const PROBE = 'x'.repeat(64 * 1024)
    let expected: Buffer[]

    before(async () => {
      await start('{ pool: next, percent: 0 }')
      expected = await writeAll()
    })

    beforeEach(() => start('next', `{ shards: ${listOf(next)}, requestTimeoutMs: 0 }`))

    it('row 107: answers its clients the same while the mirror hangs, and drops what is too much', async () => {
      await client.request('SET', 'first', 'x')
      await mirrored()
      for (const server of next) await server.kill('SIGSTOP')
      try {
        expect(await writeAll()).to.deep.equal(expected)
        const copies = (2 * MIRROR_BYTES_MAX) / PROBE.length
        for (let i = 0; i < copies; i++) {
          expect((await client.request('SET', `big${i}`, PROBE)).toString()).to.equal('+OK\r\n')
        }
        const { dropped, waitingBytes } = await told()
        expect(dropped['full']).to.be.greaterThan(0)
        expect(waitingBytes).to.be.within(1, MIRROR_BYTES_MAX)
        expect((await client.request('GET', 'big0')).length).to.be.greaterThan(PROBE.length)
      } finally {
        for (const server of next) await server.kill('SIGCONT')
      }
      await mirrored()
    })

    it('row 108: answers its clients the same while the mirror is dead', async () => {
      await client.request('SET', 'first', 'x')
      await mirrored()
      for (const server of next) await server.kill()
      try {
        expect(await writeAll()).to.deep.equal(expected)
        await until(async () => {
          await client.request('SET', 'key0', 'x')
          return ((await told()).dropped['away'] ?? 0) > 0
        })
        expect((await told()).shards.map(({ state }) => state)).to.deep.equal(['down', 'down'])
      } finally {
        for (const server of next) await server.restart()
      }
    })
  })
})

describe('a pool that a Redis Cluster mirrors', () => {
  let cluster: Cluster
  let server: RedisServer
  let ambassador: AmbassadorUnderTest

  before(async function () {
    this.timeout(120_000)
    server = await startRedis()
    cluster = await startCluster()
    const lines = [
      `shards: 127.0.0.1:${server.port}`,
      'mirror: next',
      'pools:',
      `  next: { shards: "redis+cluster://127.0.0.1:${(await cluster.masters())[0]?.port}" }`,
    ]
    ambassador = new AmbassadorUnderTest(await startAmbassador(configOf(lines), SILENT))
  })

  after(async () => {
    await ambassador.stop()
    await cluster.stop()
    await server.stop()
  })

  it('has each key at the owner of its slot', async () => {
    const client = await ambassador.connect()
    const sizes = async () => {
      let sum = 0
      for (const { port } of await cluster.masters()) {
        const direct = await connectRaw(port)
        sum += Number((await direct.request('DBSIZE')).toString().slice(1))
        await direct.close()
      }
      return sum
    }
    await until(async () => {
      await client.request('SET', 'first', 'x')
      return (await sizes()) === 1
    }, 20)
    const pairs = Array.from({ length: KEYS }, (_, i) => [`key${i}`, 'x']).flat()
    await client.request('MSET', ...pairs)
    await until(async () => (await sizes()) === KEYS + 1, 20)
  })
})
