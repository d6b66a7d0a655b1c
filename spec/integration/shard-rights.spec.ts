/**
 * Shards that do not let us use every command: what a client's command does not need, its refusal does
 * not hinder, and what a shard refuses fails as it fails on that shard.
 */
import { hash } from 'node:crypto'
import { expect } from 'chai'
import type { Logger } from '../../lib/logger.ts'
import {
  type AmbassadorUnderTest,
  keysOn,
  SILENT,
  startAmbassadorFor,
} from '../support/ambassador.ts'
import { pipeline, send, texts } from '../support/pipeline.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

/** An application that reads, writes, waits, subscribes and runs scripts. It has no CLIENT and no PING. */
const APPLICATION = '+@read +@write +@blocking +@transaction +@pubsub +@scripting'

/** What we send of our own accord, beside what clients ask for. */
const OURS = ['CLIENT', 'PING', 'SELECT', 'INFO', 'COMMAND', 'ECHO', 'TIME']

const SCRIPT = "return redis.call('GET',KEYS[1])"
const SHA = hash('sha1', SCRIPT)

const [keyOfA = ''] = keysOn(0, 2)
const [keyOfB = ''] = keysOn(1, 2)

describe('rights that are missing on shards', () => {
  let redises: RedisServer[]
  let ambassador: AmbassadorUnderTest
  let warnings: string[]
  const direct: RawClient[] = []

  beforeEach(() => {
    redises = []
    warnings = []
  })

  afterEach(async () => {
    for (const client of direct.splice(0)) await client.close()
    try {
      await ambassador.stop()
    } finally {
      for (const redis of redises) await redis.stop()
    }
  })

  const logger: Logger = {
    ...SILENT,
    warn: (facts, message) => warnings.push(`${message} ${JSON.stringify(facts)}`),
  }

  async function start(args: readonly string[], credentials: string, count = 2): Promise<void> {
    while (redises.length < count) redises.push(await startRedis({ args }))
    const shards = redises.map(({ port }) => `redis://${credentials}127.0.0.1:${port}`)
    ambassador = await startAmbassadorFor(shards, {}, logger)
  }

  /** Two shards with a user of these rights, as whom the ambassador logs in. */
  function withRights(rights: string, count = 2): Promise<void> {
    const user = ['--user', 'app', 'on', '>pw', '~*', '&*', ...rights.split(' ')]
    return start(['--repl-diskless-sync-delay', '0', ...user], 'app:pw@', count)
  }

  /** Two shards on which these commands have been renamed away. */
  function without(...commands: readonly string[]): Promise<void> {
    return start(
      commands.flatMap((command) => ['--rename-command', command, '']),
      '',
    )
  }

  /** To the shard itself, as its user `default`, who may do everything. */
  async function directTo(shard: number): Promise<RawClient> {
    const client = await connectRaw(redises[shard]?.port ?? 0)
    direct.push(client)
    return client
  }

  async function untilBlocked(shard: number): Promise<void> {
    const client = await directTo(shard)
    await until(
      async () =>
        (await send(client, 'INFO clients'))[0]?.includes('blocked_clients:1\r\n') === true,
    )
  }

  /** Whether everything works that needs no right but those that `APPLICATION` has. */
  async function useEverything(): Promise<void> {
    const client = await ambassador.connect()
    const other = await ambassador.connect()
    for (const key of [keyOfA, keyOfB]) {
      expect(await send(client, `SET ${key} 1`, `GET ${key}`)).to.deep.equal([
        '+OK\r\n',
        '$1\r\n1\r\n',
      ])
      expect(await send(client, `WATCH ${key}`, 'MULTI', `INCR ${key}`, 'EXEC')).to.deep.equal([
        '+OK\r\n',
        '+OK\r\n',
        '+QUEUED\r\n',
        '*1\r\n:2\r\n',
      ])
      expect(await send(client, 'MULTI', `GET ${key}`, 'EXEC')).to.deep.equal([
        '+OK\r\n',
        '+QUEUED\r\n',
        '*1\r\n$1\r\n2\r\n',
      ])
      expect(await send(client, `BLPOP {${key}}l 0.01`)).to.deep.equal(['*-1\r\n'])
      client.write(pipeline([`BLPOP {${key}}l 0`]))
      await send(other, `RPUSH {${key}}l v`)
      expect((await texts(client, 1))[0]).to.include('$1\r\nv\r\n')
      expect(await send(client, `XREAD BLOCK 1 STREAMS {${key}}s $`)).to.deep.equal(['*-1\r\n'])
    }
    for (const [command, body] of [
      ['EVAL', SCRIPT],
      ['EVALSHA', SHA],
    ] as const) {
      for (const key of [keyOfA, keyOfB]) {
        expect(String(await client.request(command, body, '1', key))).to.equal('$1\r\n2\r\n')
      }
    }
    expect(await send(client, 'DBSIZE', `MGET ${keyOfA} ${keyOfB}`)).to.deep.equal([
      ':2\r\n',
      '*2\r\n$1\r\n2\r\n$1\r\n2\r\n',
    ])
    expect((await send(client, 'RANDOMKEY'))[0]).to.match(/^\$\d/)
    expect((await send(client, 'SCAN 0'))[0]).to.match(/^\*2\r\n/)
    await send(other, `SUBSCRIBE ${keyOfA}`)
    expect(await send(client, `PUBLISH ${keyOfA} hello`)).to.deep.equal([':1\r\n'])
    expect((await texts(other, 1))[0]).to.include('hello')
    const modern = await ambassador.connect(3)
    expect(await send(modern, `GET ${keyOfA}`, 'MULTI', `GET ${keyOfB}`, 'EXEC')).to.deep.equal([
      '$1\r\n2\r\n',
      '+OK\r\n',
      '+QUEUED\r\n',
      '*1\r\n$1\r\n2\r\n',
    ])
  }

  it('row 81: a user without CLIENT, PING and the like reads, writes, waits, subscribes and runs scripts', async () => {
    await withRights(APPLICATION)
    await useEverything()
    // What the shard does not allow, it says itself.
    const client = await ambassador.connect()
    expect(await send(client, 'WAIT 0 0')).to.deep.equal([
      "-NOPERM this user has no permissions to run the 'wait' command\r\n",
    ])
    expect(warnings.filter((line) => line.startsWith('shard down'))).to.deep.equal([])
  })

  it('row 81: so it is where those commands are renamed away', async () => {
    await without(...OURS)
    await useEverything()
    const client = await ambassador.connect()
    expect(await send(client, 'WAIT 0 0')).to.deep.equal([':0\r\n'])
  })

  for (const [what, prepare] of [
    ['does not tell us who we are', () => without('CLIENT')],
    ['does not let us unblock', () => withRights('+@all -client|unblock')],
  ] as const) {
    for (const [request, answer] of [
      ['CLIENT UNBLOCK', '*-1\r\n'],
      ['CLIENT UNBLOCK TIMEOUT', '*-1\r\n'],
      ['CLIENT UNBLOCK ERROR', '-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n'],
    ] as const) {
      it(`${request} works on a shard that ${what}`, async () => {
        await prepare()
        const waiting = await ambassador.connect()
        const [id = ''] = await send(waiting, 'CLIENT ID')
        waiting.write(pipeline([`BLPOP ${keyOfA} 0`]))
        await untilBlocked(0)
        const other = await ambassador.connect()
        const [unblock, reason = ''] = request.split(/(?<=UNBLOCK) ?/)
        const words = `${unblock} ${id.slice(1).trimEnd()} ${reason}`.trimEnd()
        expect(await send(other, words)).to.deep.equal([':1\r\n'])
        expect(await texts(waiting, 1)).to.deep.equal([answer])
        // Nobody waits there any more, and the client goes on.
        expect(await send(other, `RPUSH ${keyOfA} v`, `LLEN ${keyOfA}`, words)).to.deep.equal([
          ':1\r\n',
          ':1\r\n',
          ':0\r\n',
        ])
        expect(await send(waiting, `LPOP ${keyOfA}`)).to.deep.equal(['$1\r\nv\r\n'])
      })
    }
  }

  it('row 81: WAIT counts from the present also where nothing else may be said', async () => {
    await withRights(`${APPLICATION} +wait`, 1)
    const [master] = redises
    const replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${master?.port}`] })
    const client = await ambassador.connect()
    const itself = await directTo(0)
    await until(
      async () => (await send(itself, 'INFO replication'))[0]?.includes('state=online') === true,
    )
    await send(client, `SET ${keyOfA} 1`)
    expect(await send(client, 'WAIT 1 20000')).to.deep.equal([':1\r\n'])
    await replica.kill('SIGSTOP')
    // The lease that was used before knows what came before; another knows nothing.
    const blocker = await ambassador.connect()
    blocker.write(pipeline([`BLPOP ${keyOfB} 0`]))
    await untilBlocked(0)
    await send(client, `SET ${keyOfA} 2`)
    const answer = await send(client, 'WAIT 1 100')
    await replica.stop()
    expect(answer).to.deep.equal([':0\r\n'])
  })

  it('row 81: MULTI that a shard refuses runs nothing, and says why', async () => {
    await withRights('+@all -multi')
    const client = await ambassador.connect()
    const noMulti = "-NOPERM this user has no permissions to run the 'multi' command\r\n"
    const aborted = '-EXECABORT Transaction discarded because of previous errors.\r\n'
    const asked = [
      'MULTI',
      'PING',
      `SET ${keyOfA} 1`,
      `SET ${keyOfA} 2`,
      'EXEC',
      `EXISTS ${keyOfA}`,
    ]
    const answered = ['+OK\r\n', '+QUEUED\r\n', noMulti, noMulti, aborted, ':0\r\n']
    expect(await send(client, ...asked)).to.deep.equal(answered)
    expect(await send(client, ...asked)).to.deep.equal(answered)
    expect(await send(client, 'MULTI', 'ACL CAT', 'EXEC')).to.deep.equal([
      '+OK\r\n',
      '+QUEUED\r\n',
      aborted,
    ])
    const itself = await directTo(0)
    await send(itself, 'ACL SETUSER app +multi')
    expect(await send(client, 'MULTI', `SET ${keyOfA} 3`, 'EXEC')).to.deep.equal([
      '+OK\r\n',
      '+QUEUED\r\n',
      '*1\r\n+OK\r\n',
    ])
  })

  it('row 81: nobody gets a connection on which EXEC or UNWATCH was refused', async () => {
    await without('EXEC', 'UNWATCH')
    const client = await ambassador.connect()
    const [, , refused = ''] = await send(client, 'MULTI', `SET ${keyOfA} 1`, 'EXEC')
    expect(refused).to.match(/^-ERR unknown command/)
    expect(await send(client, `BLPOP ${keyOfA} 0.01`)).to.deep.equal(['*-1\r\n'])
    const [, unwatched = ''] = await send(client, `WATCH ${keyOfA}`, 'UNWATCH')
    expect(unwatched).to.match(/^-ERR unknown command/)
    expect(await send(client, `BLPOP ${keyOfA} 0.01`)).to.deep.equal(['*-1\r\n'])
  })

  it('row 81: EVALSHA finds a script that we may not load, if we have seen it', async () => {
    await without('SCRIPT')
    const client = await ambassador.connect()
    await send(client, `SET ${keyOfA} 1`, `SET ${keyOfB} 2`)
    expect(String(await client.request('EVALSHA', SHA, '1', keyOfB))).to.match(/^-NOSCRIPT/)
    expect(String(await client.request('EVAL', SCRIPT, '1', keyOfA))).to.equal('$1\r\n1\r\n')
    for (const command of ['EVALSHA', 'EVALSHA_RO', 'EVALSHA']) {
      expect(String(await client.request(command, SHA, '1', keyOfB))).to.equal('$1\r\n2\r\n')
    }
  })

  it('row 81: a key is found at random where the numbers of keys are not told', async () => {
    await withRights('+@all -dbsize')
    const client = await ambassador.connect()
    expect(await send(client, 'RANDOMKEY')).to.deep.equal(['$-1\r\n'])
    await send(client, `SET ${keyOfB} 1`)
    const found = await send(client, ...Array.from({ length: 8 }, () => 'RANDOMKEY'))
    expect(new Set(found)).to.deep.equal(new Set([`$${keyOfB.length}\r\n${keyOfB}\r\n`]))
  })

  it('row 81: connections that a shard refuses while it is up are told in one line', async () => {
    await withRights('+@all')
    const client = await ambassador.connect()
    const itself = await directTo(0)
    // Those that are open stay; new ones are turned away.
    await send(itself, 'ACL SETUSER app >other', 'ACL SETUSER app <pw')
    for (let i = 0; i < 20; i++) {
      const [, refused = ''] = await send(client, 'MULTI', `SET ${keyOfA} 1`, 'EXEC')
      expect(refused).to.equal('-ERR ambassador: shard a unavailable (not sent)\r\n')
    }
    const reason = 'WRONGPASS invalid username-password pair or user is disabled.'
    const facts = JSON.stringify({ shard: 'a', kind: 'lease', reason })
    expect(warnings.filter((line) => line.startsWith('connection'))).to.deep.equal([
      `connection failed though the shard is up ${facts}`,
    ])
  })

  it('row 81: a shard that is full is told from one that does not tell who we are', async () => {
    await withRights('+@all')
    const client = await ambassador.connect()
    await send(await directTo(0), 'CONFIG SET maxclients 1')
    const [, refused = ''] = await send(client, 'MULTI', `SET ${keyOfA} 1`, 'EXEC')
    expect(refused).to.equal('-ERR ambassador: shard a unavailable (not sent)\r\n')
    const facts = { shard: 'a', kind: 'lease', reason: 'ERR max number of clients reached' }
    expect(warnings).to.include(`connection failed though the shard is up ${JSON.stringify(facts)}`)
  })
})
