/** Shards looked at together: commands that some lack, and the spread of the ring. */
import { expect } from 'chai'
import { learnCommands } from '../../lib/commands/learning/learn.ts'
import { commandDifferences, listed, ringBalance } from '../../lib/doctor/comparison.ts'
import { configFor } from '../support/ambassador.ts'

describe('commandDifferences', () => {
  /** A shard with these commands, as COMMAND tells them. */
  function shard(name: string, ...commands: string[]) {
    const reply = commands.map((command) => [command, 2, ['readonly'], 1, 1, 1])
    return { name, commands: learnCommands(reply) }
  }
  const SENT = new Set(['get', 'set', 'del'])

  function texts(...shards: ReturnType<typeof shard>[]): string[] {
    return commandDifferences(shards, SENT).map(({ level, saw }) => `${level}: ${saw}`)
  }

  it('has nothing to compare in a single shard', () => {
    expect(texts(shard('a', 'get'))).to.deep.equal([])
  })

  it('tells what is sent to shards that lack it from what is refused for all', () => {
    const shards = [shard('a', 'get', 'set', 'json.get'), shard('b', 'get'), shard('c', 'get')]
    expect(texts(...shards)).to.deep.equal(
      ['note: missing on b, c: json.get', 'problem: missing on b, c: set'].reverse(),
    )
  })

  it('puts commands together that the same shards lack', () => {
    expect(
      texts(shard('a', 'get', 'set'), shard('b', 'del', 'set'), shard('c', 'set')),
    ).to.deep.equal(['problem: missing on a, c: del', 'problem: missing on b, c: get'])
  })

  it('notes a command that is described otherwise', () => {
    const other = learnCommands([['get', 3, ['readonly'], 1, 1, 1]])
    expect(texts(shard('a', 'get'), { name: 'b', commands: other })).to.deep.equal([
      'note: shards describe differently: get',
    ])
  })
})

describe('ringBalance', () => {
  const shards = configFor([{ port: 1 }, { port: 2 }]).pools[0].shards

  it('holds the shares against the weights', () => {
    expect(ringBalance(shards, [0.6, 0.4])[0]?.level).to.equal('ok')
    const [uneven] = ringBalance(shards, [0.7, 0.3])
    expect(`${uneven?.level}: ${uneven?.saw}`).to.equal(
      'note: uneven: a has 70.0 % instead of 50.0 %',
    )
    const weighted = shards.map((shard, index) => ({ ...shard, weight: index === 0 ? 7 : 3 }))
    expect(ringBalance(weighted, [0.7, 0.3])[0]?.level).to.equal('ok')
  })

  it('has nothing to say about a single shard', () => {
    expect(ringBalance(shards.slice(0, 1), [1])).to.deep.equal([])
  })
})

describe('listed', () => {
  it('counts what would make the line too long', () => {
    expect(listed(['a', 'b'])).to.equal('a, b')
    const many = Array.from({ length: 13 }, (_, at) => `s${at}`)
    expect(listed(many)).to.match(/^s0, .*, s9 and 3 more$/)
  })
})
