/** Stacks of the program as it is run: they name what a reader can open. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { packageDirectory } from '../../lib/config/package-directory.ts'
import { runBin } from '../support/bin.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const SHARDS = ['--shards', 'a=127.0.0.1:1', '--admin-listen', 'off', '--log-format', 'json']

describe('the stacks of the program', () => {
  /** Runs `lines` before the program, and the program until it fails. Gives the stack that it has logged. */
  async function stackAfter(...lines: string[]): Promise<string> {
    const file = join(temporaryFiles(), 'breaks.cjs')
    writeFileSync(file, lines.join('\n'))
    const args = ['--listen', '127.0.0.1:0', ...SHARDS]
    const { stdout } = await runBin(args, { NODE_OPTIONS: `--require ${file}` })
    const [failed] = stdout.split('\n').filter((line) => line.includes('"msg":"failed"'))
    const { err } = JSON.parse(failed ?? '{}') as { readonly err: { readonly stack: string } }
    return err.stack
  }

  it('name source files', async () => {
    const stack = await stackAfter(
      'require("node:net").Server.prototype.listen = () => { throw new TypeError("broken") }',
    )
    expect(stack).to.match(/^TypeError: broken\n/)
    expect(stack).to.include(` (${join(packageDirectory(), 'lib', 'io', 'listen.ts')}:`)
    expect(stack).to.not.include('program.js')
  })
})
