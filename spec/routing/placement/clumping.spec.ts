/** Runs of keys with ascending numbers: that the default hash spreads them, and that clumping is seen. */
import { expect } from 'chai'
import { optionOf } from '../../../lib/config/schema.ts'
import { HASH_NAMES } from '../../../lib/config/values/types.ts'
import { clumpOf, excess, fullestRun } from '../../../lib/routing/placement/clumping.ts'
import { type HashName, hashMax } from '../../../lib/routing/placement/key-hash.ts'
import { Placement, type PlacementOptions } from '../../../lib/routing/placement/placement.ts'

const SHARD_COUNTS = [3, 4, 8]

/** How people name their shards. */
const NAMINGS: readonly ((index: number) => string)[] = [
  (index) => String.fromCharCode('a'.charCodeAt(0) + index),
  (index) => `redis-${index}`,
  (index) => `10.0.0.${index + 1}:6379`,
  (index) => `cache${index + 1}`,
]

function placement(options: Partial<PlacementOptions> = {}, shards = 4): Placement {
  return new Placement({
    servers: named(NAMINGS[1] as (index: number) => string, shards),
    hash: 'murmur',
    distribution: 'ketama',
    hashTag: '',
    byteSign: 'signed',
    ...options,
  })
}

function named(naming: (index: number) => string, count: number) {
  return Array.from({ length: count }, (_, index) => ({ name: naming(index), weight: 1 }))
}

describe('the default hash', () => {
  const hash = optionOf('hash').default as HashName

  for (const shards of SHARD_COUNTS) {
    it(`gives the fullest of ${shards} shards at most 1.6 times its share of 1,000 numbers`, () => {
      for (const naming of NAMINGS) {
        for (const prefix of ['user:', 'order:', 'session:', 'cart:item:', 'k']) {
          for (const first of [1, 1000, 100_200, 5_000_000]) {
            const placed = placement({ servers: named(naming, shards), hash })
            const counts = new Array<number>(shards).fill(0)
            for (let number = first; number < first + 1000; number++) {
              const key = Buffer.from(`${prefix}${number}`)
              const shard = placed.shardOf(key, 0, key.length)
              counts[shard] = (counts[shard] as number) + 1
            }
            const most = Math.max(...counts) / (1000 / shards)
            expect(most, `${prefix}${first} on ${naming(0)} ...`).to.be.at.most(1.6)
          }
        }
      }
    })
  }

  it('reads bytes beyond ASCII alike on all machines', () => {
    const [signed, unsigned] = [
      placement({ hash }),
      placement({ hash, byteSign: 'unsigned' }),
    ] as const
    for (let i = 0; i < 500; i++) {
      const key = Buffer.from(`größe:${i}`)
      const [one, other] = [signed, unsigned].map((each) => each.hashOf(key, 0, key.length))
      expect(one).to.equal(other)
    }
    expect(hashMax(hash)).to.equal(2 ** 32 - 1)
  })
})

describe('clumpOf', () => {
  it('sees which of the twelve keep neighbours together with ketama', () => {
    const clumping = HASH_NAMES.filter((hash) => clumpOf(placement({ hash }, 8)) !== undefined)
    expect(clumping).to.deep.equal(['crc16', 'crc32', 'fnv1_64', 'fnv1a_64', 'fnv1_32'])
  })

  it('goes by the ring, not by the name: fnv1a_64 is even over four slots of modula, not over three', () => {
    const modula = { hash: 'fnv1a_64', distribution: 'modula' } as const
    expect(clumpOf(placement(modula, 4))).to.equal(undefined)
    const clump = clumpOf(placement(modula, 3))
    expect(clump?.held).to.be.above(0.9)
    expect(clump?.due).to.be.closeTo(1 / 3, 1e-9)
  })

  it('compares with what each shard owns, so that weights are no clumps', () => {
    const servers = [
      { name: 'small', weight: 1 },
      { name: 'large', weight: 30 },
    ]
    expect(clumpOf(placement({ servers }))).to.equal(undefined)
  })

  it('takes chance for no clump, however many shards there are', () => {
    for (const shards of [2, 16, 64, 256]) {
      expect(clumpOf(placement({}, shards)), `${shards} shards`).to.equal(undefined)
    }
  })

  it('says nothing where keys decide nothing', () => {
    expect(fullestRun(placement({ hash: 'crc32' }, 1))).to.equal(undefined)
    expect(fullestRun(placement({ hash: 'crc32', distribution: 'random' }))).to.equal(undefined)
  })

  it('names the run and the shard', () => {
    const placed = placement({ hash: 'crc32' })
    const clump = clumpOf(placed)
    expect(clump).to.include({ held: 1 })
    expect(clump?.from).to.match(/^user:1$/)
    expect(clump?.to).to.equal('user:1000')
    expect(clump?.due).to.equal(placed.shares()[clump?.shard ?? -1])
    if (clump !== undefined) expect(excess(clump)).to.be.above(3)
  })
})
