/** Signals to the real process, from its first line to its end. */
import { writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { SIGNALS } from '../../lib/cli/signals.ts'
import { BIN, cleanEnvironment, startBin } from '../support/bin.ts'
import { Child } from '../support/child.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { encodeRequest } from '../support/frames.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

/** Between two looks at what a process has printed, milliseconds. */
const LOOK_MS = 10

interface Line {
  readonly level: string
  readonly msg: string
  readonly [fact: string]: unknown
}

function signalsThat(...effects: string[]): NodeJS.Signals[] {
  return SIGNALS.filter(({ effect }) => effects.includes(effect)).flatMap(({ signals }) => signals)
}

/** Those after which the process goes on. */
const HARMLESS = signalsThat('reload', 'louder', 'quieter', 'ignore')

describe('row 82: signals', () => {
  let child: Child
  let port: number
  let directory: string

  beforeEach(async () => {
    port = await freePort()
    directory = temporaryFiles()
    configure(100)
  })

  afterEach(() => child.kill())

  function configure(maxClients: number): void {
    const text = `shards: a=127.0.0.1:1\nadminListen: off\nmaxClients: ${maxClients}\n`
    writeFileSync(join(directory, 'ambassador.yaml'), text)
  }

  async function start(
    more: readonly string[] = [],
    variables: NodeJS.ProcessEnv = {},
    ready = 'accepting clients',
  ): Promise<void> {
    const config = ['--config', join(directory, 'ambassador.yaml'), '--log-format', 'json']
    const flags = [...config, '--listen', `127.0.0.1:${port}`, ...more]
    child = await startBin(flags, variables, ready)
  }

  function lines(): Line[] {
    return child.output
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
  }

  function linesAbout(signal: string): Line[] {
    return lines().filter((line) => line['signal'] === signal || line['cause'] === signal)
  }

  /** The process is not stopped, and serves. */
  async function expectServing(): Promise<void> {
    const client = await connectRaw(port)
    expect(String(await client.request('PING'))).to.equal('+PONG\r\n')
    await client.close()
  }

  for (const signal of signalsThat('ignore')) {
    it(`${signal} does nothing, says so, and opens no debugger`, async () => {
      await start()
      process.kill(child.pid, signal)
      await until(() => linesAbout(signal).length > 0, LOOK_MS)
      await expectServing()
      expect(linesAbout(signal).map(({ level, msg }) => `${level} ${msg}`)).to.deep.equal([
        'info signal ignored',
      ])
      expect(child.output).to.not.include('Debugger')
    })
  }

  for (const signal of signalsThat('stop')) {
    it(`${signal} drains, and ends the process with 0`, async () => {
      await start()
      process.kill(child.pid, signal)
      expect(await child.exited).to.equal(0)
      expect(lines().at(-1)?.msg).to.equal('stopped')
      expect(linesAbout(signal).map(({ msg }) => msg)).to.deep.equal(['stopping'])
    })
  }

  it('SIGTTIN and SIGTTOU change the level of the log, between the loudest and none', async () => {
    await start()
    const levels = async (signal: NodeJS.Signals, wanted: readonly string[]): Promise<void> => {
      for (const level of wanted) {
        const known = linesAbout(signal).length
        process.kill(child.pid, signal)
        await until(() => linesAbout(signal).length > known, LOOK_MS)
        expect(linesAbout(signal).at(-1)).to.include({ msg: 'log level changed', level })
      }
    }
    await levels('SIGTTIN', ['debug', 'trace'])
    process.kill(child.pid, 'SIGTTIN')
    await levels('SIGTTOU', ['debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    process.kill(child.pid, 'SIGTTOU')
    await expectServing()
    await levels('SIGTTIN', ['fatal', 'error', 'warn', 'info'])
  })

  it('a reload leaves the level that was set by a signal, unless it has another', async () => {
    await start()
    process.kill(child.pid, 'SIGTTIN')
    configure(200)
    await child.kill('SIGHUP')
    await until(() => linesAbout('SIGHUP').length === 1, LOOK_MS)
    process.kill(child.pid, 'SIGTTOU')
    await until(() => linesAbout('SIGTTOU').length === 1, LOOK_MS)
    expect(linesAbout('SIGTTOU')[0]).to.include({ level: 'info' })
  })

  /** Stands still once it has read the configuration, until `gate` is there. */
  function standsStillUntil(gate: string): NodeJS.ProcessEnv {
    const script = `
      import fs from 'node:fs'
      import { syncBuiltinESMExports } from 'node:module'
      const { openSync, closeSync } = fs
      const cell = new Int32Array(new SharedArrayBuffer(4))
      let file
      fs.openSync = (path, ...others) => {
        const descriptor = openSync(path, ...others)
        if (String(path).endsWith('ambassador.yaml')) file = descriptor
        return descriptor
      }
      fs.closeSync = (descriptor) => {
        closeSync(descriptor)
        if (descriptor !== file || fs.existsSync('${gate}')) return
        fs.writeSync(1, 'stands still\\n')
        while (!fs.existsSync('${gate}')) Atomics.wait(cell, 0, 0, 5)
      }
      syncBuiltinESMExports()`
    return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` }
  }

  it('are kept while it starts, and obeyed then', async () => {
    const gate = join(directory, 'gate')
    await start([], standsStillUntil(gate), 'stands still')
    // Not the one that makes the log say less: several that come together come in any order.
    const signals = signalsThat('reload', 'louder', 'ignore')
    for (const signal of signals) process.kill(child.pid, signal)
    configure(200)
    writeFileSync(gate, '')
    await until(() => child.output.includes('accepting clients'), LOOK_MS)
    await expectServing()
    expect(child.output).to.not.include('Debugger')
    for (const signal of signals) await until(() => linesAbout(signal).length === 1, LOOK_MS)
    expect(linesAbout('SIGHUP')[0]?.msg).to.equal('configuration reloaded')
  })

  it('SIGTERM while it starts ends it with 0', async () => {
    const gate = join(directory, 'gate')
    await start([], standsStillUntil(gate), 'stands still')
    process.kill(child.pid, 'SIGTERM')
    writeFileSync(gate, '')
    expect(await child.exited).to.equal(0)
    expect(lines().at(-1)?.msg).to.equal('stopped')
  })

  it('do no harm while it drains, up to its end', async () => {
    const silent = await startFakeShard(() => undefined)
    const drains = ['--request-timeout-ms', '0', '--drain-timeout-ms', '300']
    await start(['--shards', `a=127.0.0.1:${silent.port}`, ...drains])
    const client = await connectRaw(port)
    client.write(encodeRequest('GET', 'never'))
    await silent.nextRequest()
    process.kill(child.pid, 'SIGTERM')
    let ended = false
    void child.exited.then(() => {
      ended = true
    })
    while (!ended) {
      for (const signal of HARMLESS) if (!ended) sendIfThere(signal)
      await pause(1)
    }
    expect(await child.exited).to.equal(0)
    await client.close()
    await silent.stop()
  })

  function sendIfThere(signal: NodeJS.Signals): void {
    try {
      process.kill(child.pid, signal)
    } catch (error) {
      // It ends just now.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  it('that open a debugger before the first line leave none open', async () => {
    // What Node does on SIGUSR1 then: it opens one, unasked.
    const script = `(await import('node:inspector')).default.open(0)`
    const preload = `--import=data:text/javascript,${encodeURIComponent(script)}`
    await start([], { NODE_OPTIONS: preload })
    const [, debuggerPort = ''] =
      /Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(child.output) ?? []
    expect(Number(debuggerPort)).to.be.above(0)
    await expectServing()
    const refused = await connectRaw(Number(debuggerPort)).then(
      () => false,
      () => true,
    )
    expect(refused).to.equal(true)
  })

  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) {
    it(`${signal} ends another subcommand as it ends any program`, async () => {
      // It waits for the answer of a server that gives none.
      const silent = await startFakeShard(() => undefined, { handshake: false })
      const shards = ['--shards', `a=127.0.0.1:${silent.port}`, '--connect-timeout-ms', '5000']
      child = new Child({
        command: process.execPath,
        args: [BIN, 'doctor', ...shards],
        env: cleanEnvironment(),
        ready: { log: '' },
      })
      await silent.connection(1)
      process.kill(child.pid, 'SIGUSR1')
      process.kill(child.pid, signal)
      expect(await child.exited).to.equal(signal)
      expect(child.output).to.not.include('Debugger')
      await silent.stop()
    })
  }

  it('are all known to the system', () => {
    for (const signal of SIGNALS.flatMap(({ signals }) => signals)) {
      expect(constants.signals, signal).to.have.property(signal)
    }
  })
})
