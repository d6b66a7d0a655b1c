import { expect } from 'chai'
import HashRing from 'hashring'
import { DISTRIBUTIONS } from '../../../lib/config/values/types.ts'
import { buildContinuum } from '../../../lib/routing/placement/continuum.ts'
import { buildRing, type Ring, type Server } from '../../../lib/routing/placement/ring.ts'
import { createRandom, specSeed } from '../../support/random.ts'

function named(...names: readonly string[]): Server[] {
  return names.map((name) => ({ name, weight: 1 }))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** Hashes at which a look-up could be off by one: around every point, and both ends. */
function hashesAround(points: Uint32Array): number[] {
  const around = Array.from(points, (point) => [point - 1, point, point + 1]).flat()
  return [0, ...around, 0xffffffff].filter((hash) => hash >= 0 && hash <= 0xffffffff)
}

const EIGHT = named('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
const WEIGHTED = [3, 1, 2].map((weight, index) => ({ name: 'cab'.charAt(index), weight }))

describe('buildRing', () => {
  it('knows exactly the distributions that can be configured', () => {
    const shares = DISTRIBUTIONS.map((distribution) => buildRing(EIGHT, distribution).shares())
    for (const share of shares) expect(share).to.have.lengthOf(8)
  })

  it('refuses an empty pool', () => {
    expect(() => buildRing([], 'ketama')).to.throw('a ring needs a server')
  })

  it("orders servers by the length of their names, then bytewise, but answers in the caller's", () => {
    // In twemproxy's order: Z, b, €, aa. The euro sign is longer than `aa` in bytes.
    const servers = named('\u20ac', 'b', 'aa', 'Z')
    const ring = buildRing(servers, 'modula')
    expect([0, 1, 2, 3].map((hash) => ring.ownerOf(hash))).to.deep.equal([3, 1, 2, 0])
  })

  it('does not depend on the order in which servers are given', () => {
    const random = createRandom(specSeed())
    for (const distribution of ['ketama', 'modula'] as const) {
      const forwards = buildRing(EIGHT, distribution)
      const backwards = buildRing([...EIGHT].reverse(), distribution)
      for (let i = 0; i < 1000; i++) {
        const hash = random.integer(0, 2 ** 32)
        const mirrored = EIGHT.length - 1 - backwards.ownerOf(hash)
        expect(mirrored, `seed ${random.seed}`).to.equal(forwards.ownerOf(hash))
      }
    }
  })

  for (const distribution of DISTRIBUTIONS) {
    it(`with one server gives ${distribution} everything`, () => {
      const ring = buildRing(named('only'), distribution)
      for (const hash of [0, 1, 2 ** 31, 2 ** 32 - 1]) expect(ring.ownerOf(hash)).to.equal(0)
      expect(ring.shares()).to.deep.equal([1])
    })
  }
})

describe('ketama ring', () => {
  /** `value->server` of the first, second and last point; servers are given in twemproxy's order. */
  const vectors = [
    {
      servers: named('127.0.0.1:6380', '127.0.0.1:6381', '127.0.0.1:6382', '127.0.0.1:6383'),
      points: 640,
      ends: ['21667395->3', '23409604->0', '4293816005->2'],
    },
    {
      servers: named('server1', 'server2', 'server3', 'server4'),
      points: 640,
      ends: ['9796559->2', '10686546->1', '4290847573->3'],
    },
    {
      servers: [1, 2, 3].map((weight) => ({ name: ' abc'.charAt(weight), weight })),
      points: 480,
      ends: ['500562->2', '3747649->0', '4293088312->0'],
    },
  ]
  for (const { servers, points: count, ends } of vectors) {
    it(`has twemproxy's points for ${servers.map(({ name }) => name).join(', ')}`, () => {
      const ring = buildRing(servers, 'ketama')
      const { points } = buildContinuum(servers)
      const shown = [0, 1, count - 1].map((at) => {
        const point = points[at] as number
        return `${ring.pointOf(point)}->${ring.ownerOf(point)}`
      })
      expect(points).to.have.lengthOf(count)
      expect(shown).to.deep.equal(ends)
    })
  }

  it("finds what hashring's own search finds", () => {
    const random = createRandom(specSeed())
    const names = EIGHT.map(({ name }) => name)
    const theirs = new HashRing(names, 'md5') as HashRing & {
      ring: { value: number; server: string }[]
      find(hash: number): number
    }
    const ours = buildRing(EIGHT, 'ketama')
    for (let i = 0; i < 20_000; i++) {
      const hash = random.integer(0, 2 ** 32)
      const point = theirs.ring[theirs.find(hash)]
      expect(ours.pointOf(hash), `seed ${random.seed}`).to.equal(point?.value)
      expect(names[ours.ownerOf(hash)], `seed ${random.seed}`).to.equal(point?.server)
    }
  })

  for (const count of [2, 3, 8, 25, 64, 1024]) {
    it(`finds the first point not below a hash, at every edge of ${count} servers`, () => {
      const servers = named(...Array.from({ length: count }, (_, i) => `s${10_000 + i}`))
      const { points, owners } = buildContinuum(servers)
      const ring = buildRing(servers, 'ketama')
      let at = 0
      for (const hash of hashesAround(points).sort((left, right) => left - right)) {
        while (at < points.length && (points[at] as number) < hash) at++
        const expected = at % points.length
        if (ring.ownerOf(hash) !== owners[expected] || ring.pointOf(hash) !== points[expected]) {
          expect.fail(`hash ${hash} is not at point ${expected} of ${points.length}`)
        }
      }
      expect(at).to.equal(points.length)
    })
  }

  it('shares the hash space by arcs', () => {
    const shares = buildRing(named('server1', 'server2', 'server3', 'server4'), 'ketama').shares()
    expect(shares.map((share) => share.toFixed(3))).to.deep.equal([
      '0.246',
      '0.263',
      '0.252',
      '0.240',
    ])
    expect(sum(shares)).to.equal(1)
  })

  it('moves only the keys of the server that is taken away', () => {
    const random = createRandom(specSeed())
    const before = buildRing(EIGHT, 'ketama')
    const after = buildRing(EIGHT.slice(0, 7), 'ketama')
    for (let i = 0; i < 5000; i++) {
      const hash = random.integer(0, 2 ** 32)
      const owner = before.ownerOf(hash)
      if (owner < 7) expect(after.ownerOf(hash), `seed ${random.seed}`).to.equal(owner)
    }
  })
})

describe('modula ring', () => {
  const owners = (ring: Ring, hashes: readonly number[]): number[] =>
    hashes.map((hash) => ring.ownerOf(hash))

  it('gives every server as many slots as it weighs, in order', () => {
    const ring = buildRing(WEIGHTED, 'modula')
    expect(owners(ring, [0, 1, 2, 3, 4, 5, 6, 7])).to.deep.equal([1, 2, 2, 0, 0, 0, 1, 2])
    expect(ring.pointOf(2 ** 32 - 1)).to.equal(3)
    expect(ring.ownerOf(2 ** 32 - 1)).to.equal(0)
  })

  it('shares by weight', () => {
    expect(buildRing(WEIGHTED, 'modula').shares()).to.deep.equal([1 / 2, 1 / 6, 1 / 3])
  })
})

describe('random ring', () => {
  it('draws a server for every look-up, whatever the hash and the weights', () => {
    const draws = [0, 0.34, 0.67, 0.999]
    const ring = buildRing(WEIGHTED, 'random', () => draws.shift() as number)
    expect([7, 7, 7, 7].map((hash) => ring.ownerOf(hash))).to.deep.equal([0, 1, 2, 2])
    expect(ring.pointOf(7)).to.equal(undefined)
  })

  it('shares evenly', () => {
    expect(buildRing(WEIGHTED, 'random').shares()).to.deep.equal([1 / 3, 1 / 3, 1 / 3])
  })
})
