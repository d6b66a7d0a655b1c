import { expect } from 'chai'
import { Placement } from '../../lib/routing/placement/placement.ts'
import { placeOf } from '../../lib/routing/places.ts'
import { RingTopology } from '../../lib/topology/ring-topology.ts'
import { type Route, RoutedTopology } from '../../lib/topology/routed-topology.ts'
import { createRandom, specSeed } from '../support/random.ts'

function ringOf(names: readonly string[]): RingTopology<string> {
  const servers = names.map((name) => ({ name, weight: 1 }))
  const options = {
    hash: 'murmur',
    distribution: 'ketama',
    hashTag: '{}',
    byteSign: 'signed',
  } as const
  return new RingTopology(new Placement({ servers, ...options }), names)
}

const FIRST = ['a', 'b', 'c']
const SECOND = ['p', 'q']

describe('RoutedTopology', () => {
  const [first, second] = [ringOf(FIRST), ringOf(SECOND)]
  const route = (prefix: string, part: number, place?: number): Route => {
    return { prefix: Buffer.from(prefix), part, place }
  }
  const routed = new RoutedTopology(
    [
      { topology: first, shards: () => FIRST },
      { topology: second, shards: () => SECOND },
    ],
    [route('page:', 1), route('page:one:', 1, 1), route('celery', 0, 2)],
  )

  function ownerIn(topology: RingTopology<string> | RoutedTopology<string>, key: string): string {
    const bytes = Buffer.from(key)
    return topology.shardAt(placeOf(topology, bytes, 0, bytes.length))
  }

  it('gives each key to the topology of its longest prefix, or to one shard of it', () => {
    for (const key of ['user:1', 'pag', 'x', '']) {
      expect(ownerIn(routed, key), key).to.equal(ownerIn(first, key))
    }
    for (const key of ['page:1', 'page:2', 'page:3', 'page:on']) {
      expect(ownerIn(routed, key), key).to.equal(ownerIn(second, key))
    }
    expect(ownerIn(routed, 'page:one:x')).to.equal('q')
    expect(ownerIn(routed, 'celery')).to.equal('c')
    expect(routed.placeCount).to.equal(5)
  })

  it('knows the place of a key though another was hashed meanwhile', () => {
    const random = createRandom(specSeed())
    const keys = Array.from({ length: 200 }, () => {
      return Buffer.from(
        random.pick(['page:', 'page:one:', 'celery', 'u']) + random.integer(0, 1000),
      )
    })
    const hashes = keys.map((key) => routed.hashOf(key, 0, key.length))
    for (const [index, key] of keys.entries()) {
      const place = routed.placeOf(key, 0, key.length, hashes[index] as number)
      expect(place, `seed ${random.seed}`).to.equal(placeOf(routed, key, 0, key.length))
    }
  })

  it('knows the place of a pattern only when no route can part its keys', () => {
    const placeOfPattern = (text: string) => {
      const bytes = Buffer.from(text)
      return routed.placeOfPattern(bytes, 0, bytes.length)
    }
    expect(placeOfPattern('page:one:*')).to.equal(4)
    expect(placeOfPattern('page:*')).to.equal(undefined)
    expect(placeOfPattern('pa*')).to.equal(undefined)
    expect(placeOfPattern('page:{1}*')).to.be.oneOf([3, 4])
    expect(placeOfPattern('user:{1}*')).to.be.oneOf([0, 1, 2])
    expect(placeOfPattern('user:*')).to.equal(undefined)
  })

  it('explains a key with the shard as all shards are numbered', () => {
    expect(routed.explain(Buffer.from('page:one:1')).shard).to.equal(4)
    expect(routed.explain(Buffer.from('celery')).shard).to.equal(2)
    const { shard = -1 } = routed.explain(Buffer.from('page:1'))
    expect([...FIRST, ...SECOND][shard]).to.equal(ownerIn(second, 'page:1'))
  })
})
