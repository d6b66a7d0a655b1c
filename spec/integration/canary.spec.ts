/**
 * I14: no key, value or secret in any log at any level, and no secret in any answer. Canaries are
 * planted wherever a client or an operator can put text; then everything goes wrong at once, and
 * what the real process has printed is searched for them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { runBin, startBin } from '../support/bin.ts'
import { Authority } from '../support/certificates.ts'
import type { Child } from '../support/child.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

/** What an operator keeps secret. */
const SECRETS = {
  clients: 'canary-of-clients',
  user: 'canary-of-a-user',
  shard: 'canary-of-a-shard',
  wrongShard: 'canary-refused-by-a-shard',
  guess: 'canary-guessed',
}

/** What clients send. */
const DATA = ['canary-key', 'canary-value', 'canary-channel', 'canary-script', 'canary-name']

/** Text that no other file or line has: a piece of the private key. */
function pieceOf(keyFile: string): string {
  return readFileSync(keyFile, 'utf8').split('\n')[2] ?? ''
}

describe('canaries (I14)', function () {
  this.timeout(30_000)
  const pair = new Authority().issue('DNS:localhost')
  const directory = temporaryFiles()
  const file = join(directory, 'ambassador.yaml')
  const planted = [...Object.values(SECRETS), ...DATA, pieceOf(pair.key)]
  let good: RedisServer
  let dying: RedisServer
  let port: number
  let tlsPort: number

  before(async () => {
    const args = ['--requirepass', SECRETS.shard]
    good = await startRedis({ args })
  })

  beforeEach(async () => {
    dying = await startRedis({ args: ['--requirepass', SECRETS.shard] })
    port = await freePort()
    tlsPort = await freePort()
    writeFileSync(join(directory, 'users'), `alice:${SECRETS.user}\n`, { mode: 0o600 })
    writeFileSync(file, settings(), { mode: 0o600 })
  })

  afterEach(async () => {
    await dying.stop()
  })

  after(async () => {
    await good.stop()
  })

  function settings(): string {
    const shards = [
      `a=redis://:${SECRETS.shard}@127.0.0.1:${good.port}`,
      `b=redis://:${SECRETS.shard}@127.0.0.1:${dying.port}`,
      `c=redis://:${SECRETS.wrongShard}@127.0.0.1:${good.port}`,
      `d=rediss://:${SECRETS.shard}@127.0.0.1:${good.port}`,
    ]
    return [
      `listen: 127.0.0.1:${port},tls://127.0.0.1:${tlsPort}`,
      'adminListen: off',
      `shards: [${shards.map((shard) => `"${shard}"`).join(', ')}]`,
      `password: ${SECRETS.clients}`,
      'usersFile: users',
      `tlsCert: ${pair.cert}`,
      `tlsKey: ${pair.key}`,
      'connectTimeoutMs: 200',
      // Keys are shown to those who ask, and are not logged even so.
      ...['showKeys: clear', 'slowRequestMs: 1', 'bigReplyBytes: 1', 'hotKeys: yes'],
      '',
    ].join('\n')
  }

  /** All that a client can do wrong, and what it was answered. */
  async function misbehave(): Promise<string> {
    const client = await connectRaw(port)
    const answers: Buffer[] = []
    const ask = async (...args: string[]): Promise<void> => {
      answers.push(await client.request(...args))
    }
    await ask('AUTH', SECRETS.guess)
    await ask('HELLO', '3', 'AUTH', 'alice', SECRETS.guess)
    await ask('AUTH', 'alice', SECRETS.user)
    await ask('AUTH', SECRETS.clients)
    await ask('CLIENT', 'SETNAME', 'canary-name')
    await ask('CLIENT', 'SETNAME', 'canary-name \n')
    // Some live on shards that turn us away.
    for (let i = 0; i < 12; i++) {
      await ask('SET', `canary-key-${i}`, 'canary-value')
      await ask('INCR', `canary-key-${i}`)
      await ask('RENAME', `canary-key-${i}`, `canary-key-${i + 1}`)
      await ask('EVAL', "return redis.call('nothing') -- canary-script", '1', `canary-key-${i}`)
      await ask('MSET', `canary-key-${i}`, 'canary-value', `canary-key-${i + 1}`, 'canary-value')
    }
    await ask('EVAL', 'syntax error canary-script', '0')
    for (const pattern of ['*', 'requirepass', 'masterauth', '*pass*']) {
      await ask('CONFIG', 'GET', pattern)
    }
    const told = ['SLOWLOG', 'HOTKEYS', 'BIGREPLIES'].map((page) => `AMBASSADOR ${page}`)
    for (const command of [
      'INFO',
      'AMBASSADOR CONFIG',
      'AMBASSADOR INFO',
      'SLOWLOG GET',
      ...told,
    ]) {
      await ask(...command.split(' '))
    }
    await malformed(['*2\r\n$3\r\nGET\r\n$canary-key\r\n', '*canary-key\r\n', '"canary-value\r\n'])
    await loseShard(client, answers)
    await client.close()
    return Buffer.concat(answers).toString('latin1')
  }

  async function malformed(requests: readonly string[]): Promise<void> {
    for (const bytes of requests) {
      const client = await connectRaw(port)
      await client.request('AUTH', SECRETS.clients)
      client.write(bytes)
      await client.closed()
    }
    const client = await connectRaw(tlsPort)
    client.write('canary-key')
    await client.closed()
  }

  /** A shard dies under commands, a transaction and a subscription. */
  async function loseShard(client: RawClient, answers: Buffer[]): Promise<void> {
    const subscriber = await connectRaw(port)
    await subscriber.request('AUTH', SECRETS.clients)
    for (let i = 0; i < 8; i++)
      answers.push(await subscriber.request('SUBSCRIBE', `canary-channel-${i}`))
    await client.request('MULTI')
    for (let i = 0; i < 12; i++) await client.request('SET', `canary-key-${i}`, 'canary-value')
    await dying.kill()
    answers.push(await client.request('EXEC'))
    for (let i = 0; i < 12; i++) answers.push(await client.request('GET', `canary-key-${i}`))
    await subscriber.close()
  }

  async function badReload(child: Child): Promise<void> {
    const refused = child.ready({ log: 'configuration refused' })
    const broken = [
      settings().replace(`@127.0.0.1:${dying.port}`, '@127.0.0.1:nowhere'),
      `users: ["${SECRETS.user}"]`,
      `shardPassword: {x: ${SECRETS.shard}}`,
    ]
    writeFileSync(file, broken.join('\n'))
    await child.kill('SIGHUP')
    await refused
  }

  for (const format of ['json', 'pretty']) {
    it(`are nowhere in the log (${format}), nor secrets in an answer`, async () => {
      const level = ['--log-level', 'trace', '--log-format', format]
      const child = await startBin(['start', '--config', file, ...level], {})
      const answers = await misbehave()
      await badReload(child)
      await child.kill('SIGTERM')
      for (const canary of planted) expect(child.output, canary).to.not.include(canary)
      for (const secret of [...Object.values(SECRETS), pieceOf(pair.key)]) {
        expect(answers, secret).to.not.include(secret)
      }
      // That the search would have found something: all of it happened.
      expect(child.output).to.include('WRONGPASS').and.to.include('shard down')
      expect(answers).to.include('WRONGPASS').and.to.include('unavailable (not sent)')
      expect(answers).to.match(/key\r\n\$\d+\r\ncanary-key/)
      expect(answers)
        .to.include('CROSSSLOT')
        .and.to.match(/-ERR value is not an integer/)
    })
  }

  it('are nowhere in what check prints, good or bad', async () => {
    const good = await runBin(['check', '--config', file])
    expect(good.code).to.equal(0)
    expect(good.stdout).to.include(pair.key)
    writeFileSync(file, `${settings()}shardTlsKey: ${file}\nusers: ["${SECRETS.user}"]\n`)
    const bad = await runBin(['check', '--config', file])
    expect(bad.code).to.equal(78)
    for (const { stdout, stderr } of [good, bad]) {
      for (const canary of planted) expect(stdout + stderr, canary).to.not.include(canary)
    }
  })
})
