/** What faults do to the log, by their numbers in docs/faults.md: little, and all of it can be parsed. */
import { expect } from 'chai'
import { startAmbassador } from '../../lib/ambassador.ts'
import { LOG_BURST_LINES } from '../../lib/limits.ts'
import type { Logger, LogMethod } from '../../lib/logger.ts'
import { configFor, SILENT } from '../support/ambassador.ts'
import { startBin } from '../support/bin.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

/** A line as it was handed to the log. */
interface Line {
  readonly level: string
  readonly message: string
  readonly [fact: string]: unknown
}

function noting(lines: Line[]): Logger {
  const method =
    (level: string): LogMethod =>
    (facts, message) =>
      lines.push({ ...facts, level, message })
  return { ...SILENT, info: method('info'), warn: method('warn'), error: method('error') }
}

/** Between two looks at a server, milliseconds. */
const LOOK_MS = 20

describe('row 80: the log', () => {
  let lines: Line[]
  /** What a spec has started, the last first. */
  let started: { readonly stop: () => Promise<unknown> }[]

  beforeEach(() => {
    lines = []
    started = []
  })

  afterEach(async () => {
    for (const each of started) await each.stop()
  })

  interface Server {
    readonly port: number
    stop(): Promise<void>
  }

  async function start(shards: readonly Server[], flags: Readonly<Record<string, string>> = {}) {
    started.push(...shards)
    const ambassador = await startAmbassador(configFor(shards, flags), noting(lines))
    started.unshift(ambassador)
    return ambassador
  }

  function aboutShards(): string[] {
    return lines
      .filter(({ message }) => /^shard (?:up|down)$/.test(message))
      .map(({ level, message }) => `${level} ${message}`)
  }

  it('sums up what a shard does that flaps, and ends with what is true', async () => {
    const shard = await startFakeShard()
    const ambassador = await start([shard])
    // Each connection is taken, and dropped as soon as it is in use.
    for (let count = 1; count <= 5 * LOG_BURST_LINES; count++) {
      const connection = await shard.connection(count)
      await until(() => connection.requests.length > 0)
      await until(() => lines.length > 0)
      connection.reset()
    }
    expect(aboutShards().length).to.be.at.most(LOG_BURST_LINES)
    await shard.stop()
    await ambassador.stop()
    const told = lines.filter(({ shard: name }) => name === 'a')
    expect(told.length).to.be.at.most(LOG_BURST_LINES + 4)
    expect(told.some(({ times }) => Number(times) > 1)).to.equal(true)
    expect(told.at(-1)?.message).to.equal('shard down')
  })

  it('says nothing when a shard closes a connection that is idle, and stays up', async () => {
    const redis = await startRedis({ args: ['--timeout', '1'] })
    // It is no failure either for which a shard is ejected.
    const ejecting = { ejectShards: 'yes', ejectAfterFailures: '1' }
    await start([redis, await startRedis()], ejecting)
    const shard = await connectRaw(redis.port)
    started.unshift({ stop: () => shard.close() })
    await until(() => aboutShards().length === 2)
    const first = await connectionIds(shard)
    for (let renewed = 0, known = first; renewed < 2; renewed++) {
      let ids = known
      await until(async () => {
        ids = await connectionIds(shard)
        return ids.length > 0 && ids.every((id) => !known.includes(id))
      }, LOOK_MS)
      known = ids
    }
    expect(aboutShards()).to.deep.equal(['info shard up', 'info shard up'])
    expect(lines.filter(({ level }) => level !== 'info')).to.deep.equal([])
  })

  /** Runs `code` in the real process on SIGUSR2; resolves to all that it has printed once it has ended. */
  async function printed(code: string, ends: boolean): Promise<Line[]> {
    const script = `process.on('SIGUSR2', () => { ${code} })`
    const flags = ['--shards', 'a=127.0.0.1:1', '--listen', '127.0.0.1:0', '--admin-listen', 'off']
    const bin = await startBin([...flags, '--log-format', 'json'], {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}`,
    })
    started.push({ stop: () => bin.kill() })
    process.kill(bin.pid, 'SIGUSR2')
    if (!ends) {
      await until(() => bin.output.includes('signal ignored'))
      process.kill(bin.pid, 'SIGTERM')
    }
    expect(await bin.exited).to.equal(ends ? 1 : 0)
    // Standard output and standard error together.
    return bin.output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  }

  it('has what the runtime warns of, as JSON and with a bound', async () => {
    const printing = await printed(
      `for (let i = 0; i < 1000; i++) process.emitWarning('number ' + i, 'SomeWarning')
       new Promise((resolve) => setTimeout(resolve, 2 ** 31))`,
      false,
    )
    const warnings = printing.filter(({ msg }) => msg === 'the runtime warns')
    expect(warnings.length).to.be.within(1, LOG_BURST_LINES)
    expect(warnings[0]).to.include({ level: 'warn', warning: 'SomeWarning', reason: 'number 0' })
  })

  for (const [what, code] of [
    ['an exception', "throw new Error('boom')"],
    ['a rejected promise', "Promise.reject(new Error('boom'))"],
  ] as const) {
    it(`has ${what} that nobody catches, as JSON`, async () => {
      const last = (await printed(code, true)).at(-1)
      expect(last).to.include({ level: 'fatal', msg: 'failed' })
      expect(JSON.stringify(last?.['err'])).to.include('boom')
    })
  }

  /** Of the ambassador's connections, as the shard numbers them. */
  async function connectionIds(shard: RawClient): Promise<string[]> {
    const list = (await shard.request('CLIENT', 'LIST')).toString()
    return [...list.matchAll(/^id=(\d+) .* cmd=(?!client)/gm)].map(([, id]) => id ?? '')
  }
})
