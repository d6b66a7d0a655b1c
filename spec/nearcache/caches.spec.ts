import { expect } from 'chai'
import type { CommandRow } from '../../lib/commands/row.ts'
import type { Cache, CacheClient, ReadRequest, Way } from '../../lib/nearcache/cache-client.ts'
import { Caches } from '../../lib/nearcache/caches.ts'
import type { NearCacheState } from '../../lib/stats/near-cache-stats.ts'
import type { Fragment } from '../../lib/upstream/backend.ts'
import type { ReplySink } from '../../lib/upstream/reply-sink.ts'
import type { Shard } from '../../lib/upstream/shard.ts'

const [CLIENT, REQUEST, ROW] = [{} as CacheClient, {} as ReadRequest, {} as CommandRow]
const wayTo = (pool: string) => ({ shard: { pool } }) as Way<Shard>

/** A cache that says what it was asked, and has everything. */
class PretendedCache implements Cache<Shard> {
  readonly calls: string[] = []
  readonly state: NearCacheState

  constructor(ageMs: number, texts: readonly string[]) {
    this.state = {
      ...{ entries: 1, bytes: 2, memoryBytes: 3, evictions: 4, connections: 5, untracked: 6 },
      ...{ flights: 7, writing: 8, confirmedAges: new Map([['a', ageMs]]) },
      prefixes: texts.map((text) => ({ text, hits: 10, fills: 1 })),
    }
  }

  about(): void {
    this.calls.push('about')
  }

  read(): boolean {
    this.calls.push('read')
    return true
  }

  readWhole(): boolean {
    this.calls.push('readWhole')
    return true
  }

  readPart(): 'answered' {
    this.calls.push('readPart')
    return 'answered'
  }

  clear(): void {
    this.calls.push('clear')
  }
}

describe('Caches', () => {
  let one: PretendedCache
  let other: PretendedCache
  let caches: Caches

  beforeEach(() => {
    one = new PretendedCache(100, ['x:', 'y:'])
    other = new PretendedCache(300, ['x:'])
    caches = new Caches(
      new Map([
        ['one', one],
        ['other', other],
      ]),
    )
  })

  it('tells all of every request, and clears all', () => {
    caches.about(CLIENT, REQUEST, ROW)
    caches.clear()
    expect([one.calls, other.calls]).to.deep.equal([
      ['about', 'clear'],
      ['about', 'clear'],
    ])
  })

  it("asks the cache of the shard's pool, and none if that has none", () => {
    const sink = {} as ReplySink
    expect(caches.read(CLIENT, REQUEST, ROW, wayTo('other'))).to.equal(true)
    expect(caches.read(CLIENT, REQUEST, ROW, wayTo('third'))).to.equal(false)
    const part = (pool: string) => {
      return caches.readPart(CLIENT, {} as Fragment, ROW, wayTo(pool), sink, 0)
    }
    expect([part('one'), part('third')]).to.deep.equal(['answered', undefined])
    expect([one.calls, other.calls]).to.deep.equal([['readPart'], ['read']])
  })

  it('asks for all keys at once only where they are in one pool', () => {
    const read = (...pools: string[]) => {
      const wayOf = (part: number) => wayTo(pools[part] ?? '')
      const ways = { parts: pools.length, partOf: new Int32Array(), wayOf }
      return caches.readWhole(CLIENT, REQUEST, ROW, ways)
    }
    expect([read('one', 'one'), read('one', 'other'), read('third')]).to.deep.equal([
      ...[true, false, false],
    ])
    expect([one.calls, other.calls]).to.deep.equal([['readWhole'], []])
  })

  it('has the state of all together: sums, the oldest sign of life, each prefix once', () => {
    const { confirmedAges, prefixes, ...numbers } = caches.state
    expect(Object.values(numbers)).to.deep.equal([2, 4, 6, 8, 10, 12, 14, 16])
    expect([...confirmedAges]).to.deep.equal([['a', 300]])
    expect(prefixes).to.deep.equal([
      { text: 'x:', hits: 20, fills: 2 },
      { text: 'y:', hits: 10, fills: 1 },
    ])
  })
})
