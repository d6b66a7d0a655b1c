/** What names no key and may touch keys, over several real shards: it always meets the same data. */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import {
  type AmbassadorUnderTest,
  configFor,
  keysOn,
  startAmbassadorFor,
} from '../support/ambassador.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { shareRedises } from '../support/shared-shards.ts'
import { until } from '../support/until.ts'

const INCREMENT = "return redis.call('INCR','x')"
const LIBRARY = `#!lua name=counting
redis.register_function('count', function() return redis.call('INCR','x') end)
redis.register_function{function_name='look', flags={'no-writes'},
  callback=function() return redis.call('GET','x') end}`

const SHARDS = 3

describe('row 73: what names no key and may touch keys', () => {
  const redises = shareRedises(SHARDS)
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  /** Index of the one shard that it goes to. */
  let fixed: number

  beforeEach(async () => {
    ambassador = await startAmbassadorFor(redises)
    client = await ambassador.connect()
    await client.request('FLUSHALL')
    await client.request('FUNCTION', 'FLUSH')
    fixed = await placeOfTheEmptyKey(client)
  })
  afterEach(() => ambassador.stop())

  async function ask(...args: string[]): Promise<string> {
    return String(await client.request(...args))
  }

  it('meets the same data, whichever command it is and whoever sends it', async () => {
    const sha = createHash('sha1').update(INCREMENT).digest('hex')
    expect(await ask('FUNCTION', 'LOAD', LIBRARY)).to.equal('$8\r\ncounting\r\n')
    const other = await ambassador.connect(3)
    for (const [sender, ...request] of [
      [client, 'EVAL', INCREMENT, '0'],
      [other, 'EVAL', INCREMENT, '0'],
      [client, 'EVALSHA', sha, '0'],
      [other, 'EVALSHA', sha, '0', 'argument'],
      [client, 'FCALL', 'count', '0'],
      [other, 'FCALL', 'count', '0'],
      [client, 'EVAL', INCREMENT, '0', 'a', 'b'],
      [other, 'EVALSHA', sha, '0'],
      [client, 'FCALL', 'count', '0'],
    ] as [RawClient, ...string[]][]) {
      expect(String(await sender.request(...request))).to.match(/^:\d\r\n$/)
    }
    const read = "return redis.call('GET','x')"
    expect(await ask('EVAL_RO', read, '0')).to.equal('$1\r\n9\r\n')
    const readSha = createHash('sha1').update(read).digest('hex')
    expect(await ask('EVALSHA_RO', readSha, '0')).to.equal('$1\r\n9\r\n')
    expect(await ask('FCALL_RO', 'look', '0')).to.equal('$1\r\n9\r\n')
  })

  it('meets them in a transaction, after WATCH and in a pipeline', async () => {
    await ask('MULTI')
    for (let i = 0; i < 3; i++) expect(await ask('EVAL', INCREMENT, '0')).to.equal('+QUEUED\r\n')
    expect(await ask('EXEC')).to.equal('*3\r\n:1\r\n:2\r\n:3\r\n')
    const [elsewhere = ''] = keysOn((fixed + 1) % SHARDS, SHARDS)
    await ask('WATCH', elsewhere)
    expect(await ask('EVAL', INCREMENT, '0')).to.equal(':4\r\n')
    await ask('UNWATCH')
    for (let i = 0; i < 3; i++)
      client.write(`*3\r\n$4\r\nEVAL\r\n$29\r\n${INCREMENT}\r\n$1\r\n0\r\n`)
    expect((await client.replies(3)).join('')).to.equal(':5\r\n:6\r\n:7\r\n')
  })

  it('is refused in a transaction whose keys live elsewhere, either way around', async () => {
    const [here = ''] = keysOn(fixed, SHARDS)
    const [elsewhere = ''] = keysOn((fixed + 1) % SHARDS, SHARDS)
    for (const requests of [
      [
        ['EVAL', INCREMENT, '0'],
        ['SET', elsewhere, '1'],
      ],
      [
        ['SET', elsewhere, '1'],
        ['EVAL', INCREMENT, '0'],
      ],
    ]) {
      await ask('MULTI')
      expect(await ask(...(requests[0] as string[]))).to.equal('+QUEUED\r\n')
      expect(await ask(...(requests[1] as string[]))).to.match(/^-CROSSSLOT /)
      expect(await ask('EXEC')).to.match(/^-EXECABORT /)
    }
    await ask('MULTI')
    await ask('SET', here, '1')
    expect(await ask('EVAL', INCREMENT, '0')).to.equal('+QUEUED\r\n')
    expect(await ask('EXEC')).to.equal('*2\r\n+OK\r\n:1\r\n')
  })

  it('lives where the empty key does, which operators can look up', async () => {
    await ask('EVAL', INCREMENT, '0')
    for (const [index, redis] of redises.entries()) {
      const direct = await connectRaw(redis.port)
      const there = String(await direct.request('EXISTS', 'x')) === ':1\r\n'
      expect(there, `shard ${index}`).to.equal(index === fixed)
      await direct.close()
    }
  })

  it('stays there through reloads that leave the empty key where it is', async () => {
    const list = redises.map(({ port }, index) => `${'abc'[index]}=127.0.0.1:${port}`)
    for (const [step, shards] of [list, [...list].reverse(), list].entries()) {
      ambassador.reload(configFor([], { shards: shards.join(',') }))
      expect(await ask('EVAL', INCREMENT, '0')).to.equal(`:${2 * step + 1}\r\n`)
      expect(await ask('EVAL', INCREMENT, '0')).to.equal(`:${2 * step + 2}\r\n`)
    }
  })

  it('is a fixed shard where each request draws one, too', async () => {
    ambassador.reload(configFor(redises, { distribution: 'random' }))
    for (let i = 1; i <= 9; i++) expect(await ask('EVAL', INCREMENT, '0')).to.equal(`:${i}\r\n`)
  })

  it('gets an honest error while that shard is down, and moves to no other', async () => {
    const redis = redises[fixed] as RedisServer
    const name = 'abc'[fixed]
    await ask('EVAL', INCREMENT, '0')
    await redis.kill()
    const unavailable = `-ERR ambassador: shard ${name} unavailable (not sent)\r\n`
    await until(async () => (await ask('EVAL', INCREMENT, '0')) === unavailable)
    for (let i = 0; i < 6; i++) {
      expect(await ask('EVAL', INCREMENT, '0')).to.equal(unavailable)
      // These touch no key: any shard that is up will do.
      expect(await ask('TIME')).to.match(/^\*2\r\n/)
      expect(await ask('ROLE')).to.match(/^\*3\r\n/)
    }
    await ask('MULTI')
    expect(await ask('EVAL', INCREMENT, '0')).to.equal(unavailable)
    expect(await ask('EXEC')).to.match(/^-EXECABORT /)
    await redis.restart()
    await until(async () => (await ask('EVAL', INCREMENT, '0')) === ':1\r\n')
  })
})

async function placeOfTheEmptyKey(client: RawClient): Promise<number> {
  const route = String(await client.request('AMBASSADOR', 'ROUTE', ''))
  const name = /\$5\r\nshard\r\n\$1\r\n(.)\r\n/.exec(route)?.[1] ?? ''
  return 'abc'.indexOf(name)
}
