/**
 * A rehearsal in front of one real Redis, and the same requests to what was rehearsed, three shards and a
 * real cluster: what was said to be refused is what is refused, and nothing else.
 */
import { join } from 'node:path'
import { expect } from 'chai'
import { type Ambassador, startAmbassador } from '../../../lib/ambassador.ts'
import { Rehearsing } from '../../../lib/dispatcher/preflight/rehearsing.ts'
import type { PreflightReport } from '../../../lib/stats/preflight/rehearsal.ts'
import {
  AmbassadorUnderTest,
  configFor,
  SILENT,
  startAmbassadorFor,
} from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import { encodeRequest } from '../../support/frames.ts'
import { http } from '../../support/http.ts'
import { connectRaw, type RawClient } from '../../support/raw-client.ts'
import { type RedisServer, startRedis } from '../../support/redis-server.ts'
import { temporaryFiles } from '../../support/temporary-files.ts'
import { CONVERSATIONS } from './conversations.ts'

/** By which the ambassador, or a cluster, refuses what one Redis takes. */
const REFUSALS = /^-(?:CROSSSLOT|EXECABORT|ERR ambassador: command|ERR .* in cluster mode)/
/** Nobody is there; nobody is asked. */
const THREE = 'a=h1:1,b=h2:1,c=h3:1'

/** Refused in front of one Redis as well. */
const OF_ANY_AMBASSADOR = /^-ERR ambassador: command/

function portOf({ addresses: [address] }: Ambassador): number {
  return typeof address === 'object' ? address.port : 0
}

