import { expect } from 'chai'
import type { HashName } from '../../../lib/routing/placement/key-hash.ts'
import {
  crowdsOneShard,
  Placement,
  type PlacementOptions,
} from '../../../lib/routing/placement/placement.ts'
import type { Server } from '../../../lib/routing/placement/ring.ts'

function servers(text: string): Server[] {
  return text.split(' ').map((server) => {
    const [name = '', weight = '1'] = server.split('*')
    return { name, weight: Number(weight) }
  })
}

function placement(options: Partial<PlacementOptions>): Placement {
  return new Placement({
    servers: servers('server1 server2 server3 server4'),
    hash: 'fnv1a_64',
    distribution: 'ketama',
    hashTag: '',
    byteSign: 'signed',
    ...options,
  })
}

function shardOf(placed: Placement, key: string | Uint8Array): number {
  const bytes = Buffer.from(key)
  return placed.shardOf(bytes, 0, bytes.length)
}

/** Shards of key:0, key:1 ... as a string of digits, as placement vectors are written. */
function digits(placed: Placement, count: number): string {
  return Array.from({ length: count }, (_, i) => shardOf(placed, `key:${i}`)).join('')
}

function counts(placed: Placement, count: number): number[] {
  const found = new Array<number>(placed.placeCount).fill(0)
  for (const digit of digits(placed, count)) found[Number(digit)] = (found[Number(digit)] ?? 0) + 1
  return found
}

describe('Placement', () => {
  const BY_ADDRESS = '127.0.0.1:6380 127.0.0.1:6381 127.0.0.1:6382 127.0.0.1:6383'
  const BY_NAME = 'server1 server2 server3 server4'
  // biome-ignore format: a table.
  const vectors = [
    ['ketama', BY_ADDRESS, `${'2'.repeat(10)}${'0'.repeat(22)}`, [2460, 2280, 2530, 2730]],
    ['ketama', BY_NAME, `${'2'.repeat(10)}${'1'.repeat(22)}`, [2468, 2180, 3390, 1962]],
    ['ketama', 'a*1 b*2 c*3', '2'.repeat(32), [2050, 3370, 4580]],
    ['modula', BY_NAME, '21032103213012301230032103210312', [2500, 2500, 2500, 2500]],
    ['modula', 'a*1 b*2 c*3', '12121212122020202020020202020220', [795, 4205, 5000]],
  ] as const
  for (const [distribution, pool, first, all] of vectors) {
    it(`places key:0 to key:9999 over ${pool} with ${distribution} as twemproxy does`, () => {
      const placed = placement({ servers: servers(pool), distribution })
      expect(digits(placed, 32)).to.equal(first)
      expect(counts(placed, 10_000)).to.deep.equal(all)
    })
  }

  it('hashes the tag in place of the key when tags are on', () => {
    const tagged = placement({ hashTag: '{}' })
    const plain = placement({})
    for (let i = 0; i < 100; i++) {
      expect(shardOf(tagged, `user:{key:${i}}:name`)).to.equal(shardOf(plain, `key:${i}`))
    }
  })

  it('reads the key where it lies in a larger buffer', () => {
    const placed = placement({ hashTag: '{}' })
    const bytes = Buffer.from('{a}key:7{b}')
    expect(placed.shardOf(bytes, 3, 8)).to.equal(shardOf(placed, 'key:7'))
  })

  it('follows the sign of bytes', () => {
    const point = (byteSign: PlacementOptions['byteSign']): number | undefined =>
      placement({ byteSign }).explain(Buffer.from('café')).hash
    expect([point('signed'), point('unsigned')]).to.deep.equal([3472276361, 3483635081])
  })

  it('counts the empty key as hash 0 with every hash', () => {
    const hashes: HashName[] = ['fnv1a_64', 'md5', 'jenkins', 'crc32a']
    for (const hash of hashes) {
      const placed = placement({ hash, hashTag: '{}' })
      expect(placed.explain(Buffer.alloc(0)).hash, hash).to.equal(0)
      // The owner of the first point of this ring.
      expect(shardOf(placed, ''), hash).to.equal(2)
    }
  })

  it('takes names of object members, bytes that are no text, and 20 KB as keys like any other', () => {
    const placed = placement({ hash: 'crc32a', distribution: 'modula' })
    const keys = ['__proto__', 'constructor', Buffer.of(0, 0xff, 0x80), Buffer.alloc(20_000, 'x')]
    // Their CRC-32 (zlib) modulo 4.
    expect(keys.map((key) => shardOf(placed, key))).to.deep.equal([2, 1, 0, 3])
    expect(Object.keys(Object.prototype)).to.deep.equal([])
  })

  describe('explain', () => {
    it('tells the hashed part, the hash, the point and the shard with ketama', () => {
      const placed = placement({ hashTag: '{}' })
      const { point, ...explained } = placed.explain(Buffer.from('user:{key:0}'))
      expect(explained).to.deep.equal({
        shard: 2,
        hashedStart: 6,
        hashedEnd: 11,
        hash: placement({}).explain(Buffer.from('key:0')).hash,
      })
      expect(point)
        .to.be.a('number')
        .that.is.at.least(explained.hash as number)
    })

    it('tells the slot with modula', () => {
      const placed = placement({ servers: servers('a*1 b*2 c*3'), distribution: 'modula' })
      expect(placed.explain(Buffer.from('apple'))).to.deep.equal({
        shard: 2,
        hashedStart: 0,
        hashedEnd: 5,
        hash: 1488911807,
        point: 1488911807 % 6,
      })
    })

    it('names no shard with random', () => {
      const explained = placement({ distribution: 'random' }).explain(Buffer.from('apple'))
      expect(explained).to.include({ shard: undefined, hash: 1488911807, point: undefined })
    })

    it('tells the hash by which a key is known, and no point, when there is one shard', () => {
      for (const distribution of ['ketama', 'modula', 'random'] as const) {
        const one = placement({ servers: servers('only'), distribution })
        const explained = one.explain(Buffer.from('apple'))
        expect(explained).to.include({ shard: 0, hash: 1488911807, point: undefined })
        expect(shardOf(one, 'apple')).to.equal(0)
      }
    })
  })

  it('draws with random from the source it is given', () => {
    const draws = [0.99, 0.5, 0]
    const placed = placement({ distribution: 'random', random: () => draws.shift() as number })
    expect(digits(placed, 3)).to.equal('320')
  })

  it("passes on the ring's shares", () => {
    const pool = { servers: servers('a*1 b*3'), distribution: 'modula' } as const
    expect(placement(pool).shares()).to.deep.equal([0.25, 0.75])
  })
})

describe('crowdsOneShard', () => {
  it('is the truth about crc32 with ketama', () => {
    const crowded = placement({ hash: 'crc32' })
    const used = counts(crowded, 10_000).filter((count) => count > 0)
    expect(used).to.deep.equal([10_000])
    expect(crowdsOneShard('crc32', 'ketama')).to.equal(true)
  })

  it('is not true of any neighbour', () => {
    expect(crowdsOneShard('crc32', 'modula')).to.equal(false)
    expect(crowdsOneShard('crc32a', 'ketama')).to.equal(false)
    const even = counts(placement({ hash: 'crc32', distribution: 'modula' }), 10_000)
    expect(Math.min(...even)).to.be.above(1000)
  })
})
