/** That no command is left without an answer. */
import { expect } from 'chai'
import { CommandTable } from '../../../lib/commands/lookup.ts'
import { Dispatcher } from '../../../lib/dispatcher/core/dispatcher.ts'
import { Sender } from '../../../lib/dispatcher/core/sender.ts'
import { Placement } from '../../../lib/routing/placement/placement.ts'
import { Lookout } from '../../../lib/stats/lookout/lookout.ts'
import { RingTopology } from '../../../lib/topology/ring-topology.ts'
import { Lanes } from '../../../lib/upstream/lane.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { startShards } from '../../support/ambassador.ts'

function dispatcherFor(table: CommandTable): Dispatcher {
  const topology = new RingTopology<Shard>(
    new Placement({
      servers: [{ name: 'a', weight: 1 }],
      hash: 'fnv1a_64',
      distribution: 'ketama',
      hashTag: '',
      byteSign: 'signed',
    }),
    [],
  )
  const lookout = new Lookout()
  const sender = new Sender({
    topology,
    shards: () => [],
    moving: undefined,
    policy: { allowAdmin: false },
    lookout,
  })
  const lanes = new Lanes(() => {})
  return new Dispatcher({
    table,
    sender,
    lanes,
    clients: new Map(),
    authenticate: false,
    inHand: lookout.inHand,
  })
}

describe('Dispatcher.assertComplete', () => {
  it('names the commands that are ours to answer and that nobody answers', () => {
    const table = new CommandTable()
    const names = table
      .rows()
      .filter(({ handling, responsePolicy, subcommands }) => {
        const isSpecial = handling === 'broadcast' && responsePolicy === 'special'
        return (handling === 'local' || isSpecial) && subcommands === undefined
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

describe('Dispatcher.register', () => {
  it('takes a second command for a row only over the one that it names', () => {
    const dispatcher = dispatcherFor(new CommandTable())
    const first = { ping: () => {} }
    const second = { ping: () => {} }
    dispatcher.register(first)
    expect(() => dispatcher.register(second)).to.throw('ping registered twice')
    dispatcher.register(second, first)
  })
})

describe('every command that is answered here or by all shards', () => {
  it('gets an answer with several shards', async () => {
    const shards = await startShards(3)
    const rows = new CommandTable().rows().filter(({ handling, subcommands, name }) => {
      const ours = handling === 'local' || handling === 'broadcast'
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
