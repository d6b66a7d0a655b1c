import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { commandSource, fileSource } from '../../lib/credentials/source.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const { signal } = new AbortController()

describe('fileSource', () => {
  const path = join(temporaryFiles(), 'token')

  it('knows how long the credentials have been there', async () => {
    writeFileSync(path, 'app\ntoken\n')
    const hourAgo = Date.now() / 1000 - 3600
    utimesSync(path, hourAgo, hourAgo)
    const answer = await fileSource(path).ask(signal)
    expect(answer).to.deep.include({
      credentials: { username: 'app', password: 'token', lifeMs: undefined },
    })
    expect(answer).to.have.property('ageMs').that.is.within(3_599_000, 3_700_000)
  })

  it('says in a clause why there are none', async () => {
    const none = fileSource(join(path, '..', 'none'))
    expect(await none.ask(signal)).to.deep.equal({ problem: 'does not exist' })
    writeFileSync(path, 'x'.repeat(70_000))
    expect(await fileSource(path).ask(signal)).to.deep.equal({
      problem: 'is larger than 65536 bytes',
    })
    writeFileSync(path, '')
    expect(await fileSource(path).ask(signal)).to.deep.equal({
      problem: 'is there, but what it holds is empty',
    })
    expect(await fileSource(join(path, '..')).ask(signal)).to.deep.equal({
      problem: 'cannot be read (EISDIR)',
    })
  })
})

describe('commandSource', () => {
  it('is named without its arguments', () => {
    expect(commandSource(['/opt/tools/token', '--key', 'sesame']).name).to.equal('token')
  })

  it('says in a clause what is wrong with what the program prints', async () => {
    const source = commandSource([process.execPath, '-e', ''])
    expect(await source.ask(signal)).to.deep.equal({
      problem: 'is there, but what it prints is empty',
    })
  })
})
