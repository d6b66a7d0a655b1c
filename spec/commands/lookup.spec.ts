import { expect } from 'chai'
import { learnCommand } from '../../lib/commands/learning/learn.ts'
import { arityFits, CommandTable } from '../../lib/commands/lookup.ts'
import type { CommandDefinition } from '../../lib/commands/row.ts'
import { COMMAND_ROWS_MAX } from '../../lib/limits.ts'
import { requestOf } from '../support/requests.ts'

const table = new CommandTable()

function nameOf(...args: string[]): string | undefined {
  return table.lookup(requestOf(...args))?.name
}

/** A definition as a shard would teach it. */
function command(name: string, members: readonly string[] = []): CommandDefinition {
  const subcommands = members.map((member) => [`${name}|${member}`, 2, ['readonly']])
  const definition = learnCommand([name, -2, ['readonly'], 1, 1, 1, [], [], [], subcommands])
  if (definition === undefined) throw new Error(`${name} cannot be learnt`)
  return definition
}

describe('CommandTable', () => {
  it('finds a command in any case', () => {
    for (const name of ['get', 'GET', 'gEt']) expect(nameOf(name, 'k')).to.equal('get')
  })

  it('finds a subcommand by argument 1, in any case', () => {
    expect(nameOf('CONFIG', 'GET', 'x')).to.equal('config|get')
    expect(nameOf('config', 'Get', 'x')).to.equal('config|get')
  })

  it('finds the container itself when there is no argument 1', () => {
    expect(nameOf('CONFIG')).to.equal('config')
    expect(nameOf('COMMAND')).to.equal('command')
  })

  it('takes argument 1 of other commands for what it is', () => {
    expect(nameOf('GET', 'config')).to.equal('get')
    expect(nameOf('GET', 'get')).to.equal('get')
  })

  it('finds no subcommand that the container lacks', () => {
    expect(nameOf('CONFIG', 'BOGUS')).to.equal(undefined)
    expect(nameOf('CONFIG', '')).to.equal(undefined)
    expect(table.hasContainer(requestOf('CONFIG', 'BOGUS'))).to.equal(true)
    expect(table.hasContainer(requestOf('BOGUS', 'GET'))).to.equal(false)
  })

  it('knows no name that only JavaScript knows, and none that is bent', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'get\0', '\0get']
    const bent = ['get\r\n', 'GET ', 'gét', 'config|get', 'x'.repeat(10_000), 'get'.repeat(3000)]
    for (const name of [...names, ...bent]) {
      expect(nameOf(name, 'k'), JSON.stringify(name.slice(0, 20))).to.equal(undefined)
      expect(nameOf('CONFIG', name), JSON.stringify(name.slice(0, 20))).to.equal(undefined)
    }
  })

  it('numbers its rows from 0, subcommands included', () => {
    const rows = table.rows()
    expect(rows.map((row) => row.id)).to.deep.equal(rows.map((_, index) => index))
    expect(new Set(rows.map((row) => row.name)).size).to.equal(rows.length)
    for (const row of rows) expect(table.byName(row.name)).to.equal(row)
  })

  it('gives containers their members by name', () => {
    const config = table.byName('config')
    expect(config?.subcommands?.get('set')).to.equal(table.byName('config|set'))
    expect(table.byName('get')?.subcommands).to.equal(undefined)
  })
})

describe('CommandTable.add', () => {
  it('adds a command that is not there', () => {
    const learning = new CommandTable([command('first')])
    expect(learning.add(command('second', ['a', 'b']))).to.equal(3)
    expect(learning.lookup(requestOf('SECOND', 'B'))?.name).to.equal('second|b')
    expect(learning.rows().map((row) => row.id)).to.deep.equal([0, 1, 2, 3])
  })

  it('leaves a command that is there as it is', () => {
    const learning = new CommandTable()
    const before = learning.byName('get')
    expect(learning.add(command('get'))).to.equal(0)
    expect(learning.lookup(requestOf('GET', 'k'))).to.equal(before)
  })

  it('adds to a container the subcommands it lacks, and only these', () => {
    const learning = new CommandTable()
    const before = learning.byName('config|get')
    expect(learning.add(command('config', ['get', 'frob']))).to.equal(1)
    expect(learning.lookup(requestOf('CONFIG', 'FROB'))?.name).to.equal('config|frob')
    expect(learning.lookup(requestOf('CONFIG', 'GET', 'x'))).to.equal(before)
    expect(learning.byName('config')?.subcommands?.get('frob')?.name).to.equal('config|frob')
  })

  it('lets no shard make a container of a command that is none', () => {
    const learning = new CommandTable()
    expect(learning.add(command('get', ['frob']))).to.equal(0)
    expect(learning.lookup(requestOf('GET', 'frob'))?.name).to.equal('get')
  })

  it('stops at the bound, whatever a shard tells', () => {
    const learning = new CommandTable([])
    for (let i = 0; i < COMMAND_ROWS_MAX - 1; i++) learning.add(command(`c${i}`))
    expect(learning.add(command('container', ['member']))).to.equal(1)
    expect(learning.add(command('beyond'))).to.equal(0)
    expect(learning.rows().length).to.equal(COMMAND_ROWS_MAX)
    expect(learning.lookup(requestOf('container', 'member'))).to.equal(undefined)
    expect(learning.lookup(requestOf('c0', 'k'))?.name).to.equal('c0')
  })
})

describe('arityFits', () => {
  function fits(argc: number, name: string): boolean {
    const row = table.byName(name)
    if (row === undefined) throw new Error(`no ${name}`)
    return arityFits(row, argc)
  }

  it('counts exactly where Redis does', () => {
    expect([1, 2, 3].map((argc) => fits(argc, 'get'))).to.deep.equal([false, true, false])
    expect([2, 3, 4].map((argc) => fits(argc, 'config|resetstat'))).to.deep.equal([
      true,
      false,
      false,
    ])
  })

  it('counts at least where Redis does', () => {
    expect([1, 2, 3, 400].map((argc) => fits(argc, 'del'))).to.deep.equal([false, true, true, true])
  })

  it('wants pairs for MSET, which may be split between any two', () => {
    expect([3, 4, 5, 6].map((argc) => fits(argc, 'mset'))).to.deep.equal([true, false, true, false])
    expect([3, 4, 5, 6].map((argc) => fits(argc, 'mget'))).to.deep.equal([true, true, true, true])
  })
})
