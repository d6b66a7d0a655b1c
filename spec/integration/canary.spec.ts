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
import { EventStream } from '../support/event-stream.ts'
import { http } from '../support/http.ts'
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

describe('canaries (I14)', () => {
  const pair = new Authority().issue('DNS:localhost')
  const directory = temporaryFiles()
  const file = join(directory, 'ambassador.yaml')
  const planted = [...Object.values(SECRETS), ...DATA, pieceOf(pair.key)]
  let good: RedisServer
  let dying: RedisServer
  let port: number
  let tlsPort: number
  let adminPort: number

  before(async () => {
    const args = ['--requirepass', SECRETS.shard]
    good = await startRedis({ args })
  })

  beforeEach(async () => {
    dying = await startRedis({ args: ['--requirepass', SECRETS.shard] })
    port = await freePort()
    tlsPort = await freePort()
    adminPort = await freePort()
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
      `adminListen: 127.0.0.1:${adminPort}`,
      `shards: [${shards.map((shard) => `"${shard}"`).join(', ')}]`,
      `password: ${SECRETS.clients}`,
      'usersFile: users',
      `tlsCert: ${pair.cert}`,
      `tlsKey: ${pair.key}`,
      'connectTimeoutMs: 500',
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

  it('are on no page of the admin endpoint, and in no event, where keys are shown by their hash', async () => {
    writeFileSync(file, settings().replace('showKeys: clear', 'showKeys: hashed'), { mode: 0o600 })
    const child = await startBin(['start', '--config', file], {})
    const stream = await EventStream.open(adminPort)
    const answers = await misbehave()
    await badReload(child)
    // It tells the newest figures, after all that.
    const events = [await stream.next('shard'), await stream.next('reload')]
    events.push(await stream.next('stats', ({ errors }) => errors.unavailable > 0))
    const ask = async (path: string, method = 'GET'): Promise<string> => {
      return (await http({ port: adminPort, path, method })).body
    }
    const { body: index } = await http({ port: adminPort, path: '/' })
    const listed = (index.match(/^\/\w+/gm) ?? []).filter((path) => path !== '/events')
    const pages = new Map([['/', index]])
    for (const path of listed) pages.set(path, await ask(`${path}?verbose&key=canary-key-1`))
    pages.set('POST /reload', await ask('/reload', 'POST'))
    pages.set('/events', JSON.stringify(events))
    pages.set('RESP', answers.replace(/key\r\n\$\d+\r\ncanary-key/g, 'key: shown'))
    await stream.close()
    await child.kill('SIGTERM')
    for (const [path, text] of pages) {
      const secrets = path === 'RESP' ? Object.values(SECRETS) : planted
      for (const canary of secrets) expect(text, `${canary} in ${path}`).to.not.include(canary)
    }
    // That there was something to find.
    const hashes = ['/slowlog', '/hotkeys', '/bigreplies'].map((path) => pages.get(path))
    expect(hashes.join('')).to.match(/"key": "hash:0x[0-9a-f]{8}"/)
    expect(pages.get('/metrics')).to.match(/ambassador_errors_total\{kind="unavailable"\} [1-9]/)
    expect(pages.get('/config')).to.include('"***"')
    expect(pages.get('POST /reload')).to.match(/users|shardPassword/)
    expect(answers).to.not.match(/key\r\n\$\d+\r\ncanary-key/)
  })

  it('are nowhere in what doctor and diff print, in either form', async () => {
    const other = join(directory, 'other.yaml')
    writeFileSync(other, settings().replace(`@127.0.0.1:${dying.port}`, '@127.0.0.1:1'))
    const list = `a=redis://:${SECRETS.shard}@127.0.0.1:1,b=redis://x:${SECRETS.user}@127.0.0.1:2`
    const broken = `a=redis://:${SECRETS.shard}@127.0.0.1:nowhere`
    const keys = join(directory, 'keys')
    writeFileSync(keys, 'canary-key-1\ncanary-key-2\n')
    const runs: [number, string[]][] = [
      [1, ['doctor', '--config', file]],
      [0, ['diff', file, other, '--keys', keys]],
      [0, ['diff', file, list]],
      [0, ['diff', list, file]],
    ]
    for (const [code, args] of runs) {
      for (const form of [[], ['--json']]) {
        const { stdout, stderr, ...run } = await runBin([...args, ...form])
        expect([run.code, stderr], args.join(' ')).to.deep.equal([code, ''])
        for (const canary of planted) expect(stdout, canary).to.not.include(canary)
        if (code === 1)
          expect(stdout)
            .to.match(/refuses the password/)
            .and.to.match(/speaks no TLS/)
      }
    }
    const { code, stdout, stderr } = await runBin(['diff', file, broken])
    expect(code).to.equal(78)
    for (const canary of planted) expect(stdout + stderr, canary).to.not.include(canary)
  })

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
