import { createHash } from 'node:crypto'
import { expect } from 'chai'
import HashRing from 'hashring'
import {
  buildContinuum,
  digestCounts,
  type Server,
} from '../../../lib/routing/placement/continuum.ts'
import { createRandom, type Random, specSeed } from '../../support/random.ts'

function equalServers(count: number): Server[] {
  return Array.from({ length: count }, (_, index) => ({ name: `server${index}`, weight: 1 }))
}

function randomServers(random: Random): Server[] {
  const heaviest = random.pick([1, 3, 100, 100_000])
  return equalServers(random.integer(1, 20)).map(({ name }) => ({
    name: `10.0.0.${random.integer(0, 256)}:6379 ${name}`,
    weight: random.integer(1, heaviest + 1),
  }))
}

/** The definition without the package: all points as [value, index], sorted by value. */
function pointsByDefinition(servers: readonly Server[]): [number, number][] {
  const points: [number, number][] = []
  for (const [index, count] of digestCounts(servers).entries()) {
    for (let i = 0; i < count; i++) {
      const text = Buffer.from(`${servers[index]?.name}-${i}`).subarray(0, 272)
      const digest = createHash('md5').update(text).digest()
      for (const at of [0, 4, 8, 12]) points.push([digest.readUInt32LE(at), index])
    }
  }
  return points.sort(([left], [right]) => left - right)
}

function pointsOf(servers: readonly Server[]): [number, number][] {
  const { points, owners } = buildContinuum(servers)
  return Array.from(points, (point, at) => [point, owners[at] as number])
}

describe('digestCounts', () => {
  it('gives equal servers 40 digests, save where float32 falls short', () => {
    const short: number[] = []
    for (let count = 1; count <= 1000; count++) {
      const counts = new Set(digestCounts(equalServers(count)))
      if (!counts.has(40)) short.push(count)
      expect([...counts], `${count} servers`).to.deep.equal([counts.has(40) ? 40 : 39])
    }
    expect(short).to.have.lengthOf(103)
    // biome-ignore format: a table.
    expect(short.slice(0, 21)).to.deep.equal([
      25, 47, 50, 55, 61, 71, 94, 100, 107, 109, 110, 115, 122, 142, 159, 163, 188, 193, 200, 209, 214,
    ])
  })

  it('divides by weight', () => {
    const weights = [1, 2, 3].map((weight) => ({ name: String(weight), weight }))
    expect(digestCounts(weights)).to.deep.equal([20, 40, 60])
  })

  it('may leave a very light server with none', () => {
    const unequal = [1000, 1].map((weight) => ({ name: String(weight), weight }))
    expect(digestCounts(unequal)).to.deep.equal([79, 0])
  })
})

describe('buildContinuum', () => {
  it('makes four points of a digest, little-endian', () => {
    const { points } = buildContinuum([{ name: 'server1', weight: 1 }])
    expect([...points])
      .to.include(3853726576)
      .and.to.include(2667054752)
  })

  it('follows the definition over random pools', () => {
    const random = createRandom(specSeed())
    for (let pool = 0; pool < 50; pool++) {
      const servers = randomServers(random)
      expect(pointsOf(servers), `seed ${random.seed}`).to.deep.equal(pointsByDefinition(servers))
    }
  })

  it("is hashring's own continuum once hashring has our counts", () => {
    const servers = equalServers(7)
    const counts = digestCounts(servers)
    const vnodes = servers.map(({ name }, index) => [name, { vnodes: counts[index] as number }])
    const { ring } = new HashRing(Object.fromEntries(vnodes), 'md5', {
      'vnode count': -1,
    }) as HashRing & { ring: { value: number; server: string }[] }
    const { points, owners } = buildContinuum(servers)
    expect([...points]).to.deep.equal(ring.map((point) => point.value))
    expect(Array.from(owners, (owner) => servers[owner]?.name)).to.deep.equal(
      ring.map((point) => point.server),
    )
  })

  it('takes names that are no address, no identifier, or poison as keys of a plain object', () => {
    const names = [
      '__proto__',
      'constructor',
      'toString',
      '1',
      '0',
      '[::1]:6379',
      'a-b-3',
      'ö ',
      '',
    ]
    const servers = names.map((name) => ({ name, weight: 1 }))
    expect(pointsOf(servers)).to.deep.equal(pointsByDefinition(servers))
    expect(Object.keys(Object.prototype)).to.deep.equal([])
  })

  it('cuts the text of a digest at 272 bytes', () => {
    const servers = ['a', 'b'].map((letter) => ({ name: letter.repeat(271), weight: 1 }))
    expect(pointsOf(servers)).to.deep.equal(pointsByDefinition(servers))
    expect(new Set(buildContinuum(servers).points).size).to.equal(8)
  })

  it('gives a point that two servers share to the first of them', () => {
    const twice = ['same', 'same'].map((name) => ({ name, weight: 1 }))
    const { owners } = buildContinuum(twice)
    expect(Array.from(owners)).to.deep.equal(Array.from(owners, (_, at) => at % 2))
  })
})
