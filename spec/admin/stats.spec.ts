/** That what is counted is what happened: known traffic through real Redis servers. */
import { execFileSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import { type Ambassador, startAmbassador } from '../../lib/ambassador.ts'
import { configFor, keysOn, SILENT } from '../support/ambassador.ts'
import { type ReadFamily, readExposition } from '../support/exposition.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { encodeRequest } from '../support/frames.ts'
import { http } from '../support/http.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'

const FLAGS = { adminListen: '127.0.0.1:0' }
const [onFirst = '', list = ''] = keysOn(0, 2, 2)
const [onSecond = ''] = keysOn(1, 2)

function portOf(address: Ambassador['adminAddress']): number {
  return typeof address === 'object' ? address.port : 0
}

/** The value of the one sample with these labels; 0 when there is none. */
function sampleOf(
  families: ReadonlyMap<string, ReadFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
  suffix = '',
): number {
  const wanted = JSON.stringify(labels)
  const { samples } = families.get(name) ?? { samples: [] }
  const found = samples.find((each) => {
    return each.suffix === suffix && JSON.stringify(each.labels) === wanted
  })
  return found?.value ?? 0
}

describe('what is counted', () => {
  let first: RedisServer
  let second: RedisServer
  let ambassador: Ambassador
  let client: RawClient

  before(async () => {
    first = await startRedis()
  })

  after(() => first.stop())

  beforeEach(async () => {
    second = await startRedis()
    ambassador = await startAmbassador(configFor([first, second], FLAGS), SILENT)
    client = await connect()
  })

  afterEach(async () => {
    await client.close()
    await ambassador.stop()
    await second.stop()
  })

  function connect(): Promise<RawClient> {
    return connectRaw(portOf(ambassador.addresses[0]))
  }

  async function stats() {
    return JSON.parse((await http({ port: portOf(ambassador.adminAddress), path: '/stats' })).body)
  }

  async function metricsText(): Promise<string> {
    return (await http({ port: portOf(ambassador.adminAddress), path: '/metrics' })).body
  }

  async function metrics(): Promise<Map<string, ReadFamily>> {
    return readExposition(await metricsText())
  }

  function commandsOf(all: { commands: { name: string }[] }): Record<string, object> {
    return Object.fromEntries(all.commands.map(({ name, ...counts }) => [name, counts]))
  }

  it('is noted which option is not used', async () => {
    const settings = { ...FLAGS, nearCacheKeys: 'config:', readFrom: 'nearest' }
    const other = await startAmbassador(configFor([first], settings), SILENT)
    const { body } = await http({ port: portOf(other.adminAddress), path: '/stats' })
    await other.stop()
    const { notes, nearCache } = JSON.parse(body)
    expect(notes.join()).to.include('nearCacheKeys is not used: readFrom is nearest')
    expect(nearCache).to.equal(null)
  })

  it('is each request once, by command, and each part by shard', async () => {
    const set = Buffer.concat([
      encodeRequest('SET', onFirst, '1'),
      encodeRequest('SET', onSecond, '2'),
    ])
    for (let i = 0; i < 50; i++) client.write(set)
    await client.replies(100)
    await client.request('MGET', onFirst, onSecond)
    await client.request('PING')
    await client.request('CLIENT', 'ID')
    const all = await stats()
    expect(all.requests).to.equal(103)
    expect(commandsOf(all)).to.deep.equal({
      set: { requests: 100, errors: 0 },
      mget: { requests: 1, errors: 0 },
      ping: { requests: 1, errors: 0 },
      'client|id': { requests: 1, errors: 0 },
    })
    expect(all.shards.map(({ requests }: { requests: number }) => requests)).to.deep.equal([51, 51])
    const families = await metrics()
    expect(sampleOf(families, 'ambassador_requests_total', { command: 'set' })).to.equal(100)
    expect(
      sampleOf(families, 'ambassador_shard_requests_total', { pool: 'default', shard: 'b' }),
    ).to.equal(51)
    for (const part of ['', 'own_']) {
      const name = `ambassador_request_${part}duration_seconds`
      expect(sampleOf(families, name, {}, '_count'), name).to.equal(103)
      expect(sampleOf(families, name, { le: '+Inf' }, '_bucket'), name).to.equal(103)
    }
    // PING and CLIENT ID were answered here.
    const shardTime = 'ambassador_request_shard_duration_seconds'
    expect(sampleOf(families, shardTime, {}, '_count')).to.equal(101)
    for (const shard of ['a', 'b']) {
      const name = 'ambassador_shard_request_duration_seconds'
      expect(sampleOf(families, name, { pool: 'default', shard }, '_count')).to.equal(51)
    }
  })

  it('has the same series whatever names clients make up', async () => {
    const labelsOf = async (): Promise<string[]> => {
      const families = await metrics()
      const series = [...families].flatMap(([name, { samples }]) => {
        return samples.map(({ labels, suffix }) => name + suffix + JSON.stringify(labels))
      })
      return series.sort()
    }
    await client.request('NOSUCHCOMMAND')
    await client.request('CLIENT', 'SETNAME', 'name')
    await client.request('SET', onFirst, 'text')
    await client.request('AUTH', 'user', 'password')
    const before = await labelsOf()
    expect(before.join()).to.include('"unknown"')
    for (let i = 0; i < 200; i++) {
      client.write(encodeRequest(`NOSUCH${i}`))
      client.write(encodeRequest('CLIENT', `NOSUCH${i}`))
      client.write(encodeRequest('CLIENT', 'SETNAME', `name${i}`))
      client.write(encodeRequest('SET', `key${i}`, 'text'))
      client.write(encodeRequest('__proto__', `{key${i}}`))
    }
    await client.replies(1000)
    for (let i = 0; i < 5; i++) await client.request('AUTH', `user${i}`, 'password')
    expect(await labelsOf()).to.deep.equal(before)
  })

  it('is every byte, each way', async () => {
    const request = encodeRequest('GET', onFirst)
    const reply = await client.request('GET', onFirst)
    const { bytes, shards } = await stats()
    expect(bytes).to.deep.include({
      fromClients: request.length,
      toClients: reply.length,
      toShards: request.length,
    })
    expect(shards[0].bytesSent).to.equal(request.length)
    // The handshakes' replies besides.
    expect(bytes.fromShards).to.be.at.least(reply.length)
  })

  it('is each error once, by kind, by command and by shard', async () => {
    await client.request('SET', onFirst, 'text')
    await client.request('INCR', onFirst)
    await client.request('NOSUCHCOMMAND')
    await client.request('GET')
    await client.request('RENAME', onFirst, onSecond)
    const all = await stats()
    expect(all.errors).to.include({ shard: 1, refused: 3, lost: 0, unavailable: 0 })
    expect(commandsOf(all)).to.deep.include({
      incr: { requests: 1, errors: 1 },
      unknown: { requests: 1, errors: 1 },
      get: { requests: 1, errors: 1 },
      rename: { requests: 1, errors: 1 },
    })
    expect(all.shards[0].errors.shard).to.equal(1)
    expect(all.shards[1].errors.shard).to.equal(0)
    const families = await metrics()
    expect(sampleOf(families, 'ambassador_errors_total', { kind: 'refused' })).to.equal(3)
    expect(
      sampleOf(families, 'ambassador_shard_errors_total', {
        pool: 'default',
        shard: 'a',
        kind: 'shard',
      }),
    ).to.equal(1)
  })

  it('is what a shard that dies costs, and its return', async () => {
    await client.request('GET', onSecond)
    await second.kill()
    let reply: string
    do reply = String(await client.request('GET', onSecond))
    while (!reply.includes('unavailable (not sent)'))
    const before = await stats()
    expect(before.errors.unavailable).to.equal(before.shards[1].errors.unavailable)
    expect(before.errors.unavailable).to.be.at.least(1)
    await client.request('MGET', onFirst, onSecond)
    const after = await stats()
    expect(after.errors.unavailable - before.errors.unavailable).to.equal(1)
    expect(after.shards[1].state).to.equal('down')
    await second.restart()
    do reply = String(await client.request('GET', onSecond))
    while (reply.startsWith('-'))
    const { shards } = await stats()
    expect(shards[1].reconnects).to.equal(1)
    expect(shards[0].reconnects).to.equal(0)
  })

  it('has no latency of commands that block, but their requests', async () => {
    const pushes = await connect()
    const popped = client.request('BLPOP', list, '0')
    while (ambassador.gauges.leases === 0) await metrics()
    await pushes.request('RPUSH', list, 'x')
    expect(String(await popped)).to.contain('x')
    await pushes.close()
    const families = await metrics()
    expect(sampleOf(families, 'ambassador_requests_total', { command: 'blpop' })).to.equal(1)
    const name = 'ambassador_request_duration_seconds'
    expect(sampleOf(families, name, {}, '_count')).to.equal(1)
  })

  it('counts reloads, and says whether the last one succeeded', async () => {
    const name = 'ambassador_config_last_reload_successful'
    expect(sampleOf(await metrics(), name)).to.equal(1)
    ambassador.reloadFailed()
    expect(sampleOf(await metrics(), name)).to.equal(0)
    ambassador.reload(configFor([first, second], { ...FLAGS, maxClients: '99' }))
    const families = await metrics()
    expect(sampleOf(families, name)).to.equal(1)
    for (const outcome of ['succeeded', 'failed']) {
      expect(sampleOf(families, 'ambassador_config_reloads_total', { outcome })).to.equal(1)
    }
    expect((await stats()).reloads).to.deep.equal({ succeeded: 1, failed: 1 })
  })

  it('goes back to nothing where it is a gauge', async () => {
    for (let i = 0; i < 20; i++) await client.request('SET', onFirst, 'x'.repeat(20_000))
    const families = await metrics()
    for (const name of [
      'ambassador_requests_in_flight',
      'ambassador_client_input_bytes',
      'ambassador_client_output_bytes',
    ]) {
      expect(sampleOf(families, name), name).to.equal(0)
    }
    for (const shard of ['a', 'b']) {
      expect(sampleOf(families, 'ambassador_shard_requests_in_flight', { shard })).to.equal(0)
      expect(sampleOf(families, 'ambassador_shard_unsent_bytes', { shard })).to.equal(0)
    }
    await client.request('DEL', onFirst)
  })

  it('pleases promtool', async () => {
    await client.request('SET', onFirst, 'text')
    await client.request('INCR', onFirst)
    const output = execFileSync('promtool', ['check', 'metrics'], { input: await metricsText() })
    expect(String(output)).to.equal('')
  })
})

describe('a shard that holds a reply back', () => {
  it('has the time counted as its own, not as ours', async () => {
    const shard = await startFakeShard(() => undefined)
    const ambassador = await startAmbassador(configFor([shard], FLAGS), SILENT)
    const client = await connectRaw(portOf(ambassador.addresses[0]))
    const heldMs = 60
    const reply = client.request('GET', 'k')
    const asked = await shard.nextRequest()
    // That time passes is the subject; there is no event for it.
    await pause(heldMs)
    asked.reply('+late\r\n')
    await reply
    const { body } = await http({ port: portOf(ambassador.adminAddress), path: '/metrics' })
    const families = readExposition(body)
    const sum = (part: string) => {
      return sampleOf(families, `ambassador_request_${part}duration_seconds`, {}, '_sum')
    }
    const name = 'ambassador_shard_request_duration_seconds'
    expect(sum('shard_')).to.be.at.least((heldMs - 5) / 1000)
    expect(sampleOf(families, name, { pool: 'default', shard: 'a' }, '_sum')).to.be.closeTo(
      sum('shard_'),
      1e-9,
    )
    expect(sum('') - sum('shard_')).to.be.closeTo(sum('own_'), 1e-9)
    await client.close()
    await ambassador.stop()
    await shard.stop()
  })
})
