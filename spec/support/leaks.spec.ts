/** The root hooks: a failed spec is cleaned up after, and a leak is named and ends the run. */
import { expect } from 'chai'
import { runChild } from './child.ts'

const MOCHA = 'node_modules/mocha/bin/mocha.js'

describe('a run of specs', () => {
  it('cleans up after one that fails, names what another leaves open, and ends', async () => {
    const files = ['--file', 'build/spec/support/leaks.js', 'build/spec/support/leaking-sample.js']
    const args = [MOCHA, '--no-config', '--timeout', '60000', '--reporter', 'json', ...files]
    const { code, stdout } = await runChild(process.execPath, args)
    const { passes, failures } = JSON.parse(stdout) as Readonly<Record<string, Outcome[]>>
    expect(code).to.equal(2)
    expect(passes?.map(({ title }) => title)).to.deep.equal([
      'finds what the failed one left behind gone',
      'passes and leaves a server',
    ])
    expect(failures?.map(({ title }) => title)).to.deep.equal([
      'fails before it cleans up',
      '"after all" hook in "{root}"',
    ])
    expect(failures?.[1]?.err.message).to.match(
      /^the specs left open: TCPServerWrap\nserver at \{.*\}, first seen after "sample passes and leaves a server"$/,
    )
  })
})

interface Outcome {
  readonly title: string
  readonly err: { readonly message: string }
}
