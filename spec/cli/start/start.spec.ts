/** start: serves until it is told to stop; what it logs, and with which code it ends. */
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { packageVersion } from '../../../lib/config/package-directory.ts'
import { runBin, startBin } from '../../support/bin.ts'
import type { Child } from '../../support/child.ts'
import { http } from '../../support/http.ts'
import { freePort } from '../../support/ports.ts'
import { connectRaw } from '../../support/raw-client.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'

interface Line {
  readonly msg: string
  readonly level: string
  readonly [fact: string]: unknown
}

function lines(child: Child): Line[] {
  return child.output
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
}

describe('redis-ambassador start', () => {
  let redis: RedisServer
  let variables: NodeJS.ProcessEnv
  let port: number
  const started: Child[] = []

  before(async () => {
    redis = await startRedis()
  })

  after(() => redis.stop())

  beforeEach(async () => {
    port = await freePort()
    variables = {
      AMBASSADOR_SHARDS: `a=127.0.0.1:${redis.port}`,
      AMBASSADOR_LISTEN: `127.0.0.1:${port}`,
      AMBASSADOR_ADMIN_LISTEN: 'off',
      NODE_ENV: 'production',
    }
  })

  afterEach(async () => {
    for (const child of started.splice(0)) await child.kill()
  })

  async function start(args: readonly string[] = [], more: NodeJS.ProcessEnv = {}): Promise<Child> {
    const child = await startBin(args, { ...variables, ...more })
    started.push(child)
    return child
  }

  it('serves clients, says where and for whom, and ends with 0 when told to (row 57)', async () => {
    const child = await start()
    const client = await connectRaw(port)
    expect((await client.request('SET', 'start', '1')).toString()).to.equal('+OK\r\n')
    expect((await runBin(['healthcheck'], variables)).code).to.equal(0)
    await child.kill('SIGTERM')
    expect(await child.exited).to.equal(0)
    client.socket.destroy()
    const banner = lines(child).find(({ msg }) => msg === 'accepting clients')
    expect(banner).to.deep.include({
      level: 'info',
      environment: 'production',
      environmentSource: 'NODE_ENV',
      listen: [`127.0.0.1:${port}`],
      hash: 'murmur',
      distribution: 'ketama',
      version: packageVersion(),
      shards: { a: `127.0.0.1:${redis.port}` },
      shares: { a: '100.0 %' },
    })
    expect(lines(child).at(-1)?.msg).to.equal('stopped')
  })

  it('says which port it took when any would do', async () => {
    const child = await start(['--listen', '127.0.0.1:0'])
    const banner = lines(child).find(({ msg }) => msg === 'accepting clients')
    expect(banner?.['listen']).to.match(/^127\.0\.0\.1:[1-9][0-9]+$/)
    await child.kill('SIGINT')
    expect(await child.exited).to.equal(0)
  })

  it('says where the admin endpoint is', async () => {
    const child = await start(['--admin-listen', '127.0.0.1:0'])
    const banner = lines(child).find(({ msg }) => msg === 'accepting clients')
    const adminPort = Number(/^127\.0\.0\.1:(\d+)$/.exec(`${banner?.['adminListen']}`)?.[1])
    expect((await http({ port: adminPort, path: '/livez' })).status).to.equal(200)
    await child.kill('SIGTERM')
    expect(await child.exited).to.equal(0)
  })

  for (const [whose, flag] of [
    ['the port', '--listen'],
    ["the admin endpoint's port", '--admin-listen'],
  ] as const) {
    it(`ends with 69 and the reason when ${whose} is taken (row 60)`, async () => {
      const server: Server = createServer()
      const taken = await freePort()
      await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve))
      try {
        const { code, stdout } = await runBin(['start', flag, `127.0.0.1:${taken}`], variables)
        expect(code).to.equal(69)
        const line = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Line
        expect(line).to.include({ level: 'fatal', msg: 'cannot serve' })
        expect(line['reason']).to.include(`address already in use 127.0.0.1:${taken}`)
        expect(line['hint']).to.include(flag)
      } finally {
        await new Promise((resolve) => server.close(resolve))
      }
    })
  }

  it('ends with 1 when the system refuses the address for another reason', async () => {
    const path = `unix:${join(temporaryFiles(), 'none', 'socket')}`
    const { code, stdout } = await runBin(['start', '--listen', path], variables)
    expect(code).to.equal(1)
    expect(stdout).to.include('cannot serve')
  })

  it('ends at once on a second signal, although a client still waits (row 57)', async () => {
    const child = await start([], { AMBASSADOR_REQUEST_TIMEOUT_MS: '0' })
    const client = await connectRaw(port)
    await client.request('SET', 'k', 'v')
    await redis.kill('SIGSTOP')
    try {
      client.write('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n')
      const stopping = child.ready({ log: '"msg":"stopping"' })
      process.kill(child.pid, 'SIGTERM')
      await stopping
      process.kill(child.pid, 'SIGTERM')
      expect(await child.exited).to.equal(1)
      expect(lines(child).at(-1)).to.include({ msg: 'stopped at once', signal: 'SIGTERM' })
    } finally {
      await redis.kill('SIGCONT')
      client.socket.destroy()
    }
  })

  it('says once that a shard went away and once that it is back, whatever clients ask meanwhile', async () => {
    const child = await start()
    const client = await connectRaw(port)
    await client.request('PING')
    const down = child.ready({ log: '"msg":"shard down"' })
    await redis.kill()
    await down
    for (let i = 0; i < 100; i++) {
      expect(String(await client.request('GET', `k${i}`))).to.include('unavailable (not sent)')
    }
    await redis.restart()
    // It was up before: this is the second time.
    while (lines(child).filter(({ msg }) => msg === 'shard up').length < 2) {
      await client.request('PING')
    }
    await client.close()
    const changes = lines(child).filter(({ msg }) => /^shard (?:up|down)$/.test(msg))
    expect(changes.map(({ level, msg }) => `${level} ${msg}`)).to.deep.equal([
      'info shard up',
      'warn shard down',
      'info shard up',
    ])
  })

  it('logs each note of the configuration once', async () => {
    const child = await start(['--listen', `0.0.0.0:${port}`])
    const notes = lines(child).filter(({ note }) => note !== undefined)
    expect(notes.map(({ level }) => level)).to.deep.equal(['warn'])
    expect(String(notes[0]?.['note'])).to.match(
      /^INSECURE: 0\.0\.0\.0:\d+ is open to the network and no password/,
    )
  })

  it('logs no key, no value and no secret', async () => {
    const password = { AMBASSADOR_PASSWORD: 'hunter2' }
    const child = await start([], { ...password, AMBASSADOR_LOG_LEVEL: 'trace' })
    const client = await connectRaw(port)
    expect((await client.request('AUTH', 'hunter3')).toString()).to.match(/^-WRONGPASS/)
    await client.request('AUTH', 'hunter2')
    await client.request('SET', 'canary-key', 'canary-value')
    await child.kill('SIGTERM')
    client.socket.destroy()
    expect(child.output).to.include('stopped')
    expect(child.output).not.to.match(/canary|hunter/)
  })
})