describe('preflight', () => {
  let one: RedisServer
  let shards: RedisServer[]
  let cluster: Cluster

  before(async function () {
    this.timeout(60_000)
    one = await startRedis()
    shards = [await startRedis(), await startRedis(), await startRedis()]
    cluster = await startCluster()
  })

  after(async () => {
    for (const server of [one, ...shards]) await server.stop()
    await cluster.stop()
  })

  /** In front of the one Redis, with this configuration to come. */
  function rehearse(whatIf: string, flags: Readonly<Record<string, string>> = {}) {
    return startAmbassador(configFor([one], { whatIf, ...flags }), SILENT)
  }

  function isNews(before: string, then: string): boolean {
    if (!REFUSALS.test(then)) return false
    return !before.startsWith('-') || OF_ANY_AMBASSADOR.test(before)
  }

  /** The requests that were said to be refused, and those that are. */
  async function compare(
    requests: readonly (readonly string[])[],
    whatIf: string,
    target: RawClient,
    flags: Readonly<Record<string, string>> = {},
  ): Promise<{ predicted: string[]; refused: string[] }> {
    const ambassador = await rehearse(whatIf, flags)
    const client = await connectRaw(portOf(ambassador))
    await client.request('FLUSHALL')
    await target.request('FLUSHALL')
    const predicted: string[] = []
    const refused: string[] = []
    for (const [index, words] of requests.entries()) {
      const name = `${index} ${words.join(' ')}`
      const count = () => ambassador.preflight?.refused ?? 0
      const countBefore = count()
      const before = String(await client.request(...words))
      const then = String(await target.request(...words))
      if (count() > countBefore) predicted.push(name)
      if (isNews(before, then)) refused.push(name)
    }
    await client.close()
    await ambassador.stop()
    return { predicted, refused }
  }

  for (const [name, requests] of Object.entries(CONVERSATIONS)) {
    it(`foretells what three shards refuse of ${name}`, async () => {
      const target = await startAmbassadorFor(shards)
      const whatIf = shards.map(({ port }, at) => `${'abc'[at]}=127.0.0.1:${port}`).join(',')
      const { predicted, refused } = await compare(requests, whatIf, await target.connect())
      expect(predicted).to.deep.equal(refused)
      await target.stop()
    })

    it(`foretells what a cluster refuses of ${name}`, async () => {
      const target = await startAmbassadorForCluster(cluster.addresses)
      const whatIf = `redis+cluster://${cluster.addresses}`
      const { predicted, refused } = await compare(requests, whatIf, await target.connect())
      expect(predicted).to.deep.equal(refused)
      await target.stop()
    })
  }

  it('foretells what is refused of transactions that are split', async () => {
    const requests = CONVERSATIONS['transactions'] ?? []
    const flags = { transactions: 'split' }
    const list = shards.map(({ port }, at) => `${'abc'[at]}=127.0.0.1:${port}`).join(',')
    for (const [whatIf, target] of [
      [list, await startAmbassadorFor(shards, flags)],
      [
        `redis+cluster://${cluster.addresses}`,
        await startAmbassadorForCluster(cluster.addresses, flags),
      ],
    ] as const) {
      const { predicted, refused } = await compare(requests, whatIf, await target.connect(), flags)
      expect(predicted).to.deep.equal(refused)
      await target.stop()
    }
  })

  it('foretells what routes and another pool leave of queues and transactions', async () => {
    const [a, b, c] = shards.map(({ port }) => `127.0.0.1:${port}`)
    const text = [
      `shards: [a=${a}, b=${b}]`,
      `pools: { queues: { shards: ${c} } }`,
      'routes: [{ prefix: "queue:", pool: queues }, { prefix: "order:", shard: b }]',
    ].join('\n')
    const next = join(temporaryFiles({ 'next.yaml': text }), 'next.yaml')
    const target = new AmbassadorUnderTest(
      await startAmbassador(configFor([], { shards: `a=${a},b=${b}`, config: next }), SILENT),
    )
    const requests = ['queues', 'transactions'].flatMap((name) => CONVERSATIONS[name] ?? [])
    const { predicted, refused } = await compare(requests, next, await target.connect())
    expect(predicted).to.deep.equal(refused)
    const commands = refused.join('\n')
    expect(commands).to.include('{queue:1}:busy')
    expect(commands).not.to.include('LMOVE queue:1 queue:2').and.not.to.include('XREAD BLOCK')
    await target.stop()
  })

  it('foretells what databases of their own leave of all that leads from one to another', async () => {
    const [a, b, c] = shards.map(({ port }) => `127.0.0.1:${port}`)
    const text = [
      `shards: [a=${a}, b=${b}]`,
      `pools: { queues: { shards: ${c} } }`,
      'databases: { 3: { shard: b }, 4: { pool: queues } }',
    ].join('\n')
    const next = join(temporaryFiles({ 'next.yaml': text }), 'next.yaml')
    const target = new AmbassadorUnderTest(
      await startAmbassador(configFor([], { shards: `a=${a},b=${b}`, config: next }), SILENT),
    )
    const requests = CONVERSATIONS['apart'] ?? []
    const { predicted, refused } = await compare(requests, next, await target.connect())
    expect(predicted).to.deep.equal(refused)
    const commands = refused.join('\n')
    for (const command of ['SELECT 4', 'MOVE job:3 5', 'SWAPDB 3 5', 'FLUSHALL', 'MOVE job:1 3']) {
      expect(commands).to.include(command)
    }
    for (const command of ['SET job:5', 'RENAME job:1', 'MSETNX', 'EVAL']) {
      expect(commands).not.to.include(command)
    }
    await target.stop()
  })

  it('says of how many scripts it cannot see all keys, which a cluster looks at', async () => {
    const ambassador = await rehearse(`redis+cluster://${cluster.addresses}`)
    const client = await connectRaw(portOf(ambassador))
    const target = await startAmbassadorForCluster(cluster.addresses)
    const direct = await target.connect()
    const body = "for i = 1, 9 do redis.call('EXISTS', 'other:' .. i) end"
    await client.request('EVAL', body, '1', 'named')
    await client.request('EVAL', body, '0')
    await client.request('EVAL', body, '2', 'named:1', 'named:2')
    expect(String(await direct.request('EVAL', body, '1', 'named'))).to.match(/non local key/)
    expect(ambassador.preflight).to.include({ unseen: 1, undeclared: 1, refused: 1 })
    await client.close()
    await ambassador.stop()
    await target.stop()
  })

  it('does not advise to split a transaction that asks all shards', async () => {
    const ambassador = await rehearse(THREE)
    const client = await connectRaw(portOf(ambassador))
    for (const words of [['MULTI'], ['DBSIZE'], ['EXEC']]) await client.request(...words)
    const helps = ambassador.preflight?.findings.map(({ command, help }) => [command, help])
    expect(helps?.find(([command]) => command === 'dbsize')?.[1]).to.match(/^to send it outside/)
    await client.close()
    await ambassador.stop()
  })

  /** The report, whose time differs each time, after these requests; `together`: in one write. */
  async function reportOf(
    requests: readonly (readonly string[])[],
    together: boolean,
  ): Promise<PreflightReport | undefined> {
    const ambassador = await rehearse(THREE)
    const client = await connectRaw(portOf(ambassador))
    await client.request('FLUSHALL')
    if (together) {
      client.write(Buffer.concat(requests.map((words) => encodeRequest(...words))))
      await client.replies(requests.length)
    } else {
      for (const words of requests) await client.request(...words)
    }
    const report = ambassador.preflight
    await client.close()
    await ambassador.stop()
    return report && { ...report, since: '' }
  }

  for (const name of ['queues', 'transactions', 'scripts']) {
    it(`counts each request once, however fast ${name} come`, async () => {
      const requests = CONVERSATIONS[name] ?? []
      const report = await reportOf(requests, false)
      expect(report?.requests).to.be.above(5)
      expect(await reportOf(requests, true)).to.deep.equal(report)
    })
  }

  it('is told over HTTP and over RESP', async () => {
    const ambassador = await rehearse(THREE, { adminListen: '127.0.0.1:0', showKeys: 'clear' })
    const { adminAddress } = ambassador
    const port = typeof adminAddress === 'object' ? adminAddress.port : 0
    const client = await connectRaw(portOf(ambassador))
    await client.request('MSETNX', 'cart:1:a', 'x', 'cart:2:a', 'x', 'cart:3:a', 'x')
    await client.request('MGET', 'cart:1:a', 'cart:2:a', 'cart:3:a')
    await client.request('EVAL', 'return 1', '0')
    const report = JSON.parse((await http({ port, path: '/preflight' })).body)
    expect(report).to.include({ enabled: true, requests: 3, split: 1, refused: 1, undeclared: 1 })
    expect(report.findings[0]).to.deep.equal({
      outcome: 'refused',
      kind: 'crossslot',
      command: 'msetnx',
      requests: 1,
      why: 'its keys are on several places, and it cannot be split',
      help: 'a hash tag that its keys share, or a route by prefix (cart:) to one shard or to a pool of one server',
      patterns: [{ pattern: 'cart:<n>:a', example: 'cart:1:a cart:2:a cart:3:a', share: 1 }],
    })
    const keys = report.shards.map((shard: { keys: number }) => shard.keys)
    expect(keys.reduce((sum: number, count: number) => sum + count, 0)).to.equal(3)
    const { body } = await http({ port, path: '/preflight?text' })
    expect(body).to.include('refused  msetnx  1').and.to.include('such as cart:1:a cart:2:a')
    const metrics = (await http({ port, path: '/metrics' })).body
    expect(metrics).to.include('ambassador_preflight_requests_total{outcome="refused"} 1\n')
    expect(metrics).to.include('ambassador_preflight_requests_total{outcome="passed"} 1\n')
    const refused = 'ambassador_preflight_refused_total{command="msetnx",why="crossslot"} 1\n'
    expect(metrics).to.include(refused)
    expect(metrics).to.include('ambassador_preflight_undeclared_total 1\n')
    const accepting = await http({ port, path: '/preflight', headers: { accept: 'text/plain' } })
    expect(accepting.body).to.include('What if: ')
    expect(String(await client.request('AMBASSADOR', 'PREFLIGHT'))).to.include('cart:<n>:a')
    await client.close()
    await ambassador.stop()
  })

  for (const showKeys of ['hashed', 'off']) {
    it(`tells no key, no prefix and no secret with showKeys ${showKeys}`, async () => {
      const whatIf = 'a=redis://u:hunter2@h1:1,b=redis://u:hunter2@h2:1,c=h3:1'
      const ambassador = await rehearse(whatIf, { showKeys, adminListen: '127.0.0.1:0' })
      const { adminAddress } = ambassador
      const port = typeof adminAddress === 'object' ? adminAddress.port : 0
      const client = await connectRaw(portOf(ambassador))
      const key = (number: number) => `secret:${number}`
      await client.request('MGET', key(1), key(2), key(3), key(4))
      await client.request('RENAME', key(1), key(2))
      await client.request('MSETNX', key(1), 'a', key(2), 'a', key(3), 'a', key(4), 'a')
      const said = [
        (await http({ port, path: '/preflight' })).body,
        (await http({ port, path: '/preflight?text' })).body,
        (await http({ port, path: '/config' })).body,
        String(await client.request('AMBASSADOR', 'PREFLIGHT')),
        String(await client.request('AMBASSADOR', 'CONFIG')),
      ]
      for (const text of said) expect(text).not.to.match(/secret|hunter2/)
      expect(said[0]).to.include('"command": "msetnx"')
      if (showKeys === 'hashed') expect(said[0]).to.match(/"pattern": "hash:0x[0-9a-f]{8}"/)
      await client.close()
      await ambassador.stop()
    })
  }

  it('goes on over a reload that does not concern it, and begins anew with another what if', async () => {
    const ambassador = await rehearse(THREE)
    const client = await connectRaw(portOf(ambassador))
    await client.request('GET', 'a')
    ambassador.reload(configFor([one], { whatIf: THREE, slowRequestMs: '77' }))
    await client.request('GET', 'a')
    expect(ambassador.preflight?.requests).to.equal(2)
    ambassador.reload(configFor([one], { whatIf: 'redis+cluster://h:1' }))
    expect(ambassador.preflight?.requests).to.equal(0)
    await client.request('MULTI')
    await client.request('SET', 'a', '1')
    ambassador.reload(configFor([one]))
    await client.request('EXEC')
    await client.request('GET', 'a')
    expect(ambassador.preflight).to.equal(undefined)
    expect(String(await client.request('AMBASSADOR', 'PREFLIGHT'))).to.equal('$-1\r\n')
    await client.close()
    await ambassador.stop()
  })

  it('has nothing on the way of requests while it is off', async () => {
    const { handle } = Rehearsing.prototype
    let passed = 0
    Rehearsing.prototype.handle = function (this: Rehearsing, client, request) {
      passed++
      handle.call(this, client, request)
    }
    try {
      const ambassador = await startAmbassador(configFor([one]), SILENT)
      const client = await connectRaw(portOf(ambassador))
      await client.request('GET', 'a')
      expect(passed).to.equal(0)
      ambassador.reload(configFor([one], { whatIf: THREE }))
      await client.request('GET', 'a')
      expect(passed).to.equal(1)
      ambassador.reload(configFor([one]))
      await client.request('GET', 'a')
      expect(passed).to.equal(1)
      await client.close()
      await ambassador.stop()
    } finally {
      Rehearsing.prototype.handle = handle
    }
  })
})
