/** Mirrors as a file has them, and one clear line for each mistake. */
import { expect } from 'chai'
import type { Config } from '../../../lib/config/config.ts'
import { loadConfig } from '../../../lib/config/sources/load.ts'
import { ConfigError } from '../../../lib/errors.ts'

const FLAGS = { environmentDirectory: '/nonexistent', namespaceFile: '/nonexistent' }

function load(text: string): Config {
  return loadConfig({ env: { AMBASSADOR_CONFIG_INLINE: text }, flags: FLAGS })
}

function problemsOf(text: string): readonly string[] {
  try {
    load(text)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const POOLS = (more: string) => `
shards: [a=h1:6379, b=h2:6379]
pools:
  next: { shards: h3:6379 }
  other: { shards: h4:6379 ${more} }
`

describe('mirrors', () => {
  it('stand apart from the pools that are served', () => {
    const config = load(`${POOLS('')}\nmirror: { pool: next, percent: 25, writesOnly: yes }`)
    expect(config.pools.map(({ name }) => name)).to.deep.equal(['default', 'other'])
    expect(config.mirrors.map(({ name }) => name)).to.deep.equal(['next'])
    const mirror = { pool: 'next', percent: 25, writesOnly: true }
    expect(config.pools[0].mirror).to.deep.equal(mirror)
  })

  /** The file, and the line of the mistake with what is said of it. */
  const MISTAKES: Readonly<Record<string, [string, string]>> = {
    itself: [POOLS(', mirror: other'), '5: the mirror of pool other is that pool itself'],
    'a pool that is not there': [
      `${POOLS('')}\nmirror: nexd`,
      '7: the mirror of pool default is the pool "nexd", which is not there; did you mean "next"?',
    ],
    'the first pool': [
      POOLS(', mirror: default'),
      '5: the mirror of pool other is the pool default, which has the keys without a route',
    ],
    'a pool that has a mirror': [
      `${POOLS(', mirror: next')}\nmirror: other`,
      '7: the mirror of pool default is the pool other, which has itself a mirror (next)',
    ],
    'at the servers of the pool': [
      'shards: [a=h1:6379, b=h2:6379]\nmirror: next\npools: { next: { shards: [c=h3:6379, d=h2:6379] } }',
      '2: the mirror of pool default is at h2:6379, where that pool is: each write would come twice',
    ],
    'a pool with a route': [
      `${POOLS('')}\nmirror: next\nroutes: [{ prefix: x, pool: next }]`,
      '8: route "x" leads to the pool next, which is a mirror and has no keys of its own',
    ],
    'a pool that is a database': [
      `${POOLS('')}\nmirror: next\ndatabases: { 3: { pool: next } }`,
      '8: database 3 leads to the pool next, which is a mirror and has no keys of its own',
    ],
    'a pool with an address': [
      `${POOLS('')}\nmirror: next\nlisten: [localhost:6379, next@localhost:6380]`,
      '8: localhost:6380 leads to the pool next, which is a mirror and has no keys of its own',
    ],
  }
  for (const [what, [text, problem]] of Object.entries(MISTAKES)) {
    it(`cannot be ${what}`, () => {
      expect(problemsOf(text)).to.deep.equal([`AMBASSADOR_CONFIG_INLINE:${problem}`])
    })
  }

  it('cannot mirror each other in a circle', () => {
    const text = `shards: h1:6379
pools:
  one: { shards: h2:6379, mirror: two }
  two: { shards: h3:6379, mirror: one }`
    expect(problemsOf(text)).to.deep.equal([
      'AMBASSADOR_CONFIG_INLINE:3: the mirror of pool one is the pool two, which has itself a mirror (one)',
      'AMBASSADOR_CONFIG_INLINE:4: the mirror of pool two is the pool one, which has itself a mirror (two)',
    ])
  })
})
