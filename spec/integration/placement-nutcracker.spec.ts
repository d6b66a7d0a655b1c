/**
 * Placement against its definition: the real nutcracker routes thousands of random keys, and every
 * one of them must arrive where lib/routing says.
 */
import { expect } from 'chai'
import { HASH_NAMES } from '../../lib/config/values/types.ts'
import { Placement, type PlacementOptions } from '../../lib/routing/placement/placement.ts'
import { type FakeRequest, type FakeShard, startFakeShard } from '../support/fake-shard.ts'
import { encodeRequest } from '../support/frames.ts'
import { type Nutcracker, startNutcracker } from '../support/nutcracker.ts'
import { freePort } from '../support/ports.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

/** A pool of nutcracker's; servers get addresses when they are known. */
interface Pool {
  readonly hash: PlacementOptions['hash']
  readonly distribution: PlacementOptions['distribution']
  readonly hashTag: string
  /** An empty name leaves nutcracker to make one of the address. */
  readonly servers: readonly { readonly name: string; readonly weight: number }[]
  /** More lines of the pool's configuration. */
  readonly settings: readonly string[]
}

const KEYS_PER_POOL = 1000

/** nutcracker hashes bytes through C's `char`, and it was compiled for this machine. */
const BYTE_SIGN = process.arch.startsWith('arm') ? 'unsigned' : 'signed'

function pool(changes: Partial<Pool>): Pool {
  return {
    hash: 'fnv1a_64',
    distribution: 'ketama',
    hashTag: '',
    servers: named(['alpha', 'beta', 'gamma', 'delta', 'epsilon']),
    settings: [],
    ...changes,
  }
}

function named(names: readonly string[], weightOf: (index: number) => number = () => 1) {
  return names.map((name, index) => ({ name, weight: weightOf(index) }))
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `redis-${index}`)
}

/** What keys are made of: ASCII, UTF-8, or any bytes; and what hash tags are made of. */
const ALPHABETS = [
  Array.from('abc:0123456789', (character) => Buffer.from(character)),
  Array.from('aé漢🔑:', (character) => Buffer.from(character)),
  Array.from({ length: 256 }, (_, byte) => Buffer.of(byte)),
]
const TAG_CHARACTERS = Array.from('{}$', (character) => Buffer.from(character))

/** 0 to 40 bytes, now and then up to 600; half of the keys have characters of hash tags in them. */
function randomKey(random: Random): Buffer {
  const alphabet = random.pick(ALPHABETS)
  const tagChance = random.pick([0, 0.25])
  const length = random.integer(0, random.next() < 0.03 ? 601 : 41)
  const characters = Array.from({ length }, () =>
    random.pick(random.next() < tagChance ? TAG_CHARACTERS : alphabet),
  )
  return Buffer.concat(characters).subarray(0, length)
}

function poolText(pool: Pool, index: number, listen: number, addresses: readonly string[]): string {
  const { hash, distribution, hashTag, servers, settings } = pool
  return [
    `pool${index}:`,
    `  listen: 127.0.0.1:${listen}`,
    '  redis: true',
    `  hash: ${hash}`,
    `  distribution: ${distribution}`,
    ...(hashTag === '' ? [] : [`  hash_tag: "${hashTag}"`]),
    ...settings.map((line) => `  ${line}`),
    '  servers:',
    ...servers.map(({ name, weight }, i) => `   - ${addresses[i]}:${weight} ${name}`.trimEnd()),
  ].join('\n')
}

function placementOf(pool: Pool, addresses: readonly string[]): Placement {
  const servers = pool.servers.map(({ name, weight }, index) => ({
    name: name === '' ? (addresses[index] as string) : name,
    weight,
  }))
  return new Placement({ ...pool, servers, byteSign: BYTE_SIGN })
}

