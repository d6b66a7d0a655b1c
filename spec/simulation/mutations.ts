/**
 * Breaks the rules of the data path one at a time, in a copy of the compiled code, and demands that
 * the specs go red each time: `npm run mutations`. A rule that can be broken unnoticed is no rule.
 *
 *   npm run mutations -- TEXT    only rules with this text in them
 */
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { broken, MUTATIONS } from './broken-rules.ts'

/** Some broken rules make a loop endless; none of the specs takes a tenth of this. */
const SPEC_MS_MAX = 60_000

const [text = ''] = process.argv.slice(2)
const mutations = MUTATIONS.filter(({ rule }) => rule.includes(text))
const root = packageDirectory()
const mutant = join(root, 'build', 'mutant')

/** Green, red, or why the specs did not run at all. Specs that never end are red as well. */
function verdict(spec: string): string {
  const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')
  const file = join(mutant, 'spec', `${spec}.spec.js`)
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [mocha, '--no-config', '--bail', '--timeout', String(SPEC_MS_MAX), file],
    { cwd: root, encoding: 'utf8', timeout: SPEC_MS_MAX, killSignal: 'SIGKILL' },
  )
  if (signal === 'SIGKILL') return 'red'
  if (status === 0 && /^ +\d+ passing/m.test(stdout)) return 'green'
  return /^ +\d+ failing/m.test(stdout) ? 'red' : `did not run: ${stdout}${stderr}`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** How many of the specs do not do as they should. */
function tryAll(): number {
  let wrong = 0
  const expectVerdict = (expected: string, spec: string, rule: string): void => {
    const found = verdict(spec)
    if (found !== expected) wrong += 1
    print(`${found === expected ? 'ok ' : 'NOT'} ${found} ${spec}: ${rule}`)
  }
  for (const spec of new Set(mutations.flatMap(({ specs }) => specs))) {
    expectVerdict('green', spec, 'with every rule kept')
  }
  for (const mutation of mutations) {
    const path = join(mutant, 'lib', `${mutation.file}.js`)
    const code = readFileSync(path, 'utf8')
    writeFileSync(path, broken(mutation, code))
    for (const spec of mutation.specs) expectVerdict('red', spec, `without "${mutation.rule}"`)
    writeFileSync(path, code)
  }
  return wrong
}

for (const part of ['lib', 'spec']) {
  cpSync(join(import.meta.dirname, '..', '..', part), join(mutant, part), { recursive: true })
}
try {
  const wrong = tryAll()
  print(wrong === 0 ? 'Every broken rule was noticed.' : `${wrong} wrong.`)
  process.exitCode = wrong === 0 ? 0 : 1
} finally {
  rmSync(mutant, { recursive: true, force: true })
}
