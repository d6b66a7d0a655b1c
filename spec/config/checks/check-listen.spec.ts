import { expect } from 'chai'
import { loadConfig } from '../../../lib/config/sources/load.ts'
import { ConfigError } from '../../../lib/errors.ts'

function load(lines: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const text = ['shards: a=10.0.0.1:6379', 'pools: { queues: { shards: 10.0.0.9:6379 } }', ...lines]
  return loadConfig({ env, flags: { configInline: text.join('\n') } })
}

function problems(...lines: string[]): readonly string[] {
  try {
    load(lines)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('addresses for clients', () => {
  it('may name the pool that they lead to, in both forms', () => {
    const { edge } = load([
      'listen: [localhost:6379, queues@localhost:6380, { address: "unix:/a@b", pool: queues }]',
    ])
    expect(edge.listen).to.deep.equal([
      { host: 'localhost', port: 6379 },
      { host: 'localhost', port: 6380, pool: 'queues' },
      { path: '/a@b', mode: undefined, pool: 'queues' },
    ])
  })

  it('lead to pools that are there, and each stands there once', () => {
    expect(problems('listen: queue@localhost:1')).to.deep.equal([
      '--config-inline:3: queue@localhost:1 leads to the pool "queue", which is not there; did you mean "queues"?',
    ])
    expect(problems('listen: [localhost:1, queues@localhost:1]')).to.deep.equal([
      '--config-inline:3: listen: "localhost:1" is there twice',
    ])
    expect(problems('listen: [{ address: localhost:1, poool: queues }]')[0]).to.match(
      /has "poool", which is neither address nor pool$/,
    )
    expect(problems('adminListen: queues@localhost:1')[0]).to.match(
      /names a pool, which only clients' addresses can$/,
    )
  })

  it('are open to the network unless a password is asked for there', () => {
    const listen = 'listen: [0.0.0.0:1, queues@0.0.0.0:2]'
    const notes = (...lines: string[]) => {
      return load([listen, ...lines]).process.notes.filter((note) => note.startsWith('INSECURE'))
    }
    expect(notes()).to.have.lengthOf(2)
    expect(notes('clientPassword: x')).to.have.lengthOf(2)
    expect(load([listen, 'clientPassword: x']).process.notes).to.include(
      'clientPassword is not used: no address leads to the pool default alone',
    )
    expect(notes('password: x')).to.have.lengthOf(0)
  })

  it('ask for no password of a pool where the shards judge', () => {
    expect(problems('authPassthrough: yes', 'clientPassword: x')).to.deep.equal([
      '--config-inline:3: authPassthrough leaves AUTH to the shards: pool default has a clientPassword',
    ])
  })
})
