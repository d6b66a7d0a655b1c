/** Specs that need a program: what they start is read right, and a missing one is told in one line. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { runChild } from './child.ts'
import { lackOf, lackText, programsOf } from './programs.ts'

/** In pieces, so that this file does not seem to start them itself. */
const started = (name: string): string => `'${name}'`

const FILES: Readonly<Record<string, string>> = {
  'spec/a.spec.ts': "import {\n  x,\n} from './support/b.ts'\nimport { y } from '../lib/c.ts'\n",
  'spec/support/b.ts': `import { z } from './d.ts'\nawait runChild(\n  ${started('redis-cli')}, [])\n`,
  'spec/support/d.ts': [
    "import { x } from './b.ts'",
    `startChild({ command: ${started('redis-server')} })`,
    `const { command = ${started('nutcracker')} } = options`,
    'const text = "import { x } from \'./no.ts\'"',
  ].join('\n'),
  'spec/says.spec.ts': `/** Of certificates (${'@'}needs openssl). */`,
  'spec/other.spec.ts': `execFileSync(${started('bash')}, [])\nconst text = 'four'\n`,
}
const read = (path: string): string => FILES[path] ?? ''

/** Every spec of the house, from the root. */
function specs(): string[] {
  return readdirSync('spec', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.spec.ts'))
    .map((path) => `spec/${path}`)
}

describe('programs that specs start', () => {
  it('are found in the spec and in what it imports of the specs’ own files', () => {
    expect([...programsOf('spec/a.spec.ts', read)]).to.have.members([
      'redis-cli',
      'redis-server',
      'nutcracker',
    ])
    expect([...programsOf('spec/other.spec.ts', read)]).to.deep.equal([])
    expect([...programsOf('spec/says.spec.ts', read)]).to.deep.equal(['openssl'])
  })

  it('keep back the specs that start a missing one, and no other', () => {
    const all = ['spec/a.spec.ts', 'spec/other.spec.ts']
    const lack = lackOf(all, read, (program) => program === 'redis-server')
    expect(lack).to.deep.equal({ programs: ['nutcracker', 'redis-cli'], specs: ['spec/a.spec.ts'] })
    expect(lackOf(all, read, () => true)).to.deep.equal({ programs: [], specs: [] })
  })

  it('are told in one line, with the packages that have them', () => {
    const lack = { programs: ['nutcracker', 'redis-cli', 'redis-server'], specs: ['a', 'b'] }
    expect(lackText(lack, 9)).to.equal(
      'missing: nutcracker, redis-cli, redis-server; 2 of 9 spec files are left out. Debian, Ubuntu: ' +
        'apt-get install nutcracker redis-tools redis-server; macOS: brew install twemproxy redis',
    )
  })

  it('are found in the specs of the house', () => {
    const text = (path: string) => readFileSync(path, 'utf8')
    const all = new Set(specs().flatMap((spec) => [...programsOf(spec, text)]))
    expect([...all]).to.include.members(['redis-server', 'redis-cli', 'nutcracker', 'promtool'])
    expect([...programsOf('spec/resp/request-scanner.spec.ts', text)]).to.deep.equal([])
  })

  describe('and are not installed', () => {
    const run = async (variables: NodeJS.ProcessEnv) => {
      const args = ['build/spec/support/run-spec.js', '--dry-run', '--grep', 'tell 1 from 2']
      const env = { NO_COLOR: '1', PATH: '/nonexistent', ...variables }
      const { code, stdout } = await runChild(process.execPath, args, { env })
      return { code, lines: stdout.trim().split('\n') }
    }

    it('are told at the beginning and at the end of a whole run', async () => {
      const { code, lines } = await run({})
      expect(code).to.equal(0)
      expect(lines[0]).to.match(
        /^missing: .*redis-server.*; \d+ of \d+ spec files are left out\. Debian/,
      )
      expect(lines.at(-1)).to.equal(lines[0])
    })

    it('make a run fail that is there to run all', async () => {
      expect((await run({ CI: 'true' })).code).to.equal(1)
    })
  })
})
