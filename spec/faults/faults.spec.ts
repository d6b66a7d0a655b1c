/** docs/faults.md: every fault of the catalogue has a row, and every row a spec that bears its number. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { runChild } from '../support/child.ts'

/** The catalogue's first edition. Rows of the second, which goes on from there, come as they are done. */
const FAULTS = 67

interface ListedSpec {
  readonly file: string
  readonly fullTitle: string
}

const root = packageDirectory()

/** All specs, by mocha's own account: titles are made in loops. */
async function listSpecs(): Promise<readonly ListedSpec[]> {
  const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')
  const all = join(root, 'build', 'spec', '**', '*.spec.js')
  const options = ['--no-config', '--dry-run', '--reporter', 'json']
  const { code, stdout } = await runChild(process.execPath, [mocha, ...options, all])
  expect(code).to.equal(0)
  const { tests } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { tests: ListedSpec[] }
  return tests
}

/** The rows that a title names: `row 6: ...`, `rows 43, 46 and 48: ...`, `... (row 53)`. */
function rowsOf(title: string): number[] {
  return [...title.matchAll(/\brows? (\d+(?:(?:, | and )\d+)*)/g)].flatMap((found) =>
    (found[1] ?? '').split(/, | and /).map(Number),
  )
}

describe('docs/faults.md', () => {
  it('has a row for each fault, and names for each a spec that bears its number', async () => {
    const specs = await listSpecs()
    const lines = readFileSync(join(root, 'docs', 'faults.md'), 'utf8').split('\n')
    const rows = lines.filter((line) => /^\| \d/.test(line)).map((line) => line.split(' | '))
    const numbers = rows.map(([first = '']) => Number(first.slice(2)))
    expect(numbers.slice(0, FAULTS)).to.deep.equal(
      Array.from({ length: FAULTS }, (_, index) => index + 1),
    )
    expect(numbers).to.deep.equal([...new Set(numbers)].sort((a, b) => a - b))
    const missing = rows.filter(([first = '', , behaviour = '', spec = '']) => {
      const [, file = '?', title = '?'] = /^`(.+?)`: (.+) \|$/.exec(spec) ?? []
      const named = specs.some(
        (each) =>
          each.file.endsWith(`${file}.spec.js`) &&
          each.fullTitle.includes(title) &&
          rowsOf(each.fullTitle).includes(Number(first.slice(2))),
      )
      return !named || behaviour === ''
    })
    expect(missing).to.deep.equal([])
  })
})
