/** Scripts over several real shards: what one knows all know, whoever restarts or forgets. */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { openIoredis5, openNodeRedis } from '../support/clients.ts'
import { CROSSSLOT_LINE } from '../support/crossslot.ts'
import { type FakeShard, type Script, startFakeShard } from '../support/fake-shard.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import type { RedisServer } from '../support/redis-server.ts'
import { shareRedises, shareShards } from '../support/shared-shards.ts'
import { until } from '../support/until.ts'

const NOSCRIPT = '-NOSCRIPT No matching script. Please use EVAL.\r\n'
const INCREMENT = "return redis.call('INCR', KEYS[1])"
/** Keys of all three shards, as the first spec proves. */
const KEYS = Array.from({ length: 12 }, (_, i) => `${i}:key`)

function sha1(body: string): string {
  return createHash('sha1').update(body).digest('hex')
}

/** A body that no other spec has used, so that no shard can have it. */
let bodies = 0
function freshBody(): string {
  return `${INCREMENT} -- ${++bodies}`
}

describe('scripts', () => {
  const plain = shareRedises(1)
  // A script is busy early, so that KILL need not wait for five seconds.
  const shards = shareShards(3, {}, ['--busy-reply-threshold', '20'])
  let client: RawClient
  const direct: RawClient[] = []

  beforeEach(async () => {
    client = await shards.ambassador.connect()
  })
  afterEach(async () => {
    for (const each of direct.splice(0)) await each.close()
  })

  async function ask(...args: string[]): Promise<string> {
    return String(await client.request(...args))
  }

  async function connectTo({ port }: RedisServer): Promise<RawClient> {
    const each = await connectRaw(port)
    direct.push(each)
    return each
  }

  async function askShards(...args: string[]): Promise<string[]> {
    const replies: string[] = []
    for (const redis of shards.redises) {
      replies.push(String(await (await connectTo(redis)).request(...args)))
    }
    return replies
  }

  /** Until a command that reaches every shard is answered by all of them. */
  async function untilAllUp(): Promise<void> {
    await until(async () => !(await ask('DBSIZE')).startsWith('-'))
  }

  for (const protocol of [2, 3] as const) {
    it(`runs by EVALSHA on every shard what EVAL showed one of them, in RESP${protocol}`, async () => {
      client = await shards.ambassador.connect(protocol)
      const body = freshBody()
      expect(await ask('EVAL', body, '1', KEYS[0] as string)).to.equal(':1\r\n')
      for (const key of KEYS.slice(1)) {
        expect(await ask('EVALSHA', sha1(body).toUpperCase(), '1', key)).to.equal(':1\r\n')
      }
      const sizes = await askShards('DBSIZE')
      expect(sizes).not.to.include(':0\r\n')
    })
  }

  it('does so in one pipeline, in order', async () => {
    const body = freshBody()
    const calls = KEYS.map((key) => `EVALSHA ${sha1(body)} 1 ${key}\r\nGET ${key}\r\n`)
    client.write(`EVAL "${body}" 1 other\r\n${calls.join('')}`)
    const replies = (await client.replies(1 + 2 * KEYS.length)).map(String)
    expect(replies).to.deep.equal([':1\r\n', ...KEYS.flatMap(() => [':1\r\n', '$1\r\n1\r\n'])])
  })

  it('runs by EVALSHA_RO and without keys as well', async () => {
    const body = `return 'read only' -- ${++bodies}`
    await ask('EVAL_RO', body, '1', KEYS[0] as string)
    for (const key of KEYS) {
      expect(await ask('EVALSHA_RO', sha1(body), '1', key)).to.equal('$9\r\nread only\r\n')
    }
    for (let i = 0; i < 6; i++) {
      expect(await ask('EVALSHA', sha1(body), '0')).to.equal('$9\r\nread only\r\n')
    }
  })

  it('gives a restarted shard its scripts again', async () => {
    const body = freshBody()
    expect(await ask('SCRIPT', 'LOAD', body)).to.equal(`$40\r\n${sha1(body)}\r\n`)
    for (const key of KEYS) await ask('EVALSHA', sha1(body), '1', key)
    for (const redis of shards.redises) await redis.restart()
    await untilAllUp()
    expect(await ask('SCRIPT', 'EXISTS', sha1(body))).to.equal('*1\r\n:1\r\n')
    for (const key of KEYS) expect(await ask('EVALSHA', sha1(body), '1', key)).to.equal(':1\r\n')
  })

  it('repeats an EVALSHA that runs into a flushed shard, and what is behind it waits', async () => {
    const body = freshBody()
    for (const key of KEYS) await ask('EVAL', body, '1', key)
    for (const key of KEYS) await ask('EVALSHA', sha1(body), '1', key)
    await askShards('SCRIPT', 'FLUSH')
    for (const key of KEYS) expect(await ask('EVALSHA', sha1(body), '1', key)).to.equal(':3\r\n')
  })

  it('answers as Redis about what nobody knows, and refuses keys of two shards', async () => {
    const toPlain = await connectTo(plain[0] as RedisServer)
    const calls = [
      ['EVALSHA', sha1('unknown'), '1', 'k'],
      ['EVALSHA', 'short', '0'],
      ['EVALSHA', sha1('unknown'), 'x', 'k'],
      ['EVAL', 'this is not Lua', '1', 'k'],
      ['EVALSHA', sha1('this is not Lua'), '1', 'k'],
      ['SCRIPT', 'EXISTS', sha1('this is not Lua'), sha1('unknown')],
      ['SCRIPT', 'LOAD', 'neither is this'],
      ['SCRIPT', 'EXISTS', sha1('neither is this')],
      ['SCRIPT', 'FLUSH', 'NONSENSE'],
      ['SCRIPT', 'FLUSH', 'SYNC', 'x'],
      ['SCRIPT', 'KILL'],
      ['FUNCTION', 'KILL'],
      ['FUNCTION', 'STATS'],
      ['SCRIPT', 'LOAD', INCREMENT],
      ['SCRIPT', 'EXISTS', sha1(INCREMENT).toUpperCase(), 'x'],
      ['SCRIPT', 'FLUSH', 'ASYNC'],
      ['SCRIPT', 'EXISTS', sha1(INCREMENT)],
      ['EVALSHA', sha1(INCREMENT), '1', 'k'],
    ]
    for (const call of calls) {
      expect(await ask(...call), call.join(' ')).to.equal(String(await toPlain.request(...call)))
    }
    await ask('EVAL', 'return 1', '0')
    const several = ['EVALSHA', sha1('return 1'), String(KEYS.length), ...KEYS]
    expect(await ask(...several)).to.equal(CROSSSLOT_LINE)
  })

  it('finds by SCRIPT EXISTS what any shard has, since all can get it', async () => {
    const body = freshBody()
    await ask('EVAL', body, '1', KEYS[0] as string)
    expect(await ask('SCRIPT', 'EXISTS', sha1(body))).to.equal('*1\r\n:1\r\n')
    expect((await askShards('SCRIPT', 'EXISTS', sha1(body))).sort()).to.deep.equal([
      '*1\r\n:0\r\n',
      '*1\r\n:0\r\n',
      '*1\r\n:1\r\n',
    ])
  })

  it('loads nothing after a FLUSH that it did not load again', async () => {
    const body = freshBody()
    for (const key of KEYS) await ask('EVAL', body, '1', key)
    expect(await ask('SCRIPT', 'FLUSH')).to.equal('+OK\r\n')
    for (const key of KEYS) expect(await ask('EVALSHA', sha1(body), '1', key)).to.equal(NOSCRIPT)
  })

  describe('in a transaction', () => {
    it('run on a shard that has never seen them', async () => {
      const body = freshBody()
      await ask('EVAL', body, '1', KEYS[0] as string)
      for (const key of KEYS.slice(1)) {
        client.write(`MULTI\r\nEVALSHA ${sha1(body)} 1 ${key}\r\nGET ${key}\r\nEXEC\r\n`)
        expect((await client.replies(4)).map(String)).to.deep.equal([
          '+OK\r\n',
          '+QUEUED\r\n',
          '+QUEUED\r\n',
          '*2\r\n:1\r\n$1\r\n1\r\n',
        ])
      }
    })

    it('run without a key, before the first key and after WATCH', async () => {
      const body = `return 'done' -- ${++bodies}`
      await ask('EVAL', body, '1', KEYS[0] as string)
      const evalSha = `EVALSHA ${sha1(body)} 0\r\n`
      const owner = async (key: string) =>
        /shard\r\n.*\r\n.*/.exec(await ask('AMBASSADOR', 'ROUTE', key))?.[0]
      const place = await owner('')
      // What names no key has a shard as well, and a transaction has one.
      const here: string[] = []
      for (const key of KEYS) if ((await owner(key)) === place) here.push(key)
      expect(here).to.not.deep.equal([])
      for (const key of here) {
        client.write(`MULTI\r\n${evalSha}${evalSha}EXEC\r\n`)
        expect(String((await client.replies(4))[3])).to.equal('*2\r\n$4\r\ndone\r\n$4\r\ndone\r\n')
        client.write(`MULTI\r\n${evalSha}SET ${key} v\r\nEXEC\r\n`)
        expect(String((await client.replies(4))[3])).to.equal('*2\r\n$4\r\ndone\r\n+OK\r\n')
        client.write(
          `WATCH ${key}\r\nEVALSHA ${sha1(body)} 1 ${key}\r\nMULTI\r\n${evalSha}EXEC\r\n`,
        )
        const watched = (await client.replies(5)).map(String)
        expect([watched[1], watched[4]]).to.deep.equal(['$4\r\ndone\r\n', '*1\r\n$4\r\ndone\r\n'])
      }
    })

    it('are remembered there as well', async () => {
      const body = freshBody()
      client.write(`MULTI\r\nEVAL "${body}" 1 ${KEYS[0]}\r\nEXEC\r\n`)
      await client.replies(3)
      for (const key of KEYS.slice(1)) {
        expect(await ask('EVALSHA', sha1(body), '1', key)).to.equal(':1\r\n')
      }
    })

    it('hold up nobody when the transaction is discarded', async () => {
      const body = freshBody()
      await ask('EVAL', body, '1', KEYS[0] as string)
      for (const key of KEYS) {
        client.write(`MULTI\r\nEVALSHA ${sha1(body)} 1 ${key}\r\nDISCARD\r\nECHO a\r\n`)
        expect(String((await client.replies(4))[3])).to.equal('$1\r\na\r\n')
      }
    })
  })

  describe('KILL', () => {
    const ENDLESS = 'while true do end'

    for (const database of [0, 2]) {
      it(`ends a script that runs on one shard, from database ${database}`, async () => {
        await ask('SELECT', String(database))
        const victim = await shards.ambassador.connect()
        victim.write(`EVAL "${ENDLESS}" 1 k\r\n`)
        let reply: string
        do reply = await ask('SCRIPT', 'KILL')
        while (reply.startsWith('-NOTBUSY'))
        expect(reply).to.equal('+OK\r\n')
        expect(String(await victim.reply())).to.match(/^-(ERR|UNKILLABLE).*[Ss]cript killed/)
      })
    }

    it('ends a function, which FUNCTION STATS shows', async () => {
      const library = `#!lua name=endless\nredis.register_function('f', function() ${ENDLESS} end)`
      expect(await ask('FUNCTION', 'LOAD', 'REPLACE', library)).to.equal('$7\r\nendless\r\n')
      expect(await ask('FUNCTION', 'LIST')).to.include('endless')
      const victim = await shards.ambassador.connect()
      victim.write('FCALL f 1 k\r\n')
      let stats: string
      do stats = await ask('FUNCTION', 'STATS')
      while (stats.includes('running_script\r\n$-1\r\n'))
      expect(stats).to.match(/^\*4\r\n\$14\r\nrunning_script\r\n\*6\r\n/)
      expect(await ask('FUNCTION', 'KILL')).to.equal('+OK\r\n')
      expect(String(await victim.reply())).to.match(/^-ERR.*killed/)
      expect(await ask('FUNCTION', 'DELETE', 'endless')).to.equal('+OK\r\n')
      expect(await ask('FCALL', 'f', '1', 'k')).to.equal('-ERR Function not found\r\n')
    })
  })

  describe('of client libraries', () => {
    it('defineCommand of ioredis, alone, in a pipeline and in a transaction', async () => {
      const ioredis = openIoredis5(shards.ambassador.port)
      ioredis.defineCommand('increment', { numberOfKeys: 1, lua: freshBody() })
      type Incrementing = { increment(key: string): Promise<unknown> }
      const alone = ioredis as unknown as Incrementing
      for (const key of KEYS) expect(await alone.increment(key)).to.equal('1')
      const pipeline = ioredis.pipeline()
      for (const key of KEYS) await (pipeline as unknown as Incrementing).increment(key)
      expect(await pipeline.exec()).to.deep.equal(KEYS.map(() => [null, '2']))
      for (const key of KEYS) {
        const transaction = ioredis.multi()
        await (transaction as unknown as Incrementing).increment(key)
        expect(await transaction.exec()).to.deep.equal([[null, '3']])
      }
      ioredis.disconnect()
    })

    it('scripts of node-redis', async () => {
      const body = freshBody()
      const nodeRedis = await openNodeRedis(shards.ambassador.port)
      expect(await nodeRedis.scriptLoad(body)).to.equal(sha1(body))
      for (const key of KEYS) {
        expect(await nodeRedis.evalSha(sha1(body), { keys: [key] })).to.equal(1)
      }
      nodeRedis.destroy()
    })
  })
})

