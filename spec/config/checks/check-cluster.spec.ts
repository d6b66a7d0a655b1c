/** What a configuration with a Redis Cluster may and may not say; holds config/check-cluster.ts. */
import { expect } from 'chai'
import type { Config } from '../../../lib/config/config.ts'
import { loadConfig } from '../../../lib/config/sources/load.ts'
import { ConfigError } from '../../../lib/errors.ts'

const CLUSTER = 'redis+cluster://a:1,b:2'

function load(flags: Readonly<Record<string, string>>, env: NodeJS.ProcessEnv = {}): Config {
  const nowhere = { environmentDirectory: '/nonexistent', namespaceFile: '/nonexistent' }
  return loadConfig({ env, flags: { ...nowhere, ...flags } })
}

function problems(
  flags: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = {},
): readonly string[] {
  try {
    load(flags, env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

describe('a configuration with a Redis Cluster', () => {
  it('has it in place of shards, also from REDIS_URL', () => {
    for (const { pools } of [load({ shards: CLUSTER }), load({}, { REDIS_URL: CLUSTER })]) {
      expect(pools[0].shards).to.deep.equal([])
      expect(pools[0].cluster?.seeds.map(({ host }) => host)).to.deep.equal(['a', 'b'])
    }
  })

  it('takes the user and password of all shards, unless it has its own', () => {
    const env = { AMBASSADOR_SHARD_USERNAME: 'all', AMBASSADOR_SHARD_PASSWORD: 'theirs' }
    const of = (list: string) => {
      const { cluster } = load({ shards: list }, env).pools[0]
      return [cluster?.username, cluster?.password]
    }
    expect(of(CLUSTER)).to.deep.equal(['all', 'theirs'])
    expect(of('redis+cluster://:own@a:1')).to.deep.equal([undefined, 'own'])
    expect(of('redis+cluster://u:own@a:1')).to.deep.equal(['u', 'own'])
  })

  for (const [option, value] of [
    ['hash', 'md5'],
    ['distribution', 'modula'],
    ['hashTag', '[]'],
    ['byteSign', 'unsigned'],
    ['ejectShards', 'yes'],
  ] as const) {
    it(`says in one line that ${option} is for a ring, and what set it`, () => {
      const found = problems({ shards: CLUSTER, [option]: value })
      expect(found).to.have.length(1)
      expect(found[0]).to.match(new RegExp(`^--[a-z-]+: ${option} is for a ring of shards`))
    })
  }

  it('may say of these what is the default', () => {
    const flags = { hash: 'murmur', distribution: 'ketama', hashTag: '{}', ejectShards: 'no' }
    expect(problems({ shards: CLUSTER, ...flags })).to.deep.equal([])
  })

  it('needs a password with a user name, and seeds that are not the ambassador itself', () => {
    expect(problems({ shards: 'redis+cluster://u@a:1' })).to.deep.equal([
      '--shards: the cluster has a user name and no password',
    ])
    expect(problems({ shards: 'redis+cluster://127.0.0.1:6379' })).to.deep.equal([
      "--shards: the cluster's seed 127.0.0.1:6379 is where the ambassador itself listens",
    ])
  })

  it('uses the certificates for shards, and says of its own options that a ring does not use them', () => {
    const notes = (flags: Readonly<Record<string, string>>) => load(flags).process.notes.join('\n')
    const insecure = { shardTlsInsecure: 'yes' }
    expect(notes({ shards: 'rediss+cluster://a:1', ...insecure })).to.match(/INSECURE: shardTls/)
    expect(notes({ shards: CLUSTER, ...insecure })).to.not.match(/INSECURE: shardTls/)
    const own = { topologyRefreshMs: '5000', addressMap: 'a:1=b:2' }
    expect(notes({ shards: CLUSTER, ...own })).to.not.include('not used')
    expect(notes({ shards: 'a:1', ...own })).to.include('topologyRefreshMs and addressMap not used')
  })
})
