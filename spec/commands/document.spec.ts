import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { GENERATED, withGenerated } from '../../bench/generated-docs.ts'
import { commandsTable } from '../../lib/commands/document.ts'
import { CommandTable } from '../../lib/commands/lookup.ts'

describe('generated documents', () => {
  for (const part of GENERATED) {
    it(`are not stale: ${part.marker} in ${part.file} (npm run docs makes it anew)`, () => {
      const document = readFileSync(part.file, 'utf8')
      expect(withGenerated(document, part) === document).to.equal(true)
    })
  }

  it('keep what stands around the generated part', () => {
    const part = { file: 'x.md', marker: 'm', generate: () => 'new\n' }
    const document = 'before\n<!-- m:begin -->\nold\n<!-- m:end -->\nafter\n'
    const anew = 'before\n<!-- m:begin -->\nnew\n<!-- m:end -->\nafter\n'
    expect(withGenerated(document, part)).to.equal(anew)
    expect(() => withGenerated('no markers', part)).to.throw('x.md lacks its markers for m')
  })
})

describe('commandsTable', () => {
  const lines = commandsTable(new CommandTable().rows()).split('\n')

  function line(command: string): string | undefined {
    return lines.find((text) => text.startsWith(`| ${command} |`))
  }

  it('has a line for each command that can be asked for, in order', () => {
    const askable = new CommandTable().rows().filter(({ name, subcommands }) => {
      return subcommands === undefined || name === 'command'
    })
    const body = lines.slice(2, -1)
    expect(body).to.have.lengthOf(askable.length)
    expect(body).to.deep.equal(body.toSorted())
    for (const text of body) expect(text.split(' | ')).to.have.lengthOf(4)
    expect(line('CONFIG')).to.equal(undefined)
  })

  it('says where a command goes and how its replies become one', () => {
    expect(line('GET')).to.equal('| GET | single |  |  |')
    expect(line('TIME')).to.equal('| TIME | single |  | any shard |')
    expect(line('RENAME')).to.equal('| RENAME | single |  | keys on one shard |')
    expect(line('DEL')).to.equal('| DEL | split | sum |  |')
    expect(line('KEYS')).to.equal('| KEYS | broadcast | arrays joined |  |')
    expect(line('MULTI')).to.equal('| MULTI | lease |  |  |')
  })

  it('says why a command is refused', () => {
    expect(line('SHUTDOWN')).to.equal(
      '| SHUTDOWN | refuse |  | it would stop a shard for everybody |',
    )
    expect(line('CONFIG SET')).to.include(
      '| admin | the first, if all succeed | it manages a server',
    )
  })
})