describe('an EVALSHA that finds no script', () => {
  let fake: FakeShard
  let script: Script
  let ambassador: AmbassadorUnderTest
  /** What the shard has been told, without the handshake. */
  const seen = (): string[] => fake.requests.map(({ text }) => text)

  beforeEach(async () => {
    script = ({ text }) => (text.startsWith('EVALSHA') ? NOSCRIPT : '+OK\r\n')
    fake = await startFakeShard((request) => script(request))
    ambassador = await startAmbassadorFor([fake])
  })
  afterEach(async () => {
    await ambassador.stop()
    await fake.stop()
  })

  const call = `EVALSHA ${sha1('return 1')} 1 k`

  it('is repeated once, behind its script', async () => {
    const client = await ambassador.connect()
    await client.request('EVAL', 'return 1', '1', 'k')
    expect(String(await client.request(...call.split(' ')))).to.equal(NOSCRIPT)
    const load = 'SCRIPT LOAD return 1'
    expect(seen()).to.deep.equal(['EVAL return 1 1 k', load, call, load, call])
  })

  it('is not repeated when a later command of the client is on its way', async () => {
    const client = await ambassador.connect()
    await client.request('EVAL', 'return 1', '1', 'k')
    client.write(`${call}\r\nSET k v\r\n`)
    expect((await client.replies(2)).map(String)).to.deep.equal([NOSCRIPT, '+OK\r\n'])
    expect(seen().slice(1)).to.deep.equal(['SCRIPT LOAD return 1', call, 'SET k v'])
  })

  for (const repeats of [0, 1]) {
    it(`fails when its shard is lost after ${repeats} repetitions`, async () => {
      const client = await ambassador.connect()
      await client.request('EVAL', 'return 1', '1', 'k')
      let calls = 0
      script = ({ text, connection }) => {
        if (!text.startsWith('EVALSHA')) return '+OK\r\n'
        if (calls++ < repeats) return NOSCRIPT
        connection.reset()
        return undefined
      }
      const reply = String(await client.request(...call.split(' ')))
      expect(reply).to.equal('-ERR ambassador: shard a connection lost (may have executed)\r\n')
      expect(String(await client.request('ECHO', 'a'))).to.equal('$1\r\na\r\n')
    })
  }
})
