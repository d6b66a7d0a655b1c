/** TLS to shards: real Redis servers, and certificates of every bad kind. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Ambassador } from '../../lib/ambassador.ts'
import { startAmbassador } from '../../lib/ambassador.ts'
import type { Config } from '../../lib/config/config.ts'
import type { Logger } from '../../lib/logger.ts'
import { AmbassadorUnderTest, configFor, SILENT } from '../support/ambassador.ts'
import { Authority, type Pair } from '../support/certificates.ts'
import { freePort } from '../support/ports.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { temporaryFiles } from '../support/temporary-files.ts'

const HOSTS = 'DNS:localhost,IP:127.0.0.1'

interface TlsRedis {
  readonly redis: RedisServer
  readonly port: number
}

async function startTlsRedis(pair: Pair, authority: Authority, mutual = false): Promise<TlsRedis> {
  const port = await freePort()
  const files = ['--tls-cert-file', pair.cert, '--tls-key-file', pair.key]
  const clients = [
    '--tls-ca-cert-file',
    authority.cert,
    '--tls-auth-clients',
    mutual ? 'yes' : 'no',
  ]
  const redis = await startRedis({ args: ['--tls-port', `${port}`, ...files, ...clients] })
  return { redis, port }
}

/** Starts an ambassador whose only shard is never reached, and resolves to the reason it gives. */
async function whyDown(config: Config): Promise<unknown> {
  let ambassador: Ambassador | undefined
  const reason = await new Promise((resolve, reject) => {
    const warn = (facts: object, message: string): void => {
      if (message === 'shard down' && 'reason' in facts) resolve(facts.reason)
    }
    const logger: Logger = { ...SILENT, warn }
    startAmbassador(config, logger).then((started) => {
      ambassador = started
    }, reject)
  })
  await ambassador?.stop()
  return reason
}

