/** That no command is left without an answer. */
import { expect } from 'chai'
import { CommandTable } from '../../../lib/commands/lookup.ts'
import { Dispatcher } from '../../../lib/dispatcher/core/dispatcher.ts'
import { Lookout } from '../../../lib/stats/lookout/lookout.ts'
import { Lanes } from '../../../lib/upstream/lane.ts'
import { startShards } from '../../support/ambassador.ts'

function dispatcherFor(table: CommandTable): Dispatcher {
  const topology = {
    shardCount: 1,
    shardOf: () => 0,
    shardOfPattern: () => 0,
    hashOf: () => 0,
    ownerOf: () => 0,
    explain: () => ({ shard: 0, hashedStart: 0, hashedEnd: 0, hash: 0, place: undefined }),
    shares: () => [1],
    ownersAlong: () => [],
  }
  const rest = { shards: [], clients: new Map(), authenticate: false, allowAdmin: false }
  const lookout = new Lookout()
  const options = { table, topology, lanes: new Lanes(() => {}), lookout, ...rest }
  return new Dispatcher(options)
}

describe('Dispatcher.assertComplete', () => {
  it('names the commands that are ours to answer and that nobody answers', () => {
    const table = new CommandTable()
    const names = table
      .rows()
      .filter(({ route, responsePolicy, subcommands }) => {
        const isSpecial = route === 'broadcast' && responsePolicy === 'special'
        return (route === 'local' || isSpecial) && subcommands === undefined
      })
      .map(({ name }) => name)
    expect(names).to.include.members(['ping', 'info', 'scan', 'client|list', 'ambassador|help'])
    const dispatcher = dispatcherFor(table)
    expect(() => dispatcher.assertComplete()).to.throw(`nothing answers ${names.join(', ')}`)
    const [last, ...others] = names.toReversed()
    dispatcher.register(Object.fromEntries(others.map((name) => [name, () => {}])))
    expect(() => dispatcher.assertComplete()).to.throw(`nothing answers ${last}`)
    dispatcher.register({ [last ?? '']: () => {} })
    dispatcher.assertComplete()
  })
})

describe('every command that is answered here or by all shards', () => {
  it('gets an answer with several shards', async () => {
    const shards = await startShards(3)
    const rows = new CommandTable().rows().filter(({ route, subcommands, name }) => {
      const ours = route === 'local' || route === 'broadcast'
      return ours && subcommands === undefined && name !== 'quit'
    })
    expect(rows.length).to.be.greaterThan(60)
    for (const { name, arity } of rows) {
      const client = await shards.ambassador.connect()
      const args = name.split('|')
      while (args.length < Math.abs(arity)) args.push('0')
      const reply = String(await client.request(...args))
      expect(reply, name).not.to.match(/^-ERR ambassador|unexpected replies/)
    }
    await shards.stop()
  })
})
