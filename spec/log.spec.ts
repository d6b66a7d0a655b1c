/** The log: lines for machines, and a process that never waits for or dies with its reader. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { Writable } from 'node:stream'
import { expect } from 'chai'
import { LOG_BYTES_WAITING_MAX } from '../lib/limits.ts'
import { createLogger, type LogOptions } from '../lib/log.ts'
import { runChild } from './support/child.ts'

/** A reader that takes lines only when told to. */
class Reader extends Writable {
  text = ''
  #resume: (() => void) | undefined
  stalled = false

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const take = () => {
      this.text += chunk.toString()
      done()
    }
    if (this.stalled) this.#resume = take
    else take()
  }

  get lines(): Record<string, unknown>[] {
    return this.text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
  }

  resume(): void {
    this.stalled = false
    this.#resume?.()
  }
}

function options(output: Writable, more: Partial<LogOptions> = {}): LogOptions {
  return { level: 'info', format: 'json', environment: 'test', version: '1.2.3', output, ...more }
}

describe('createLogger', () => {
  it('writes one JSON object a line, with level, time, service and facts', async () => {
    const reader = new Reader()
    const logger = await createLogger(options(reader))
    logger.info({ shard: 'a' }, 'shard up')
    logger.debug({}, 'not important enough')
    await logger.drained()
    const [line, ...others] = reader.lines
    expect(others).to.deep.equal([])
    expect(line).to.include({
      level: 'info',
      service: 'redis-ambassador',
      version: '1.2.3',
      environment: 'test',
      shard: 'a',
      msg: 'shard up',
    })
    expect(line?.['time']).to.match(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z$/)
  })

  it('writes text for people when asked to', async () => {
    const reader = new Reader()
    const logger = await createLogger(options(reader, { format: 'pretty' }))
    logger.warn({ shard: 'a' }, 'shard down')
    await logger.drained()
    expect(reader.text).to.match(/WARN.*: shard down .*"shard":"a"/)
  })

  it('tells people who it is in the banner alone', async () => {
    const reader = new Reader()
    const logger = await createLogger(options(reader, { format: 'pretty' }))
    logger.info({ environmentSource: 'NODE_ENV' }, 'accepting clients')
    logger.info({}, 'stopped')
    await logger.drained()
    expect(reader.text).to.match(
      /: redis-ambassador 1\.2\.3 in test: accepting clients .*"NODE_ENV"/,
    )
    expect(reader.text).to.match(/: stopped\n$/)
  })

  it('locks secrets out even when they are handed in', async () => {
    const reader = new Reader()
    const logger = await createLogger(options(reader))
    logger.error({ password: 'hunter2', shard: { url: 'hunter2', password: 'hunter2' } }, 'oops')
    await logger.drained()
    expect(reader.text).to.include('oops').and.not.to.include('hunter2')
  })

  it('drops lines when too many wait, and says how many once there is room', async () => {
    const reader = new Reader()
    const logger = await createLogger(options(reader))
    reader.stalled = true
    const filler = 'x'.repeat(1000)
    const count = Math.ceil(LOG_BYTES_WAITING_MAX / 1000) + 500
    for (let i = 0; i < count; i++) logger.info({ filler }, 'line')
    expect(reader.writableLength).to.be.below(LOG_BYTES_WAITING_MAX + 2000)
    reader.resume()
    await logger.drained()
    logger.info({}, 'after')
    await logger.drained()
    const written = reader.lines.filter(({ msg }) => msg === 'line').length
    const lost = reader.lines.find(({ dropped }) => dropped !== undefined)
    expect(written).to.be.below(count)
    expect(lost?.['dropped']).to.equal(count - written)
    expect(reader.lines.at(-1)?.['msg']).to.equal('after')
  })

  it('survives a reader that fails', async () => {
    const failing = new Writable({
      write(_chunk, _encoding, done) {
        done(new Error('EPIPE'))
      },
    })
    const logger = await createLogger(options(failing))
    logger.info({}, 'first')
    await logger.drained()
    logger.info({}, 'second')
    await logger.drained()
    expect(failing.destroyed).to.equal(true)
  })

  it('ends although nobody reads', async () => {
    const reader = new Reader()
    reader.stalled = true
    const logger = await createLogger(options(reader))
    logger.info({}, 'waiting for ever')
    await logger.drained()
    expect(reader.text).to.equal('')
  })
})

describe('row 66: a process with a log', () => {
  /** Logs 2 MB to its standard output, says so on stderr, and exits with 7. */
  const module = new URL('../lib/log.js', import.meta.url).href
  const script = `
    const { createLogger } = await import('${module}')
    const logger = await createLogger({ level: 'info', format: 'json', environment: '', version: '' })
    for (let i = 0; i < 2000; i++) logger.info({ filler: 'x'.repeat(1000) }, 'line')
    await logger.drained()
    process.stderr.write('logged')
    process.exit(7)`

  function run(stdout: 'pipe' | number) {
    const args = ['--input-type=module', '-e', script]
    return spawn(process.execPath, args, { stdio: ['ignore', stdout, 'pipe'] })
  }

  it('neither waits for a pipe that nobody reads nor hangs at its end', async () => {
    const child = run('pipe')
    const [code] = await once(child, 'exit')
    expect(code).to.equal(7)
    child.stdout?.destroy()
  })

  it('outlives a pipe that is closed', async () => {
    const child = run('pipe')
    child.stdout?.destroy()
    const [code] = await once(child, 'exit')
    expect(code).to.equal(7)
  })

  it('logs JSON, with one warning, where pino-pretty is not installed', async () => {
    const hook = `export const resolve = (name, context, next) => {
      if (name === 'pino-pretty') throw new Error('not installed')
      return next(name, context)
    }`
    const script = `
      const { register } = await import('node:module')
      register('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(hook))})
      const { createLogger } = await import('${module}')
      const options = { level: 'info', format: 'pretty', environment: '', version: '' }
      ;(await createLogger(options)).info({}, 'line')`
    const { code, stdout } = await runChild(process.execPath, ['--input-type=module', '-e', script])
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect([code, lines.map(({ level, msg }) => `${level} ${msg}`)]).to.deep.equal([
      0,
      ['warn pretty logs need an optional package; logging JSON', 'info line'],
    ])
  })

  it('outlives a full disk', async () => {
    const full = openSync('/dev/full', 'w')
    const child = run(full)
    closeSync(full)
    const [code] = await once(child, 'exit')
    expect(code).to.equal(7)
  })
})
