/** The log of the real process, in real pipes whose readers leave or fall asleep. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { LOG_BYTES_WAITING_MAX } from '../../lib/limits.ts'
import { BIN, cleanEnvironment } from '../support/bin.ts'
import { type Child, startChild } from '../support/child.ts'
import { http } from '../support/http.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

/** Mistakes in the configuration, each of which is a log line at each reload. */
const MISTAKES = 500
/** More than the pipe (64 KB) and our own queue take: a line has more than 200 bytes. */
const RELOADS = Math.ceil((1.5 * LOG_BYTES_WAITING_MAX) / (MISTAKES * 200))

describe('the log pipe of redis-ambassador start', () => {
  let redis: RedisServer
  let file: string
  /** Once it is there, a reader that waits for it goes on. It looks: sh knows no event for a file. */
  let gate: string
  let port: number
  let adminPort: number
  let shell: Child

  before(async () => {
    redis = await startRedis()
  })
  after(() => redis.stop())

  /** What `reader` says in shell gets the log; the process's exit code is printed to stderr. */
  async function startInto(reader: string): Promise<void> {
    port = await freePort()
    adminPort = await freePort()
    writeFileSync(file, `shards: a=127.0.0.1:${redis.port}\n`)
    shell = await startChild({
      command: 'sh',
      args: ['-c', `{ "$@"; echo "code $?" >&2; } | { ${reader}; }`, 'sh', process.execPath, BIN],
      env: cleanEnvironment({
        AMBASSADOR_CONFIG: file,
        AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
        AMBASSADOR_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
        NODE_ENV: 'production',
      }),
      ready: { listens: [{ port }, { port: adminPort }] },
    })
  }

  beforeEach(() => {
    const directory = temporaryFiles()
    file = join(directory, 'ambassador.yaml')
    gate = join(directory, 'gate')
  })

  afterEach(async () => {
    writeFileSync(gate, '')
    // Gone already, unless the spec has failed.
    await post('/drain').catch(() => {})
    await shell.exited
  })

  function post(path: string) {
    return http({ port: adminPort, path, method: 'POST' })
  }

  /** Writes some megabytes to the log while a client is served. */
  async function floodLog(): Promise<void> {
    const mistakes = Array.from({ length: MISTAKES }, (_, i) => `  - s${i}=127.0.0.1:none\n`)
    writeFileSync(file, `shards:\n${mistakes.join('')}`)
    const client = await connectRaw(port)
    for (let i = 0; i < RELOADS; i++) {
      expect((await post('/reload')).status).to.equal(422)
      expect(String(await client.request('SET', 'k', `${i}`))).to.equal('+OK\r\n')
    }
    await client.close()
  }

  async function drain(): Promise<void> {
    const ended = shell.ready({ log: 'code 0' })
    expect((await post('/drain')).status).to.equal(202)
    await ended
  }

  it('may lose its reader, as with `| head -1`', async () => {
    await startInto('head -n 1')
    await floodLog()
    await drain()
    const [line = ''] = shell.output.split('\n')
    expect(JSON.parse(line)).to.include({ service: 'redis-ambassador' })
  })

  it('may have a reader that reads no more: nobody waits, and no memory is lost', async () => {
    await startInto(`until [ -e ${gate} ]; do sleep 0.05; done`)
    await floodLog()
    const { residentBytes } = JSON.parse(
      (await http({ port: adminPort, path: '/stats' })).body,
    ).process
    expect(residentBytes).to.be.below(300e6)
    await drain()
  })

  it('says how much was lost when its reader goes on', async () => {
    const log = `${gate}.log`
    await startInto(`until [ -e ${gate} ]; do sleep 0.05; done; exec cat > ${log}`)
    await floodLog()
    writeFileSync(gate, '')
    let text = ''
    while (!text.includes('log lines were dropped')) {
      // Something to say, once there is room.
      await post('/reload')
      text = readFileSync(log, { encoding: 'utf8', flag: 'a+' })
    }
    await drain()
    // The reader is behind the process.
    await shell.exited
    const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
    for (const line of lines) JSON.parse(line)
    expect(lines.at(-1)).to.include('"msg":"stopped"')
  })
})
