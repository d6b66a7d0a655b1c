import { expect } from 'chai'
import { CommandTable } from '../../lib/commands/lookup.ts'
import {
  hasOneKey,
  INDIFFERENT,
  READS,
  READS_SEVERAL,
  RowKinds,
  RUNS_SCRIPT,
  WRITES,
  WRITES_ANYTHING,
} from '../../lib/nearcache/row-kinds.ts'

const table = new CommandTable()
const kinds = new RowKinds()

function rowOf(name: string) {
  const row = table.byName(name)
  if (row === undefined) throw new Error(`no row for ${name}`)
  return row
}

function kindsOf(names: string): number[] {
  return [...new Set(names.split(' ').map((name) => kinds.of(rowOf(name))))]
}

describe('RowKinds', () => {
  it('keeps replies of what only the value of one key decides', () => {
    expect(kindsOf('get hgetall exists type zrange geopos xrange pfcount')).to.deep.equal([READS])
  })

  it('answers MGET key by key', () => {
    expect(kindsOf('mget')).to.deep.equal([READS_SEVERAL])
  })

  it('keeps none that change by themselves, are random, or read what they do not name', () => {
    const names =
      'ttl pttl object|idletime srandmember hrandfield zrandmember randomkey sort_ro scan hscan ' +
      'eval_ro memory|usage dump touch xread xpending xinfo|stream ping publish watch'
    expect(kindsOf(names)).to.deep.equal([INDIFFERENT])
  })

  it('knows who writes the keys that are named', () => {
    const names =
      'set del getex mset rename copy blpop bzpopmin lmpop xreadgroup sort bitfield expire'
    expect(kindsOf(names)).to.deep.equal([WRITES])
  })

  it('knows who may write any key', () => {
    expect(kindsOf('flushall flushdb swapdb function|load')).to.deep.equal([WRITES_ANYTHING])
    expect(kindsOf('debug')).to.deep.equal([WRITES_ANYTHING])
    expect(kindsOf('eval evalsha fcall')).to.deep.equal([RUNS_SCRIPT])
  })

  it('takes every command that Redis calls a write for one', () => {
    const writes = table.rows().filter(({ flags, subcommands }) => {
      return flags.has('write') && subcommands === undefined
    })
    const harmless = writes.filter((row) => [INDIFFERENT, READS].includes(kinds.of(row)))
    expect(harmless.map(({ name }) => name)).to.deep.equal([])
  })

  it('keeps no reply about several keys', () => {
    expect(hasOneKey(rowOf('exists'), 3)).to.equal(false)
    expect(hasOneKey(rowOf('exists'), 2)).to.equal(true)
    expect(hasOneKey(rowOf('hget'), 3)).to.equal(true)
  })

  it('has one key, the first argument, in all that it keeps', () => {
    for (const row of table.rows()) {
      if (kinds.of(row) !== READS || ['exists', 'pfcount'].includes(row.name)) continue
      expect([row.name, row.fixedKey, row.readonly]).to.deep.equal([row.name, 1, true])
    }
  })
})
