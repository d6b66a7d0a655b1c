/** Further pools and routes, as a file and the environment have them. */
import { expect } from 'chai'
import type { Config } from '../../lib/config/config.ts'
import { loadConfig } from '../../lib/config/sources/load.ts'
import { ConfigError } from '../../lib/errors.ts'

const FLAGS = { environmentDirectory: '/nonexistent', namespaceFile: '/nonexistent' }

function load(text: string, env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({ env: { ...env, AMBASSADOR_CONFIG_INLINE: text }, flags: FLAGS })
}

function problemsOf(text: string, env: NodeJS.ProcessEnv = {}): readonly string[] {
  try {
    load(text, env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const POOLS = `
shards: [a=h1:6379, b=h2:6379]
requestTimeoutMs: 300
pools:
  queues: { shards: redis://h3:6379, requestTimeoutMs: 0, shardPassword: hunter2 }
routes:
  - { prefix: "bull:", pool: queues }
  - { prefix: "celery", shard: b }
`

describe('pools and routes', () => {
  it('are read from a file, each pool with options of its own', () => {
    const { pools, routes, process } = load(POOLS)
    const [first, queues] = pools
    expect(pools.map(({ name }) => name)).to.deep.equal(['default', 'queues'])
    expect([first.requestTimeoutMs, queues?.requestTimeoutMs]).to.deep.equal([300, 0])
    expect([first.hash, queues?.hash]).to.deep.equal(['murmur', 'murmur'])
    expect(queues?.shards.map(({ name, password }) => [name, password])).to.deep.equal([
      ['h3:6379', 'hunter2'],
    ])
    expect(routes).to.deep.equal([
      { prefix: 'bull:', pool: 'queues', shard: undefined },
      { prefix: 'celery', pool: 'default', shard: 'b' },
    ])
    expect(process.sources['pools.queues.requestTimeoutMs']).to.equal('AMBASSADOR_CONFIG_INLINE:5')
    expect(process.sources['pools.queues.hash']).to.equal('built-in default')
  })

  it('take routes from a variable as well', () => {
    const { routes } = load(POOLS, { AMBASSADOR_ROUTES: 'a=b:=queues, k=default/a' })
    expect(routes.map(({ prefix, pool, shard }) => [prefix, pool, shard])).to.deep.equal([
      ['a=b:', 'queues', undefined],
      ['k', 'default', 'a'],
    ])
  })

  it('are refused with one line for each mistake', () => {
    const wrong = `
shards: a=h1:6379
pools:
  queues: { shards: h3:6379, maxClients: 4, hsah: md5 }
  "a b": { shards: h4:6379 }
  default: { shards: h5:6379 }
  list: [h6:6379]
routes: [{ pool: queues }, { prefix: "x:" }, { prefix: "y:", pol: z }, 7]
`
    const at = (line: number) => `AMBASSADOR_CONFIG_INLINE:${line}: `
    expect(problemsOf(wrong)).to.deep.equal([
      `${at(8)}routes: a map has no prefix`,
      `${at(8)}routes: a map names neither a pool nor a shard`,
      `${at(8)}routes: a map has "pol", which is none of prefix, pool and shard`,
      `${at(8)}routes: "7" is not prefix=pool or prefix=pool/shard`,
      `${at(4)}maxClients is no option of a pool; it stands at the top of the file`,
      `${at(4)}there is no option "hsah"; did you mean "hash"?`,
      `${at(5)}pool "a b" is no name for a pool: letters, digits, dots, dashes and underscores, 63 at most`,
      `${at(6)}pool "default" is the pool of the options at the top of the file`,
      `${at(7)}pool "list" is not a map of options`,
    ])
  })

  it('are refused when they do not fit together', () => {
    const wrong = `
shards: [a=h1:6379, b=h2:6379]
pools:
  queues: { shards: 127.0.0.1:6379, shardUsername: x }
  empty: {}
  big: { shards: "redis+cluster://h5:6379", hash: md5 }
routes:
  - { prefix: "bull:", pool: queuse }
  - { prefix: "x:", shard: z }
  - { prefix: "y:", pool: big, shard: a }
  - { prefix: "{1}:z", pool: queues }
  - { prefix: "{1}", pool: queues }
`
    expect(problemsOf(wrong)).to.deep.equal([
      'pool queues: AMBASSADOR_CONFIG_INLINE:4: shard "127.0.0.1:6379" has a user name and no password',
      'pool empty: there are no shards',
      'pool big: AMBASSADOR_CONFIG_INLINE:6: hash is for a ring of shards, and they are a Redis Cluster',
      'AMBASSADOR_CONFIG_INLINE:7: route "bull:=queuse" leads to the pool "queuse", which is not there; did you mean "queues"?',
      'AMBASSADOR_CONFIG_INLINE:7: route "x:=default/z" leads to the shard "z", which pool "default" does not have',
      'AMBASSADOR_CONFIG_INLINE:7: route "y:=big/a" leads to a shard of "big", which is a Redis Cluster',
      'AMBASSADOR_CONFIG_INLINE:7: route "{1}:z=queues" goes on behind the hash tag "{1}": it would part keys that the tag keeps together',
    ])
  })

  it('have no two routes for one prefix', () => {
    expect(problemsOf(POOLS, { AMBASSADOR_ROUTES: 'k=queues,k=queues' })).to.deep.equal([
      'AMBASSADOR_ROUTES: prefix "k" has two routes',
    ])
  })
})

describe('a file in a variable', () => {
  it('stands in place of files, and a file that is named beside it is a mistake', () => {
    expect(load('shards: a=h:1').process.sources['shards']).to.equal('AMBASSADOR_CONFIG_INLINE:1')
    expect(problemsOf('shards: a=h:1', { AMBASSADOR_CONFIG: 'x.yaml' })).to.deep.equal([
      'AMBASSADOR_CONFIG_INLINE: there is a file named by AMBASSADOR_CONFIG as well; keep one of the two',
    ])
    expect(problemsOf('shards: [')[0]).to.match(/^AMBASSADOR_CONFIG_INLINE:1: /)
    expect(problemsOf('x')[0]).to.equal('AMBASSADOR_CONFIG_INLINE: "x" is not a map of options')
  })
})
