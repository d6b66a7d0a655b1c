import { expect } from 'chai'
import type { WhatIf } from '../../../lib/config/config.ts'
import { loadConfig } from '../../../lib/config/sources/load.ts'
import { placesToCome } from '../../../lib/pool/to-come/places-to-come.ts'
import { placeOf } from '../../../lib/routing/places.ts'

/** Of this file, and nothing of the machine. */
function whatIf(text: string): WhatIf {
  const { pools, routes, databases, edge } = loadConfig({
    env: {},
    flags: {
      environmentDirectory: '/nonexistent',
      namespaceFile: '/nonexistent',
      configInline: text,
    },
  })
  return { pools, routes, databases, ...edge }
}

describe('placesToCome', () => {
  it('has the shards of a ring as they are', () => {
    const { shares, shardCount, hasCluster } = placesToCome(whatIf('shards: [a=h:1, b=h:2]'))
    expect(shares).to.deep.equal([
      { name: 'a', first: 0, count: 1 },
      { name: 'b', first: 1, count: 1 },
    ])
    expect({ shardCount, hasCluster }).to.deep.equal({ shardCount: 2, hasCluster: false })
  })

  it('has the slots of a cluster as three masters have them', () => {
    const { places, shares, hasCluster } = placesToCome(whatIf('shards: redis+cluster://h:1'))
    expect(places.placeCount).to.equal(16_384)
    const names = shares.map(({ name }) => name)
    expect(names).to.deep.equal(['slots 0-5460', 'slots 5461-10921', 'slots 10922-16383'])
    expect(shares.reduce((sum, { count }) => sum + count, 0)).to.equal(16_384)
    expect(hasCluster).to.equal(true)
    // As CLUSTER KEYSLOT says.
    expect(placeOf(places, Buffer.from('foo'), 0, 3)).to.equal(12_182)
  })

  it('has further pools behind the first, and knows which of them are clusters', () => {
    const text = [
      'shards: [a=h:1, b=h:2]',
      'pools: { pages: { shards: "redis+cluster://h:3" }, queues: { shards: q=h:4 } }',
      'routes: [{ prefix: "page:", pool: pages }, { prefix: "bull:", pool: queues }]',
    ].join('\n')
    const { places, shares, isInCluster } = placesToCome(whatIf(text))
    expect(shares.map(({ name }) => name)).to.deep.equal([
      ...['a', 'b'],
      ...['pages/slots 0-5460', 'pages/slots 5461-10921', 'pages/slots 10922-16383'],
      'queues/q',
    ])
    const of = (key: string) => placeOf(places, Buffer.from(key), 0, key.length)
    expect(isInCluster(of('page:1'))).to.equal(true)
    expect(isInCluster(of('bull:1'))).to.equal(false)
    expect(isInCluster(of('user:1'))).to.equal(false)
  })

  it('has the shards of databases that are a pool or a shard, numbered as among all', () => {
    const text = [
      'shards: [a=h:1, b=h:2]',
      'pools: { queues: { shards: [q=h:3, r=h:4] } }',
      'databases: { 1: { shard: b }, 2: { pool: queues } }',
    ].join('\n')
    const { databases } = placesToCome(whatIf(text))
    const keys = Array.from({ length: 20 }, (_, number) => Buffer.from(`key:${number}`))
    const placesIn = (database: number) => {
      const places = databases.get(database)?.places
      return places === undefined
        ? []
        : [...new Set(keys.map((key) => placeOf(places, key, 0, key.length)))].sort()
    }
    expect(placesIn(1)).to.deep.equal([1])
    expect(placesIn(2)).to.deep.equal([2, 3])
    expect(databases.get(1)?.shardCount).to.equal(1)
    expect(databases.get(0)).to.equal(undefined)
  })
})