describe('placement and the real nutcracker', () => {
  const random = createRandom(specSeed())
  const shards: FakeShard[] = []
  const addresses: string[] = []
  /** By request number, which each SET carries as its value: the shard it arrived at. */
  const arrivals: number[] = []
  const nutcrackers: Nutcracker[] = []

  before(async () => {
    for (let index = 0; index < 50; index++) {
      const arrive = ({ args }: FakeRequest): string => {
        arrivals[Number(args[2])] = index
        return '+OK\r\n'
      }
      const shard = await startFakeShard(arrive)
      shards.push(shard)
      addresses.push(`127.0.0.1:${shard.port}`)
    }
  })

  afterEach(async () => {
    for (const nutcracker of nutcrackers.splice(0)) await nutcracker.stop()
  })

  after(async () => {
    for (const shard of shards) await shard.stop()
  })

  /** Starts one nutcracker for all the pools; resolves with the port of each. */
  async function start(pools: readonly Pool[], servers = addresses): Promise<number[]> {
    const ports: number[] = []
    for (const _ of pools) ports.push(await freePort())
    const texts = pools.map((pool, index) => poolText(pool, index, ports[index] as number, servers))
    nutcrackers.push(await startNutcracker(`${texts.join('\n\n')}\n`))
    return ports
  }

  /** SETs the keys through nutcracker; resolves with the index of the server each arrived at. */
  async function land(port: number, keys: readonly Buffer[]): Promise<number[]> {
    const client = await connectRaw(port)
    arrivals.length = 0
    client.write(Buffer.concat(keys.map((key, id) => encodeRequest('SET', key, String(id)))))
    const replies = await client.replies(keys.length)
    await client.close()
    for (const reply of replies) expect(reply.toString('latin1')).to.equal('+OK\r\n')
    return arrivals.slice()
  }

  async function expectEqualPlacement(pools: readonly Pool[]): Promise<void> {
    const ports = await start(pools)
    for (const [index, pool] of pools.entries()) {
      const keys = Array.from({ length: KEYS_PER_POOL }, () => randomKey(random))
      const landed = await land(ports[index] as number, keys)
      const placed = placementOf(pool, addresses)
      const ours = keys.map((key) => placed.shardOf(key, 0, key.length))
      const { hash, distribution } = pool
      const where = `${hash} ${distribution} ${pool.servers.length} seed ${random.seed}`
      expect(landed, where).to.deep.equal(ours)
    }
  }

  function agrees(about: string, pools: readonly Pool[]): void {
    const keys = pools.length * KEYS_PER_POOL
    it(`agree on ${keys} keys over ${pools.length} pools: ${about}`, () =>
      expectEqualPlacement(pools))
  }

  agrees(
    'every hash with ketama and with modula',
    (['ketama', 'modula'] as const).flatMap((distribution) =>
      HASH_NAMES.map((hash) =>
        pool({ hash, distribution, servers: named(numbered(5), (i) => 1 + i) }),
      ),
    ),
  )

  const counts = [...Array.from({ length: 25 }, (_, index) => index + 1), 50]
  agrees(
    '1 to 25 and 50 equal servers',
    counts.map((count) => pool({ hash: 'murmur', servers: named(numbered(count)) })),
  )

  agrees(
    'servers named by their addresses',
    [2, 3, 7, 14, 28].map((count) => pool({ servers: named(new Array(count).fill('')) })),
  )

  const ratios = [
    [1, 1000],
    [100_000, 1],
    [1, 2, 3],
    [7, 5, 5, 3, 1, 1, 1],
    [10, 11, 12, 13, 14],
  ]
  agrees(
    'unequal weights',
    ratios.flatMap((weights) =>
      (['ketama', 'modula'] as const).map((distribution) => {
        const servers = named(numbered(weights.length), (index) => weights[index] as number)
        return pool({ hash: 'crc32a', distribution, servers })
      }),
    ),
  )

  agrees(
    'hash tags',
    ['{}', '$$', '}{', 'a:'].flatMap((hashTag) => [
      pool({ hashTag }),
      pool({ hashTag, hash: 'hsieh', distribution: 'modula' }),
    ]),
  )

  const awkward = ['zz', 'a', 'B', 'é', '10', '9', '__proto__', 'constructor', 'x:1', '{a}']
  agrees('awkward names', [
    pool({ hash: 'murmur', servers: named(awkward) }),
    pool({ hash: 'murmur', distribution: 'modula', servers: named(awkward) }),
    pool({ hash: 'murmur', servers: named(['n'.repeat(200), 'n'.repeat(268), 'n'.repeat(300)]) }),
  ])

  it('random uses every server, with every hash', async () => {
    const pools = HASH_NAMES.map((hash) => pool({ hash, distribution: 'random' }))
    const ports = await start(pools)
    for (const port of ports) {
      const keys = new Array<Buffer>(200).fill(Buffer.from('one key'))
      const landed = new Set(await land(port, keys))
      expect([...landed].sort()).to.deep.equal([0, 1, 2, 3, 4])
    }
  })

  it('agree on the keys of the servers that live once one is ejected', async () => {
    const dead = await freePort()
    const servers = [...addresses.slice(0, 2), `127.0.0.1:${dead}`, ...addresses.slice(3, 5)]
    const settings = [
      'auto_eject_hosts: true',
      'server_failure_limit: 1',
      'server_retry_timeout: 3600000',
    ]
    const whole = pool({
      hash: 'murmur',
      servers: named(numbered(5), (index) => 1 + index),
      settings,
    })
    const [port = 0] = await start([whole], servers)
    const all = placementOf(whole, servers)
    const keys = Array.from({ length: KEYS_PER_POOL }, () => randomKey(random))
    const lost = keys.find((key) => all.shardOf(key, 0, key.length) === 2) as Buffer

    const client = await connectRaw(port)
    const refused = await client.request('SET', lost, '0')
    expect(refused.toString('latin1')).to.equal('-ERR Connection refused\r\n')
    await client.close()

    const live = [0, 1, 3, 4]
    const remaining = {
      ...whole,
      servers: live.map((index) => whole.servers[index] as Pool['servers'][0]),
    }
    const placed = placementOf(remaining, servers)
    const ours = keys.map((key) => live[placed.shardOf(key, 0, key.length)])
    expect(await land(port, keys), `seed ${random.seed}`).to.deep.equal(ours)
  })

  it('agree when the servers are real: each of 2000 keys is on the Redis where we look for it', async () => {
    const redises: RedisServer[] = []
    for (let index = 0; index < 3; index++) redises.push(await startRedis())
    const servers = redises.map(({ port }) => `127.0.0.1:${port}`)
    const real = pool({ hashTag: '{}', servers: named(['', 'b', '']) })
    const [port = 0] = await start([real], servers)
    const placed = placementOf(real, servers)
    const keys = Array.from({ length: 2000 }, () => randomKey(random))

    const client = await connectRaw(port)
    for (const key of keys) client.write(encodeRequest('SET', key, key))
    await client.replies(keys.length)
    await client.close()
    const clients = await Promise.all(redises.map((redis) => connectRaw(redis.port)))
    for (const key of keys) {
      const shard = clients[placed.shardOf(key, 0, key.length)]
      const found = await shard?.request('EXISTS', key)
      expect(found?.toString('latin1'), `seed ${random.seed}`).to.equal(':1\r\n')
    }
    for (const client of clients) await client.close()
    for (const redis of redises) await redis.stop()
  })
})
