/** Credentials that expire where shards are reached in other ways: over TLS, and through sentinels. */
import { expect } from 'chai'
import { startAmbassadorFor } from '../support/ambassador.ts'
import { Authority } from '../support/certificates.ts'
import { LogLines } from '../support/log-lines.ts'
import { freePort } from '../support/ports.ts'
import { startRedis } from '../support/redis-server.ts'
import { startSentinels } from '../support/sentinels.ts'
import { TokenProgram } from '../support/token-program.ts'
import { until } from '../support/until.ts'

/** Renewed each second; a connection waits for its first token, however busy the machine is. */
const LIFE_SECONDS = 2
const PATIENT = { connectTimeoutMs: '20000' }

describe('credentials that expire', () => {
  it('are renewed over TLS, on the connections that there are', async () => {
    const authority = new Authority()
    const pair = authority.issue('IP:127.0.0.1')
    const tlsPort = await freePort()
    const redis = await startRedis({
      args: [
        ...['--tls-port', `${tlsPort}`, '--tls-cert-file', pair.cert, '--tls-key-file', pair.key],
        ...['--tls-ca-cert-file', authority.cert, '--tls-auth-clients', 'no'],
      ],
    })
    const program = new TokenProgram(LIFE_SECONDS, [redis.port])
    const flags = {
      ...PATIENT,
      shards: `a=rediss://127.0.0.1:${tlsPort}`,
      shardTlsCa: authority.cert,
      shardAuthCommand: program.command,
    }
    const log = new LogLines()
    const ambassador = await startAmbassadorFor([], flags, log)
    const client = await ambassador.connect()
    const subscriber = await ambassador.connect()
    await subscriber.request('SUBSCRIBE', 'news')
    let requests = 0
    while (program.tokens.length < 4) {
      expect(String(await client.request('INCR', 'n'))).to.equal(`:${++requests}\r\n`)
    }
    await client.request('PUBLISH', 'news', 'still here')
    expect(String(await subscriber.reply())).to.include('still here')
    await subscriber.request('UNSUBSCRIBE', 'news')
    await ambassador.stop()
    await redis.stop()
    expect(log.aboutShards).to.deep.equal(['info shard credentials are there', 'info shard up'])
  })

  it('go with a shard to the server that sentinels name', async () => {
    const world = await startSentinels({ masters: { alpha: 1 } })
    const servers = world.servers('alpha')
    const program = new TokenProgram(
      LIFE_SECONDS,
      servers.map(({ port }) => port),
    )
    const flags = { ...PATIENT, sentinels: world.addresses, shardAuthCommand: program.command }
    const log = new LogLines()
    const ambassador = await startAmbassadorFor(['redis+sentinel://alpha'], flags, log)
    const client = await ambassador.connect()
    const isServed = async () => String(await client.request('SET', 'k', 'v')) === '+OK\r\n'
    await until(isServed, 20)
    await world.failOver('alpha')
    await until(() => log.aboutShards.includes('info shard has another server'), 20)
    const known = program.tokens.length
    await until(() => program.tokens.length > known + 1, 20)
    expect(await isServed()).to.equal(true)
    const text = JSON.stringify(log.lines)
    for (const token of program.tokens) expect(text).to.not.include(token)
    await ambassador.stop()
    await world.stop()
  })
})
