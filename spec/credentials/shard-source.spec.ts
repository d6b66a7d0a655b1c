import { expect } from 'chai'
import { sourceFor } from '../../lib/credentials/shard-source.ts'
import { configFor } from '../support/ambassador.ts'

describe('sourceFor', () => {
  const shards = 'a=h:1,b=[::1]:2,c=unix:/tmp/s,d=redis+sentinel://m,e=redis://:secret@h:1'
  const { shards: all } = configFor([], { shards, sentinels: 'h' }).pools[0]
  const words = ({ id }: { readonly id: string }): string[] => JSON.parse(id)

  it('fills in the shard, where the command names one', () => {
    const auth = {
      shardAuthCommand: ['p', '{shard}={host}:{port}', '{x}'],
      shardAuthFile: undefined,
    }
    const sources = all.flatMap((shard) => sourceFor(shard, auth) ?? [])
    expect(sources.map(words)).to.deep.equal([
      ['p', 'a=h:1', '{x}'],
      ['p', 'b=::1:2', '{x}'],
      ['p', 'c=/tmp/s:', '{x}'],
      ['p', 'd=:', '{x}'],
    ])
  })

  it('is one file for all shards, or one for each', () => {
    const ids = (file: string) => {
      const auth = { shardAuthCommand: undefined, shardAuthFile: file }
      return all.flatMap((shard) => sourceFor(shard, auth)?.id ?? [])
    }
    expect(ids('/run/token')).to.deep.equal([
      '/run/token',
      '/run/token',
      '/run/token',
      '/run/token',
    ])
    expect(ids('/run/{shard}')).to.deep.equal(['/run/a', '/run/b', '/run/c', '/run/d'])
  })
})
