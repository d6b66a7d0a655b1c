/** The guard of the checkout, in one that the spec makes. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { changedFiles, differences } from './source-tree.ts'
import { temporaryFiles } from './temporary-files.ts'

describe('the guard of the checkout', () => {
  it('sees a file that is made, changed or removed, and none that is ignored', () => {
    const directory = temporaryFiles({ '.gitignore': 'build/\n', a: 'a', b: 'b' })
    const git = (...args: string[]) => execFileSync('git', ['-C', directory, ...args])
    git('init', '-q')
    git('add', '.')
    git('-c', 'user.name=spec', '-c', 'user.email=spec@localhost', 'commit', '-qm', 'first')
    writeFileSync(join(directory, 'mine'), '')
    const before = changedFiles(directory)
    expect(before).to.deep.equal(['?? mine'])
    appendFileSync(join(directory, 'a'), 'more')
    rmSync(join(directory, 'b'))
    rmSync(join(directory, 'mine'))
    writeFileSync(join(directory, 'dump.rdb'), '')
    expect(differences(before, changedFiles(directory))).to.deep.equal([
      ' M a',
      ' D b',
      '?? dump.rdb',
      '?? mine (no longer)',
    ])
  })

  it('has nothing to say where there is no checkout', () => {
    expect(changedFiles(temporaryFiles({ a: 'a' }))).to.deep.equal([])
  })
})