describe('row 62: TLS to shards', () => {
  const authority = new Authority()
  const stranger = new Authority()
  const redises: RedisServer[] = []
  let good: TlsRedis
  let demanding: TlsRedis

  async function redisWith(pair: Pair, mutual = false): Promise<TlsRedis> {
    const started = await startTlsRedis(pair, authority, mutual)
    redises.push(started.redis)
    return started
  }

  before(async () => {
    good = await redisWith(authority.issue(HOSTS))
    demanding = await redisWith(authority.issue(HOSTS), true)
  })

  after(async () => {
    for (const redis of redises) await redis.stop()
  })

  function config(port: number, flags: Readonly<Record<string, string>> = {}, host = '127.0.0.1') {
    return configFor([`rediss://${host}:${port}`], { shardTlsCa: authority.cert, ...flags })
  }

  async function start(of: Config): Promise<AmbassadorUnderTest> {
    return new AmbassadorUnderTest(await startAmbassador(of, SILENT))
  }

  it('carries commands, transactions, blocked clients, subscriptions and large values', async () => {
    const ambassador = await start(config(good.port))
    const client = await ambassador.connect()
    const other = await ambassador.connect()
    expect((await client.request('SET', 'a', '1')).toString()).to.equal('+OK\r\n')
    await client.request('MULTI')
    await client.request('INCR', 'a')
    expect((await client.request('EXEC')).toString()).to.equal('*1\r\n:2\r\n')
    await other.request('SUBSCRIBE', 'news')
    expect((await client.request('PUBLISH', 'news', 'x')).toString()).to.equal(':1\r\n')
    expect((await other.reply()).toString()).to.match(/message.*news.*x/s)
    const blocked = await ambassador.connect()
    const popped = blocked.request('BLPOP', 'list', '5')
    await client.request('RPUSH', 'list', 'y')
    expect((await popped).toString()).to.match(/list.*y/s)
    const value = Buffer.alloc(3_000_000, 'abcdefghijklmnopqrstuvwxyz')
    await client.request('SET', 'large', value)
    const answer = await client.request('GET', 'large')
    expect(answer.subarray(10, -2).equals(value)).to.equal(true)
    await ambassador.stop()
  })

  it('keeps every reply with its request when thousands are under way at once', async () => {
    const ambassador = await start(config(good.port))
    const clients = await Promise.all(Array.from({ length: 8 }, () => ambassador.connect()))
    await Promise.all(
      clients.map(async (client, index) => {
        for (let round = 0; round < 3; round++) {
          const names = Array.from({ length: 500 }, (_, i) => `${index}:${round}:${i}`)
          const padded = names.map((name) => name.padEnd(1 + ((name.length * 97) % 1500), '.'))
          const replies = await Promise.all(padded.map((text) => client.request('ECHO', text)))
          replies.forEach((reply, i) => {
            expect(reply.toString()).to.include(`\r\n${padded[i]}\r\n`)
          })
        }
      }),
    )
    await ambassador.stop()
  })

  it('shows its own certificate to shards that ask for one', async () => {
    const own = authority.issue('DNS:ambassador')
    const flags = { shardTlsCert: own.cert, shardTlsKey: own.key }
    const ambassador = await start(config(demanding.port, flags))
    const client = await ambassador.connect()
    expect((await client.request('PING', 'x')).toString()).to.equal('$1\r\nx\r\n')
    expect((await client.request('SET', 'a', '1')).toString()).to.equal('+OK\r\n')
    await ambassador.stop()
    expect(await whyDown(config(demanding.port))).to.match(/certificate required/)
  })

  it('trusts no certificate that has expired', async () => {
    const { port } = await redisWith(authority.issue(HOSTS, -1))
    expect(await whyDown(config(port))).to.equal('certificate has expired')
  })

  it('trusts no certificate of another host', async () => {
    const { port } = await redisWith(authority.issue('DNS:redis.example'))
    expect(await whyDown(config(port))).to.match(/127\.0\.0\.1 is not in the cert/)
    expect(await whyDown(config(port, {}, 'localhost'))).to.match(/localhost.* is not in the cert/)
    const ambassador = await start(config(port, { shardTlsServerName: 'redis.example' }))
    const client = await ambassador.connect()
    expect((await client.request('SET', 'a', '1')).toString()).to.equal('+OK\r\n')
    await ambassador.stop()
  })

  it('trusts no certificate of an unknown authority, unless told to trust anything', async () => {
    const { port } = await redisWith(stranger.issue(HOSTS))
    expect(await whyDown(config(port))).to.match(/unable to (verify|get local issuer)/)
    const insecure = config(port, { shardTlsInsecure: 'yes' })
    expect(insecure.process.notes.join()).to.include('INSECURE: shardTlsInsecure')
    const ambassador = await start(insecure)
    const client = await ambassador.connect()
    expect((await client.request('SET', 'a', '1')).toString()).to.equal('+OK\r\n')
    await ambassador.stop()
  })

  it('says what is wrong where one side speaks TLS and the other does not', async () => {
    expect(await whyDown(config(good.redis.port))).to.be.a('string')
    expect(await whyDown(configFor([`redis://127.0.0.1:${good.port}`]))).to.be.a('string')
  })

  it('comes back to a shard when it is back, however it went', async () => {
    const { redis, port } = await redisWith(authority.issue(HOSTS))
    const ambassador = await start(config(port))
    const client = await ambassador.connect()
    const untilServed = async (): Promise<void> => {
      while ((await client.request('SET', 'a', '1')).toString() !== '+OK\r\n');
    }
    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      await untilServed()
      await redis.kill(signal)
      await client.request('GET', 'a')
      await redis.restart()
    }
    await untilServed()
    await ambassador.stop()
  })

  it('asks the shard about its commands over TLS as well', async () => {
    const ambassador = await start(config(good.port))
    const client = await ambassador.connect()
    let info = ''
    while (!info.includes('redis_version:7.0.15')) {
      info = (await client.request('INFO', 'server')).toString()
    }
    await ambassador.stop()
  })

  it('goes on with another authority after a reload', async () => {
    const { port } = await redisWith(stranger.issue(HOSTS))
    const file = join(temporaryFiles(), 'ca.crt')
    copyFileSync(authority.cert, file)
    const ambassador = await start(config(port, { shardTlsCa: file }))
    const client = await ambassador.connect()
    expect((await client.request('SET', 'a', '1')).toString()).to.match(/unavailable \(not sent\)/)
    copyFileSync(stranger.cert, file)
    ambassador.reload(config(port, { shardTlsCa: file }))
    expect((await client.request('SET', 'a', '1')).toString()).to.equal('+OK\r\n')
    await ambassador.stop()
  })
})
