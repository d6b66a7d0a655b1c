/** Two workers as one ambassador: the real process over real Redis servers. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { WORKER_IDS } from '../../lib/limits.ts'
import { runBin, startBin } from '../support/bin.ts'
import type { Child } from '../support/child.ts'
import { encodeRequest } from '../support/frames.ts'
import { http } from '../support/http.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { until } from '../support/until.ts'

const NAMES = ['a', 'b', 'c']

/** Keeps a shard busy for so many microseconds. */
const BUSY =
  "local s = redis.call('TIME') repeat local n = redis.call('TIME') " +
  'until (n[1] - s[1]) * 1000000 + n[2] - s[2] > tonumber(ARGV[1]) return 1'

/** A client, and the worker that serves it. */
interface Served {
  readonly client: RawClient
  readonly id: number
  /** From 0 on, also over successors: the workers in the order in which they were started. */
  readonly worker: number
}

describe('two workers', () => {
  const redises: RedisServer[] = []
  let child: Child
  let port: number
  let adminPort: number
  let file: string
  const clients: RawClient[] = []

  before(async () => {
    for (const _ of NAMES) redises.push(await startRedis())
  })

  after(async () => {
    for (const redis of redises) await redis.stop()
  })

  beforeEach(async () => {
    port = await freePort()
    adminPort = await freePort()
    file = join(temporaryFiles(), 'ambassador.yaml')
    await start()
  })

  afterEach(async () => {
    for (const client of clients.splice(0)) client.socket.destroy()
    await child.kill('SIGTERM')
  })

  function configure(options: string): void {
    const shards = redises.map((redis, at) => `${NAMES[at]}=127.0.0.1:${redis.port}`)
    writeFileSync(
      file,
      `workers: 2\nlisten: 127.0.0.1:${port}\nadminListen: 127.0.0.1:${adminPort}\n` +
        `shards: [${shards.join(', ')}]\ndrainTimeoutMs: 5000\nrequestTimeoutMs: 20000\n${options}`,
    )
  }

  async function start(options = ''): Promise<void> {
    configure(options)
    child = await startBin(['--config', file, '--log-format', 'json'], {})
  }

  async function restart(options: string): Promise<void> {
    await child.kill('SIGTERM')
    await start(options)
  }

  async function connect(): Promise<Served> {
    const client = await connectRaw(port)
    clients.push(client)
    const id = Number((await client.request('CLIENT', 'ID')).toString().slice(1))
    return { client, id, worker: Math.floor(id / WORKER_IDS) }
  }

  /** A client of each of two workers. Who gets a connection is not for us to say, but each is asked in turn. */
  async function oneOfEach(): Promise<readonly [Served, Served]> {
    const first = await connect()
    for (;;) {
      const other = await connect()
      if (other.worker !== first.worker) return [first, other]
      await leave(other)
    }
  }

  /** Until nobody counts it. */
  async function leave({ client, id }: Served): Promise<void> {
    clients.splice(clients.indexOf(client), 1)
    await client.close()
    const [asking] = clients
    if (asking === undefined) return
    await until(async () => !(await text(asking, 'CLIENT', 'LIST')).includes(`id=${id} `))
  }

  async function text(client: RawClient, ...words: string[]): Promise<string> {
    return (await client.request(...words)).toString()
  }

  async function page(path: string): Promise<string> {
    return (await http({ port: adminPort, path })).body
  }

  async function metric(line: string): Promise<number> {
    const found = (await page('/metrics')).split('\n').find((each) => each.startsWith(`${line} `))
    return Number(found?.split(' ').at(-1))
  }

  function log(): Record<string, unknown>[] {
    return child.output
      .split('\n')
      .flatMap((line) => (line.startsWith('{') ? JSON.parse(line) : []))
  }

  function logged(msg: string): Record<string, unknown> | undefined {
    return log().find((line) => line['msg'] === msg)
  }

  /** Of the processes whose parent is ours those that serve. */
  function workerPids(): number[] {
    const path = `/proc/${child.pid}/task/${child.pid}/children`
    return readFileSync(path, 'latin1').trim().split(' ').map(Number)
  }

  it('serve clients in turn, at one address, with one banner and one admin endpoint', async () => {
    const [one, other] = await oneOfEach()
    expect(await text(one.client, 'SET', 'k', 'v')).to.equal('+OK\r\n')
    expect(await text(other.client, 'GET', 'k')).to.equal('$1\r\nv\r\n')
    expect(log().filter(({ msg }) => msg === 'accepting clients')).to.have.length(1)
    expect(logged('accepting clients')?.['workers']).to.equal(2)
    expect(await page('/readyz?verbose')).to.equal('ok\nshard a up\nshard b up\nshard c up\n')
    expect(await metric('ambassador_workers')).to.equal(2)
  })

  it('add up what they count', async () => {
    const [one, other] = await oneOfEach()
    for (const { client } of [one, other, one]) await client.request('GET', 'counted')
    expect(await metric('ambassador_requests_total{command="get"}')).to.equal(3)
    const stats = JSON.parse(await page('/stats'))
    expect(stats.clients).to.equal(2)
    expect(stats.clientsMax).to.equal(10_000)
    expect(stats.commands.find(({ name }: { name: string }) => name === 'get').requests).to.equal(3)
    expect(await text(one.client, 'AMBASSADOR', 'STATS')).to.include(
      '$18\r\nambassador_clients\r\n:2\r\n',
    )
    expect(await text(other.client, 'INFO', 'clients')).to.include('connected_clients:2\r\n')
    expect(JSON.parse(await page('/route?key=k')).shard).to.be.oneOf(NAMES)
  })

  it('list and close the clients of both, with ids that are nobody else’s', async () => {
    const [one, other] = await oneOfEach()
    const list = await text(one.client, 'CLIENT', 'LIST')
    for (const { id } of [one, other]) expect(list).to.include(`id=${id} `)
    expect(await text(one.client, 'CLIENT', 'LIST', 'ID', `${other.id}`)).to.include(
      `id=${other.id} `,
    )
    expect(await text(one.client, 'CLIENT', 'LIST', 'TYPE', 'pubsub')).to.not.include('id=')
    expect(await text(one.client, 'CLIENT', 'KILL', 'ID', 'x')).to.match(/^-ERR client-id/)
    expect(await text(one.client, 'CLIENT', 'KILL', 'ID', `${other.id}`)).to.equal(':1\r\n')
    await other.client.closed()
    await leave(other)
    const third = await sibling(one)
    const { localPort } = third.client.socket
    expect(await text(one.client, 'CLIENT', 'KILL', `127.0.0.1:${localPort}`)).to.equal('+OK\r\n')
    await third.client.closed()
    await leave(third)
    expect(await text(one.client, 'CLIENT', 'KILL', '127.0.0.1:1')).to.match(/^-ERR No such client/)
    const fourth = await sibling(one)
    expect(await text(one.client, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no')).to.equal(
      ':2\r\n',
    )
    await Promise.all([one.client.closed(), fourth.client.closed()])
    clients.length = 0
  })

  /** A client of another worker. */
  async function sibling({ worker }: Served): Promise<Served> {
    for (;;) {
      const other = await connect()
      if (other.worker !== worker) return other
      await leave(other)
    }
  }

  it('unblock a client of the other, in the order of requests', async () => {
    const [one, other] = await oneOfEach()
    other.client.write(encodeRequest('BLPOP', 'nothing-comes', '0'))
    await until(async () => (await text(one.client, 'CLIENT', 'LIST')).includes('flags=b'))
    one.client.write(encodeRequest('CLIENT', 'UNBLOCK', `${other.id}`, 'ERROR'))
    one.client.write(encodeRequest('PING'))
    expect((await one.client.reply()).toString()).to.equal(':1\r\n')
    expect((await one.client.reply()).toString()).to.equal('+PONG\r\n')
    expect((await other.client.reply()).toString()).to.match(/^-UNBLOCKED/)
    expect(await text(one.client, 'CLIENT', 'UNBLOCK', `${other.id}`)).to.equal(':0\r\n')
    expect(await text(one.client, 'CLIENT', 'UNBLOCK', '12345')).to.equal(':0\r\n')
  })

  it('answer about all in a transaction, too', async () => {
    const [one, other] = await oneOfEach()
    await one.client.request('MULTI')
    await one.client.request('SET', 'in-transaction', '1')
    await one.client.request('CLIENT', 'LIST', 'ID', `${other.id}`)
    await one.client.request('INCR', 'in-transaction')
    const reply = await text(one.client, 'EXEC')
    expect(reply).to.match(/^\*3\r\n\+OK\r\n\$/)
    expect(reply)
      .to.include(`id=${other.id} `)
      .and.match(/:2\r\n$/)
  })

  it('have one slow log, and one list of hot keys and large replies', async () => {
    await restart('slowRequestMs: 1\nbigReplyBytes: 1000\nhotKeys: yes\nshowKeys: clear\n')
    const [one, other] = await oneOfEach()
    for (const { client } of [one, other]) {
      await client.request('SET', 'large', 'x'.repeat(2000))
      await client.request('GET', 'large')
      await client.request('EVAL', BUSY, '1', 'slow', '20000')
    }
    const slow = JSON.parse(await page('/slowlog')).entries as { id: number; command: string }[]
    const evals = slow.filter(({ command }) => command === 'eval')
    expect(evals).to.have.length(2)
    expect(new Set(slow.map(({ id }) => id)).size).to.equal(slow.length)
    const big = JSON.parse(await page('/bigreplies')).entries
    expect(big).to.have.length(1)
    expect(big[0]).to.include({ command: 'get', key: 'large', times: 2 })
    expect(await text(one.client, 'AMBASSADOR', 'BIGREPLIES', 'LEN')).to.equal(':1\r\n')
    expect(await text(one.client, 'AMBASSADOR', 'SLOWLOG', 'RESET')).to.equal('+OK\r\n')
    const after = JSON.parse(await page('/slowlog')).entries as { command: string }[]
    expect(after.filter(({ command }) => command === 'eval')).to.deep.equal([])
    expect(JSON.parse(await page('/hotkeys')).enabled).to.equal(true)
  })

  it('row 120: are replaced when they die: their clients are closed, and nobody else notices', async () => {
    const [one, other] = await oneOfEach()
    const before = await metric('ambassador_requests_total{command="client|id"}')
    const [victim] = workerPids()
    process.kill(victim as number, 'SIGKILL')
    const gone = await Promise.race([
      one.client.closed().then(() => one),
      other.client.closed().then(() => other),
    ])
    const left = gone === one ? other : one
    clients.splice(clients.indexOf(gone.client), 1)
    expect(await text(left.client, 'SET', 'still', 'here')).to.equal('+OK\r\n')
    await until(() => logged('worker replaced') !== undefined)
    expect(logged('worker died')).to.include({ pid: victim, signal: 'SIGKILL' })
    // The new one has yet to reach its shards.
    await until(async () => (await page('/readyz')) === 'ok\n')
    expect(await metric('ambassador_worker_deaths_total')).to.equal(1)
    // What the dead worker had counted by the last scrape still counts.
    expect(await metric('ambassador_requests_total{command="client|id"}')).to.be.at.least(before)
    const next = await sibling(left)
    expect(next.worker).to.equal(2)
  })

  it('row 121: close clients on their way to a worker that dies', async () => {
    const [victim] = workerPids()
    let opened = 0
    const endings: Promise<void>[] = []
    process.kill(victim as number, 'SIGSTOP')
    // The other one answers its clients; those of the victim wait.
    while (opened < 8) {
      const client = await connectRaw(port)
      clients.push(client)
      opened++
      client.write(encodeRequest('PING'))
      endings.push(
        Promise.race([
          client.closed(),
          client.reply().then(
            () => {},
            () => {},
          ),
        ]),
      )
    }
    process.kill(victim as number, 'SIGKILL')
    await Promise.all(endings)
  })

  it('take over a changed configuration together, and refuse a wrong one together', async () => {
    const [one, other] = await oneOfEach()
    configure('maxClients: 77\n')
    const reload = await http({ port: adminPort, path: '/reload', method: 'POST' })
    expect(JSON.parse(reload.body)).to.deep.equal({ changed: ['maxClients'], afterRestart: [] })
    for (const { client } of [one, other]) {
      expect(await text(client, 'CONFIG', 'GET', 'maxclients')).to.include('\r\n77\r\n')
    }
    configure('maxClients: none\n')
    expect((await http({ port: adminPort, path: '/reload', method: 'POST' })).status).to.equal(422)
    for (const { client } of [one, other]) {
      expect(await text(client, 'CONFIG', 'GET', 'maxclients')).to.include('\r\n77\r\n')
    }
    expect(await metric('ambassador_config_reloads_total{outcome="failed"}')).to.equal(1)
    expect(await metric('ambassador_config_reloads_total{outcome="succeeded"}')).to.equal(1)
  })

  it('share maxClients: the parts add up to it', async () => {
    await restart('maxClients: 3\n')
    const answers: string[] = []
    for (let i = 0; i < 8; i++) {
      const client = await connectRaw(port)
      clients.push(client)
      client.write(encodeRequest('PING'))
      answers.push((await client.reply()).toString())
    }
    expect(answers.filter((answer) => answer === '+PONG\r\n')).to.have.length(3)
    expect(answers.filter((answer) => answer.startsWith('-ERR max number'))).to.have.length(5)
  })

  it('drain together: what is in flight is answered, and the process ends with 0', async () => {
    const [one, other] = await oneOfEach()
    for (const { client } of [one, other])
      client.write(encodeRequest('EVAL', BUSY, '1', 'k', '500000'))
    await until(async () => JSON.parse(await page('/stats')).inFlight === 2)
    process.kill(child.pid, 'SIGTERM')
    for (const { client } of [one, other])
      expect((await client.reply()).toString()).to.equal(':1\r\n')
    await Promise.all([one.client.closed(), other.client.closed()])
    expect(await child.exited).to.equal(0)
    expect(logged('stopped')).to.not.equal(undefined)
  })

  it('end at once with the process that looks after them', async () => {
    const pids = workerPids()
    await child.kill('SIGKILL')
    await until(() => pids.every((pid) => !isAlive(pid)))
    await start()
  })

  it('share a unix socket that is their user’s alone', async () => {
    const path = join(temporaryFiles(), 'a.sock')
    const listen = `--listen=unix://${path}`
    await child.kill('SIGTERM')
    child = await startBin(['--config', file, listen, '--log-format', 'json'], {})
    expect(statSync(path).mode & 0o777).to.equal(0o600)
    const ids = new Set<number>()
    while (ids.size < 2) {
      const client = await connectRaw({ path })
      clients.push(client)
      const id = Number((await client.request('CLIENT', 'ID')).toString().slice(1))
      ids.add(Math.floor(id / WORKER_IDS))
    }
  })

  it('end with 69 when their address is in use, and say so once', async () => {
    const { code, stdout } = await runBin([
      ...['--config', file, '--log-format', 'json', '--admin-listen', 'off'],
    ])
    expect(code).to.equal(69)
    const lines = stdout.split('\n').filter((line) => line.includes('EADDRINUSE'))
    expect(lines).to.have.length(1)
    expect(lines[0]).to.include('cannot serve')
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A process that has ended and was not waited for counts as ended.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return false
  }
}
