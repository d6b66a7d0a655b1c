import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import {
  type AmbassadorUnderTest,
  configFor,
  keysOn,
  startAmbassadorFor,
} from '../support/ambassador.ts'
import { startCluster } from '../support/cluster.ts'
import { startAmbassadorForCluster } from '../support/cluster-ambassador.ts'
import { type FakeRequest, type FakeShard, startFakeShard } from '../support/fake-shard.ts'
import { http } from '../support/http.ts'
import { LogLines } from '../support/log-lines.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'
import { TokenProgram } from '../support/token-program.ts'
import { until } from '../support/until.ts'

/** A connection waits for its first token, however long the program takes on a busy machine. */
const PATIENT = { connectTimeoutMs: '20000' }

/** So that a token is renewed each second. */
const LIFE_SECONDS = 2

describe('credentials that expire', () => {
  let redis: RedisServer
  let direct: RawClient
  let log: LogLines
  let program: TokenProgram
  let ambassador: AmbassadorUnderTest

  before(async () => {
    redis = await startRedis()
    direct = await connectRaw(redis.port)
  })

  beforeEach(async () => {
    await direct.request('ACL', 'SETUSER', 'app', 'reset')
    await direct.request('FLUSHALL')
    log = new LogLines()
    program = new TokenProgram(LIFE_SECONDS, [redis.port])
  })

  afterEach(async () => {
    await ambassador.stop()
    const text = JSON.stringify(log.lines)
    for (const token of program.tokens) expect(text).to.not.include(token)
  })

  after(async () => {
    await direct.close()
    await redis.stop()
  })

  async function start(flags: Readonly<Record<string, string>> = {}): Promise<void> {
    const shardAuthCommand = program.command
    ambassador = await startAmbassadorFor([redis], { shardAuthCommand, ...PATIENT, ...flags }, log)
  }

  /** Of the connections that are the ambassador's, number and age at the shard. */
  async function connections(): Promise<string[]> {
    const list = (await direct.request('CLIENT', 'LIST')).toString()
    return [...list.matchAll(/^id=(\d+) .* cmd=(?!command|info|hello).*? user=app /gm)].map(
      ([, id]) => id as string,
    )
  }

  async function renewals(count: number): Promise<void> {
    const known = program.tokens.length
    await until(() => program.tokens.length >= known + count, 20)
  }

  it('row 87: are renewed under load without an error, in order, over the same connections', async () => {
    await start()
    const clients = await Promise.all(Array.from({ length: 4 }, () => ambassador.connect()))
    await clients[0]?.request('PING')
    let running = true
    let before: string[] = []
    const load = clients.map(async (client, at) => {
      let count = 0
      while (running) {
        const replies = await Promise.all(
          Array.from({ length: 20 }, () => client.request('INCR', `n${at}`)),
        )
        for (const reply of replies) expect(reply.toString()).to.equal(`:${++count}\r\n`)
        if (before.length === 0) before = await connections()
      }
    })
    await renewals(3)
    running = false
    await Promise.all(load)
    const after = await connections()
    expect(after).to.include.members(before)
    const told = log.lines.filter(({ message }) => /credential|down/.test(message))
    expect(told.map(({ message }) => message)).to.deep.equal(['shard credentials are there'])
  })

  it('leave a transaction alone until its end, and a blocked client', async () => {
    await start()
    const [changes, waits] = [await ambassador.connect(), await ambassador.connect()] as const
    await changes.request('WATCH', 'k')
    await changes.request('MULTI')
    await changes.request('SET', 'k', '1')
    waits.write('BLPOP q 0\r\n')
    await until(async () => (await direct.request('CLIENT', 'LIST')).includes('cmd=blpop'))
    const before = await connections()
    await renewals(2)
    expect((await changes.request('EXEC')).toString()).to.equal('*1\r\n+OK\r\n')
    expect((await changes.request('RPUSH', 'q', 'job')).toString()).to.equal(':1\r\n')
    expect((await waits.reply()).toString()).to.include('job')
    await renewals(1)
    await changes.request('MULTI')
    await changes.request('GET', 'k')
    expect((await changes.request('EXEC')).toString()).to.equal('*1\r\n$1\r\n1\r\n')
    expect(await connections()).to.include.members(before)
  })

  for (const protocol of [2, 3] as const) {
    it(`leave subscribers that speak RESP${protocol} alone`, async () => {
      await start()
      const subscriber = await ambassador.connect(protocol)
      const publisher = await ambassador.connect()
      await subscriber.request('SUBSCRIBE', 'news')
      await subscriber.request('PSUBSCRIBE', 'n?ws')
      const idOf = async () =>
        /^id=\d+/m.exec(`${await direct.request('CLIENT', 'LIST', 'TYPE', 'pubsub')}`)
      const [before] = (await idOf()) ?? []
      await renewals(2)
      const large = 'x'.repeat(3_000_000)
      for (const text of ['short', large]) {
        await publisher.request('PUBLISH', 'news', text)
        const first = protocol === 2 ? '*' : '>'
        const messages = await subscriber.replies(2)
        expect(messages.map((each) => each.toString('latin1', 0, 21)).join()).to.equal(
          `${first}3\r\n$7\r\nmessage\r\n$4\r\n,${first}4\r\n$8\r\npmessage\r\n$4\r`,
        )
        expect(messages[0]?.includes(text)).to.equal(true)
      }
      expect((await idOf())?.[0]).to.equal(before)
      await subscriber.request('UNSUBSCRIBE', 'news')
      await subscriber.request('PUNSUBSCRIBE', 'n?ws')
    })
  }

  it('stay in use while the program fails, and no secret is told', async () => {
    await start()
    const client = await ambassador.connect()
    await client.request('SET', 'k', 'v')
    const [token] = program.tokens
    program.instead(`console.log('token-x'); console.error('no: ${token} ' + 'y1'.repeat(20) + ' token-x')
      process.exit(3)`)
    await until(() => log.lines.some(({ message }) => message.includes('cannot be renewed')), 20)
    expect((await client.request('GET', 'k')).toString()).to.equal('$1\r\nv\r\n')
    await until(() => log.lines.some(({ message }) => message.includes('have ended')), 20)
    // Connections that there are go on.
    expect((await client.request('GET', 'k')).toString()).to.equal('$1\r\nv\r\n')
    program.instead(undefined)
    await renewals(1)
    await until(() => log.lines.filter(({ message }) => message.includes('are there')).length === 2)
    const told = log.lines.filter(({ message }) => message.includes('credentials'))
    expect(told.map(({ level, message }) => `${level} ${message}`)).to.deep.equal([
      'info shard credentials are there',
      'warn shard credentials cannot be renewed',
      'error shard credentials have ended',
      'info shard credentials are there',
    ])
    expect(told[1]?.facts).to.deep.include({
      source: 'command',
      name: 'token.js',
      reason: 'exited with 3: no: *** *** ***',
    })
  })

  it('may come late: requests are refused unsent until then, and served as soon as they are there', async () => {
    program.instead(`process.exit(1)`)
    await start({ requestTimeoutMs: '300' })
    await until(async () => / cmd=NULL /.test(`${await direct.request('CLIENT', 'LIST')}`), 20)
    const client = await ambassador.connect()
    expect((await client.request('GET', 'k')).toString()).to.equal(
      '-ERR ambassador: shard a unavailable (not sent)\r\n',
    )
    expect(log.lines).to.deep.include({
      level: 'warn',
      facts: { shard: 'a', reason: 'its credentials are not known' },
      message: 'shard down',
    })
    program.instead(undefined)
    await renewals(1)
    await until(async () => (await client.request('GET', 'k')).toString() === '$-1\r\n')
  })

  it('that the shard refuses leave connections as they are, and are asked for again', async () => {
    await start()
    const client = await ambassador.connect()
    await client.request('SET', 'k', 'v')
    const before = await connections()
    program.instead(`console.log('app\\nwrong-password')`)
    const said = (text: string) => log.lines.some(({ message }) => message.includes(text))
    await until(() => said('refuses the new credentials'), 20)
    expect((await client.request('GET', 'k')).toString()).to.equal('$1\r\nv\r\n')
    program.instead(undefined)
    await until(() => said('takes the credentials again'), 20)
    expect((await client.request('GET', 'k')).toString()).to.equal('$1\r\nv\r\n')
    expect(await connections()).to.deep.equal(before)
  })

  it('may stand in a file that another program renews', async () => {
    const shardAuthFile = join(temporaryFiles(), 'token')
    const give = async (password: string): Promise<void> => {
      await direct.request(
        'ACL',
        'SETUSER',
        'app',
        'on',
        'resetpass',
        `>${password}`,
        '~*',
        '+@all',
      )
      writeFileSync(`${shardAuthFile}.new`, `app\n${password}\n`)
      renameSync(`${shardAuthFile}.new`, shardAuthFile)
    }
    await give('first-secret')
    ambassador = await startAmbassadorFor([redis], { shardAuthFile, ...PATIENT }, log)
    const client = await ambassador.connect()
    expect((await client.request('SET', 'k', 'v')).toString()).to.equal('+OK\r\n')
    const before = await connections()
    const logins = async () => {
      const stats = `${await direct.request('INFO', 'commandstats')}`
      return Number(/cmdstat_auth:calls=(\d+)/.exec(stats)?.[1] ?? 0)
    }
    const loginsBefore = await logins()
    await give('second-secret')
    await until(async () => (await logins()) > loginsBefore, 20)
    expect((await client.request('GET', 'k')).toString()).to.equal('$1\r\nv\r\n')
    expect(await connections()).to.include.members(before)
    rmSync(shardAuthFile)
    await until(() => log.lines.some(({ message }) => message.includes('cannot be renewed')), 20)
    expect(log.lines.at(-1)?.facts).to.deep.include({ reason: 'does not exist' })
    expect((await client.request('GET', 'k')).toString()).to.equal('$1\r\nv\r\n')
    expect(JSON.stringify(log.lines)).to.not.include('secret')
  })

  it('are seen by operators: how old, how renewed, how taken', async () => {
    await start({ adminListen: '127.0.0.1:0' })
    const client = await ambassador.connect()
    await client.request('PING')
    await renewals(2)
    const page = async (path: string) => (await http({ port: ambassador.adminPort, path })).body
    const shard = async () => JSON.parse(await page('/stats')).shards[0]
    await until(async () => (await shard()).logins.succeeded > 0, 20)
    const { credentials } = await shard()
    expect(credentials).to.include({ source: 'command', name: 'token.js', problem: null })
    expect(credentials.ageSeconds).to.be.within(0, 30)
    expect(credentials.endsInSeconds).to.be.at.most(LIFE_SECONDS)
    expect(credentials.renewals.succeeded).to.be.at.least(2)
    const text = await page('/metrics')
    for (const line of [
      /^ambassador_shard_credentials_age_seconds\{shard="a"\} \d+$/m,
      /^ambassador_shard_credentials_remaining_seconds\{shard="a"\} -?\d+$/m,
      /^ambassador_shard_credentials_renewals_total\{shard="a",outcome="succeeded"\} \d+$/m,
      /^ambassador_shard_credentials_renewals_total\{shard="a",outcome="failed"\} 0$/m,
      /^ambassador_shard_logins_total\{shard="a",outcome="succeeded"\} [1-9]\d*$/m,
    ]) {
      expect(text).to.match(line)
    }
    for (const token of program.tokens) expect(text + (await page('/stats'))).to.not.include(token)
  })

  it('lose to the password in the URL of a shard, and are taken up by a reload', async () => {
    await direct.request('ACL', 'SETUSER', 'fixed', 'on', '>its-own', '~*', '&*', '+@all')
    const [a = '', b = ''] = [0, 1].flatMap((shard) => keysOn(shard, 2))
    const url = `redis://fixed:its-own@127.0.0.1:${redis.port}/1`
    const shards = [url, redis]
    const shardAuthCommand = program.command
    ambassador = await startAmbassadorFor(shards, { shardAuthCommand, ...PATIENT }, log)
    const client = await ambassador.connect()
    for (const key of [a, b]) {
      expect((await client.request('SET', key, '1')).toString()).to.equal('+OK\r\n')
    }
    const users = (await direct.request('CLIENT', 'LIST')).toString()
    expect(users)
      .to.match(/ user=app /)
      .and.to.match(/ user=fixed /)
    const other = new TokenProgram(LIFE_SECONDS, [redis.port])
    const before = await connections()
    ambassador.reload(configFor(shards, { shardAuthCommand: other.command, ...PATIENT }))
    await until(() => other.tokens.length > 1, 20)
    expect((await client.request('GET', b)).toString()).to.equal('$1\r\n1\r\n')
    expect(await connections()).to.include.members(before)
    await direct.request('ACL', 'DELUSER', 'fixed')
  })
})

