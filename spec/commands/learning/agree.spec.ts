import { expect } from 'chai'
import { agree } from '../../../lib/commands/learning/agree.ts'
import { learnCommands } from '../../../lib/commands/learning/learn.ts'
import type { CommandDefinition } from '../../../lib/commands/row.ts'

/** `foo` has its key at 1; `foo:2` at 2; `foo(a b)` is a container. */
function shard(...texts: string[]): CommandDefinition[] {
  return learnCommands(
    texts.map((text) => {
      const [, name = '', key = '1', members] = /^([a-z]+)(?::(\d))?(?:\((.*)\))?$/.exec(text) ?? []
      const entries = members?.split(' ').map((member) => [`${name}|${member}`, 2, [], 0, 0, 0])
      return [name, -3, [], Number(key), Number(key), 1, [], [], [], entries ?? []]
    }),
  )
}

function names({ common, differing }: ReturnType<typeof agree>): unknown {
  const inner = ({ name, subcommands }: CommandDefinition) =>
    subcommands === undefined ? name : [name, ...subcommands.map((member) => member.name)]
  return { common: common.map(inner), differing }
}

describe('agree', () => {
  it('takes all that one shard has', () => {
    expect(names(agree([shard('foo', 'bar(a b)')]))).to.deep.equal({
      common: ['foo', ['bar', 'bar|a', 'bar|b']],
      differing: [],
    })
  })

  it('leaves out what one shard lacks, wherever it is in the list', () => {
    expect(names(agree([shard('foo', 'bar'), shard('bar', 'baz'), shard('bar')]))).to.deep.equal({
      common: ['bar'],
      differing: ['foo', 'baz'],
    })
  })

  it('leaves out what two shards describe differently', () => {
    expect(names(agree([shard('foo', 'bar'), shard('foo:2', 'bar')]))).to.deep.equal({
      common: ['bar'],
      differing: ['foo'],
    })
    expect(names(agree([shard('foo(a)'), shard('foo')]))).to.deep.equal({
      common: [],
      differing: ['foo'],
    })
  })

  it('takes of a container the subcommands that all shards have', () => {
    expect(names(agree([shard('foo(a b)'), shard('foo(b c)')]))).to.deep.equal({
      common: [['foo', 'foo|b']],
      differing: ['foo|a', 'foo|c'],
    })
  })

  it('takes nothing from nobody', () => {
    expect(agree([])).to.deep.equal({ common: [], differing: [] })
  })
})
