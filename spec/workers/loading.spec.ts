/** That an ambassador without workers does not load what only they need. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { packageDirectory } from '../../lib/config/package-directory.ts'

describe('lib/workers', () => {
  const lib = join(packageDirectory(), 'lib')
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.startsWith('workers'))
    .map((name) => ({ name, text: readFileSync(join(lib, name), 'utf8') }))

  /** Files that import a file whose path ends like this as soon as they are loaded, for more than its types. */
  function loading(path: string): string[] {
    const found = new RegExp(`^(?:import|export) (?!type ).* from '[^']*${path}'`, 'm')
    return files
      .filter(({ text }) => found.test(text.replaceAll(/{[^}]*}/g, '{}')))
      .map(({ name }) => name)
  }

  it('is loaded by nothing that a single process loads', () => {
    expect(loading("/workers/[^']*")).to.deep.equal(['cli/start/worker.ts'])
    expect(loading('(?:start|\\.)/worker\\.ts')).to.deep.equal([])
  })
})
