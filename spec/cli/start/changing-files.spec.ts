/** Files of a running process that change as they do in containers: each change is taken up, once. */
import { linkSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { startBin } from '../../support/bin.ts'
import type { Child } from '../../support/child.ts'
import { freePort } from '../../support/ports.ts'
import { connectRaw } from '../../support/raw-client.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'
import { until } from '../../support/until.ts'

/**
 * The first change may be found by the look that follows the start; only one after it is sure to be
 * found by those that go on.
 */
const AFTER_START = [200, 300]

/** Between two looks at what the process has printed, milliseconds. */
const LOOK_MS = 50

describe('row 84: the files of a running process', () => {
  let directory: string
  let child: Child
  let port: number

  afterEach(() => child.kill())

  function at(...names: string[]): string {
    return join(directory, ...names)
  }

  /** In one step, so that nobody reads half of it. */
  function replace(name: string, content: string): void {
    writeFileSync(at('new'), content)
    renameSync(at('new'), at(name))
  }

  function text(maxClients: number, more = ''): string {
    return `shards: a=127.0.0.1:1\nadminListen: off\nlogFormat: json\nmaxClients: ${maxClients}\n${more}`
  }

  async function start(config: string): Promise<void> {
    port = await freePort()
    child = await startBin(['--config', config, '--listen', `127.0.0.1:${port}`], {})
  }

  function count(message: string): number {
    return child.output.split(`"msg":"${message}"`).length - 1
  }

  /** Makes a change and waits until the process says that it has been taken up; one line, no more. */
  async function taken(change: () => void): Promise<void> {
    const before = count('configuration reloaded')
    change()
    await until(() => count('configuration reloaded') > before, LOOK_MS)
    expect(count('configuration reloaded')).to.equal(before + 1)
  }

  it('may be links to elsewhere, and lie in directories that are switched or made anew', async () => {
    directory = temporaryFiles({
      'elsewhere/a': text(100),
      'elsewhere/b': text(200),
      'v1/ambassador.yaml': text(300),
      'v2/ambassador.yaml': text(400),
    })
    mkdirSync(at('v0'))
    symlinkSync('../elsewhere/a', at('v0', 'ambassador.yaml'))
    symlinkSync('v0', at('mount'))
    await start(at('mount', 'ambassador.yaml'))
    await taken(() => writeFileSync(at('elsewhere', 'a'), text(101)))
    await taken(() => {
      symlinkSync('../elsewhere/b', at('v0', 'new'))
      renameSync(at('v0', 'new'), at('v0', 'ambassador.yaml'))
    })
    for (const version of ['v1', 'v2']) {
      await taken(() => {
        symlinkSync(version, at('new'))
        renameSync(at('new'), at('mount'))
      })
    }
    await taken(() => {
      rmSync(at('v2'), { recursive: true })
      mkdirSync(at('v2'))
      writeFileSync(at('v2', 'ambassador.yaml'), text(500))
    })
  })

  it('may be written under another name, as a file is that is mounted by itself', async () => {
    directory = temporaryFiles({ 'mount/ambassador.yaml': text(100) })
    linkSync(at('mount', 'ambassador.yaml'), at('host'))
    await start(at('mount', 'ambassador.yaml'))
    for (const maxClients of AFTER_START) {
      await taken(() => writeFileSync(at('host'), text(maxClients)))
    }
  })

  it('may be passwords behind a link', async () => {
    directory = temporaryFiles({
      'secrets/1/password': 'first',
      'secrets/2/password': 'second',
      'secrets/3/password': 'third',
      'ambassador.yaml': text(100, 'passwordFile: mount/password\n'),
    })
    symlinkSync('secrets/1', at('mount'))
    await start(at('ambassador.yaml'))
    for (const version of ['2', '3']) {
      await taken(() => {
        symlinkSync(`secrets/${version}`, at('new'))
        renameSync(at('new'), at('mount'))
      })
    }
    const client = await connectRaw(port)
    expect(String(await client.request('AUTH', 'second'))).to.match(/^-WRONGPASS/)
    expect(String(await client.request('AUTH', 'third'))).to.equal('+OK\r\n')
    await client.close()
  })

  it('may come one after the other: what is missing is told once, and taken up when it is there', async () => {
    directory = temporaryFiles({ 'ambassador.yaml': text(100), 'secrets/other': '' })
    await start(at('ambassador.yaml'))
    await taken(() => replace('ambassador.yaml', text(150)))
    const refused = 'configuration refused, the one in use stays'
    replace('ambassador.yaml', text(200, 'passwordFile: secrets/password\n'))
    await until(() => count(refused) === 1, LOOK_MS)
    // Written again, and wrong as before.
    replace('ambassador.yaml', text(300, 'passwordFile: secrets/password\n'))
    await taken(() => writeFileSync(at('secrets', 'password'), 'secret', { mode: 0o600 }))
    expect(count(refused)).to.equal(1)
    expect(child.output).to.include('/password\\" does not exist')
  })

  it("may be the pod's labels, which name the environment", async () => {
    directory = temporaryFiles({
      'config/default.yaml': text(100),
      'config/staging.yaml': 'maxClients: 200\n',
      'config/production.yaml': 'maxClients: 300\n',
      'podinfo/labels': '',
    })
    port = await freePort()
    child = await startBin(['--listen', `127.0.0.1:${port}`], {
      AMBASSADOR_CONFIG: at('config'),
      AMBASSADOR_ENVIRONMENT_DIRECTORY: at('podinfo'),
    })
    for (const name of ['staging', 'production']) {
      await taken(() => replace('podinfo/labels', `environment="${name}"\n`))
    }
    expect(child.output).to.match(/"changed":\[[^\]]*"maxClients"/)
  })
})