describe('credentials that expire, of a cluster', () => {
  it('are renewed under load, and the map is asked with the newest', async () => {
    const cluster = await startCluster({ masters: 2 })
    const program = new TokenProgram(
      LIFE_SECONDS,
      cluster.servers.map(({ port }) => port),
    )
    // Without a token nobody hears of the map.
    for (const server of cluster.servers) await server.ask('ACL', 'SETUSER', 'default', '-cluster')
    const flags = { ...PATIENT, shardAuthCommand: program.command }
    const ambassador = await startAmbassadorForCluster(cluster.addresses, flags)
    const client = await ambassador.connect()
    await until(async () => (await client.request('SET', 'k', 'v')).toString() === '+OK\r\n')
    const known = program.tokens.length
    while (program.tokens.length < known + 2) {
      for (const key of ['a', 'b', 'c', 'd']) {
        expect((await client.request('SET', key, 'v')).toString()).to.equal('+OK\r\n')
      }
    }
    for (const server of cluster.servers) {
      const list = `${await server.ask('CLIENT', 'LIST')}`
      expect(list).to.match(/ cmd=(?:set|auth|ping) .*user=app /)
    }
    await ambassador.stop()
    await cluster.stop()
  })
})

/** A shard that knows tokens, and closes connections whose token has ended. */
class StrictShard {
  readonly fake: FakeShard
  /** The last token that anybody came with. */
  newest = ''
  /** By connection, in the order in which they came. */
  readonly #tokens = new Map<FakeRequest['connection'], string>()

