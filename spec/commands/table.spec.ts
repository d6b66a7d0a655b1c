import { expect } from 'chai'
import { CommandTable } from '../../lib/commands/lookup.ts'
import { OVERRIDES } from '../../lib/commands/overrides.ts'
import type { CommandRow, Handling } from '../../lib/commands/row.ts'

const table = new CommandTable()

function row(name: string): CommandRow {
  const found = table.byName(name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}

function named(...routes: readonly Handling[]): CommandRow[] {
  return table.rows().filter(({ handling }) => routes.includes(handling))
}

describe('the built-in table', () => {
  it('has every command of the package and its subcommands, and our own', () => {
    expect(table.rows().length).to.be.greaterThan(450)
    for (const name of ['get', 'msetex', 'vadd', 'config|get', 'himport|set', 'ambassador|route']) {
      expect(table.byName(name)?.name).to.equal(name)
    }
  })

  it('overrides no command that there is not', () => {
    for (const name of OVERRIDES.flatMap(([names]) => names.split(' '))) {
      if (name.endsWith('|*'))
        expect(row(name.slice(0, -2)).subcommands, name).not.to.equal(undefined)
      else expect(table.byName(name), name).not.to.equal(undefined)
    }
  })

  it('splits the six commands that can be split, and no other', () => {
    expect(
      named('split').map((it) => [it.name, it.stride, it.responsePolicy]),
    ).to.have.deep.members([
      ['mget', 1, undefined],
      ['mset', 2, 'all_succeeded'],
      ['del', 1, 'agg_sum'],
      ['unlink', 1, 'agg_sum'],
      ['exists', 1, 'agg_sum'],
      ['touch', 1, 'agg_sum'],
    ])
    expect(table.rows().filter(({ stride }) => stride !== 0)).to.have.lengthOf(6)
  })

  it('gives a reason for whatever may not pass', () => {
    for (const it of named('refuse', 'admin', 'lease', 'subscription')) {
      expect(it.because, it.name)
        .to.be.a('string')
        .and.not.match(/^not |[.(]$/)
    }
    for (const it of named('single', 'split', 'broadcast', 'local')) {
      expect(it.because, it.name).to.equal(undefined)
    }
  })

  it('says how to merge whatever goes to every shard, in a note when no policy does', () => {
    for (const it of named('broadcast')) {
      if (it.responsePolicy === 'special') expect(it.note, it.name).to.be.a('string')
    }
  })

  it('writes without a key only on every shard, or not at all', () => {
    for (const it of table.rows()) {
      if (!it.flags.has('write') || it.keySpecs.length > 0) continue
      expect(it.handling, it.name).to.be.oneOf(['broadcast', 'refuse'])
    }
  })

  it('lends a connection to whatever Redis may block on', () => {
    for (const it of table.rows()) {
      if (it.flags.has('blocking')) expect(it.handling, it.name).to.equal('lease')
    }
  })

  it('lets nothing pass that Redis counts as administration, but what reads or is answered here', () => {
    const passing = table.rows().filter(({ flags, handling }) => {
      return (
        flags.has('admin') && handling !== 'admin' && handling !== 'refuse' && handling !== 'local'
      )
    })
    expect(passing.map(({ name }) => name)).to.have.members([
      'module|list',
      ...['doctor', 'graph', 'histogram', 'history', 'latest', 'reset'].map(
        (it) => `latency|${it}`,
      ),
      ...['get', 'len', 'reset'].map((it) => `slowlog|${it}`),
    ])
  })

  it('keeps what changes a connection off the shared ones', () => {
    const names =
      'auth hello select reset quit asking readonly readwrite ' +
      'client|setname client|reply client|no-evict client|no-touch'
    for (const name of names.split(' ')) expect(row(name).handling, name).to.equal('local')
    const never = 'monitor sync psync replconf client|tracking script|debug'
    for (const name of never.split(' ')) expect(row(name).handling, name).to.equal('refuse')
    const leased = 'multi exec discard watch unwatch wait waitaof blpop xread'
    for (const name of leased.split(' ')) expect(row(name).handling, name).to.equal('lease')
  })

  it('has the key at hand where there is one at a fixed place', () => {
    const fixed = ['get', 'object|encoding', 'publish', 'eval', 'rename', 'georadius', 'migrate']
    expect(fixed.map((name) => row(name).fixedKey)).to.deep.equal([1, 2, 1, 0, 0, 0, 0])
  })

  it('never splits MSETNX and MSETEX, which are all or nothing', () => {
    for (const name of ['msetnx', 'msetex']) {
      expect([row(name).handling, row(name).requestPolicy]).to.deep.equal(['single', undefined])
    }
  })
})
