/** One script and its compiled code, with a script of three lines in the place of the program. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { runChild } from '../support/child.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const RUNNER = new URL('../../lib/bundle/bundle.js', import.meta.url)
const MARK = '0123456789abcdef'

function script(answer: string, mark = MARK): string {
  const body = `module.exports = { answer: () => ${answer} }`
  return `(function (module, require, bundleUrl, __filename, __dirname) {\n${body}\n})//${mark}`
}

describe('runBundle', () => {
  let directory: string
  let path: string

  beforeEach(() => {
    directory = temporaryFiles()
    path = join(directory, 'program.js')
  })

  /** In a process of its own, since V8 remembers within one what it has compiled. Gives what the script answers. */
  async function run(): Promise<unknown> {
    const program = [
      `const { runBundle } = await import('${RUNNER}')`,
      `const { exports, keepCode } = runBundle('${path}', '${pathToFileURL(path)}')`,
      'console.log(JSON.stringify(exports.answer()))',
      'keepCode()',
    ]
    const args = ['--input-type=module', '-e', program.join('\n')]
    const { stdout, stderr } = await runChild(process.execPath, args)
    expect(stderr).to.equal('')
    return JSON.parse(stdout)
  }

  function keptCode(): string[] {
    return readdirSync(directory).filter((name) => name !== 'program.js')
  }

  it('gives the script its own place and a require', async () => {
    const names = '[bundleUrl, __filename, __dirname, typeof require("node:net").connect]'
    writeFileSync(path, script(names))
    expect(await run()).to.deep.equal([pathToFileURL(path).href, path, directory, 'function'])
  })

  it('leaves compiled code that the next process takes', async () => {
    writeFileSync(path, script('1'))
    await run()
    const [name = ''] = keptCode()
    expect(name).to.equal(`program.js.${MARK}-${process.version}-${process.arch}`)
    const { ino } = statSync(join(directory, name))
    expect(await run()).to.equal(1)
    // What was taken is not written again.
    expect(keptCode()).to.deep.equal([name])
    expect(statSync(join(directory, name)).ino).to.equal(ino)
  })

  it('takes no code of another text that is as long', async () => {
    writeFileSync(path, script('1'))
    await run()
    writeFileSync(path, script('2', 'fedcba9876543210'))
    expect(await run()).to.equal(2)
  })

  it('does without code that V8 refuses, and renews it', async () => {
    writeFileSync(path, script('1'))
    await run()
    const [name = ''] = keptCode()
    writeFileSync(join(directory, name), 'not code')
    expect(await run()).to.equal(1)
    expect(readFileSync(join(directory, name), 'latin1')).to.not.equal('not code')
  })

  it('does not mind that it cannot write', async () => {
    writeFileSync(path, script('1'))
    // A directory that is not empty has the name, and nobody may put a file in its place.
    const name = `program.js.${MARK}-${process.version}-${process.arch}`
    mkdirSync(join(directory, name, 'taken'), { recursive: true })
    expect(await run()).to.equal(1)
  })
})