  private constructor(fake: FakeShard) {
    this.fake = fake
  }

  static async start(): Promise<StrictShard> {
    const fake = await startFakeShard((request) => strict.#answer(request), { handshake: false })
    const strict = new StrictShard(fake)
    return strict
  }

  #answer({ connection, args: [name, ...words], text }: FakeRequest): string {
    const word = `${name}`.toUpperCase()
    if (word === 'AUTH') {
      this.newest = `${words[1]}`
      this.#tokens.set(connection, this.newest)
      return '+OK\r\n'
    }
    if (!this.#tokens.has(connection)) return '-NOAUTH Authentication required.\r\n'
    if (word === 'PING') return '+PONG\r\n'
    return word === 'ECHO' ? `+${text.slice(5)}\r\n` : '+OK\r\n'
  }

  /** Closes all that have this token, as Entra ID's servers do. Returns how many. */
  end(token: string): number {
    const those = [...this.#tokens].filter(([{ socket }, each]) => each === token && !socket.closed)
    for (const [connection] of those) connection.close()
    return those.length
  }
}

describe('a server that closes connections whose token has ended', () => {
  it('has nothing to close', async () => {
    const shard = await StrictShard.start()
    const program = new TokenProgram(LIFE_SECONDS)
    const flags = { shardAuthCommand: program.command, ...PATIENT }
    const ambassador = await startAmbassadorFor([shard.fake], flags)
    const client = await ambassador.connect()
    await client.request('SET', 'k', '0')
    let running = true
    const load = (async () => {
      for (let n = 0; running; n++) {
        const replies = await Promise.all(
          [1, 2, 3].map((i) => client.request('SET', `k${i}`, `${n}`)),
        )
        expect(replies.map(String)).to.deep.equal(['+OK\r\n', '+OK\r\n', '+OK\r\n'])
      }
    })()
    for (let round = 0; round < 2; round++) {
      const ended = shard.newest
      await until(() => shard.newest !== ended, 20)
      expect(shard.end(ended)).to.equal(0)
    }
    running = false
    await load
    await ambassador.stop()
    await shard.fake.stop()
  })
})
