/** Slow log, hot keys and big replies in front of real Redis servers, over HTTP and over RESP. */
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'chai'
import {
  type AmbassadorUnderTest,
  configFor,
  keysOn,
  type ShardAddress,
  startAmbassadorFor,
} from '../support/ambassador.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { encodeRequest } from '../support/frames.ts'
import { http } from '../support/http.ts'
import type { RawClient } from '../support/raw-client.ts'
import { shareRedises } from '../support/shared-shards.ts'

const SLOW_MS = 300
/** Keeps its shard busy for longer. */
const BUSY = `local function ms() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
  local till = ms() + ${SLOW_MS + 50}
  while ms() < till do end
  return ms()`
const FLAGS = { adminListen: '127.0.0.1:0' }

/** Lets more than 20 ms pass: that it does is what makes a request slow, so there is no event for it. */
function beSlow(): Promise<void> {
  return pause(30)
}

interface Entry {
  readonly id: number
  readonly command: string
  readonly key: string | null
  readonly shard: string
  readonly totalSeconds: number
  readonly shardSeconds: number
  readonly ending: string
  readonly bytes: number
  readonly times: number
}

describe('slow log, hot keys and big replies', () => {
  const redises = shareRedises(2)
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  async function start(
    flags: Readonly<Record<string, string>>,
    shards: readonly ShardAddress[] = redises,
  ): Promise<void> {
    ambassador = await startAmbassadorFor(shards, { ...FLAGS, ...flags })
    client = await ambassador.connect()
  }

  afterEach(() => ambassador.stop())

  async function get(path: string) {
    const { status, body } = await http({
      port: ambassador.adminPort,
      path,
      headers: { host: 'localhost' },
    })
    expect(status).to.equal(200)
    return JSON.parse(body)
  }

  async function entries(path: string): Promise<Entry[]> {
    return (await get(path)).entries
  }

  /** As /route tells it, and AMBASSADOR ROUTE. */
  async function hashOf(key: string): Promise<string> {
    const { hashValue } = await get(`/route?key=${encodeURIComponent(key)}`)
    const told = String(await client.request('AMBASSADOR', 'ROUTE', key))
    expect(told).to.include(`:${hashValue}\r\n`)
    return `hash:0x${hashValue.toString(16).padStart(8, '0')}`
  }

  describe('slow log', () => {
    it('has the command that kept a shard busy, and none that waited behind it', async () => {
      await start({ slowRequestMs: `${SLOW_MS}` })
      const [key = '', behind = ''] = keysOn(1, 2, 2)
      await client.request('GET', key)
      client.write(encodeRequest('EVAL', BUSY, '1', key))
      client.write(encodeRequest('GET', behind))
      client.write(encodeRequest('GET', keysOn(0, 2)[0] ?? ''))
      await client.replies(3)
      const page = await get('/slowlog')
      expect(page.thresholdSeconds).to.equal(SLOW_MS / 1000)
      expect(page.entries).to.have.length(1)
      const [entry] = page.entries
      expect(entry).to.include({ id: 0, command: 'eval', shard: 'b', ending: 'answered' })
      expect(entry.key).to.equal(await hashOf(key))
      expect(entry.totalSeconds).to.be.at.least(entry.shardSeconds)
      expect(entry.shardSeconds).to.be.at.least(SLOW_MS / 1000)
      expect(Date.parse(entry.at)).to.be.closeTo(Date.now(), 60_000)
    })

    it('names a split command by the first key that it asked of the slow shard', async () => {
      const slow = await startFakeShard(() => undefined)
      const shards = [slow, await startFakeShard()]
      await start({ slowRequestMs: '20' }, shards)
      const [first = ''] = keysOn(1, 2)
      const [second = ''] = keysOn(0, 2)
      const answered = client.request('DEL', first, second)
      const request = await slow.nextRequest()
      await beSlow()
      request.reply(':1\r\n')
      await answered
      const [entry] = await entries('/slowlog')
      expect(entry).to.include({ command: 'del', shard: 'a', key: await hashOf(second) })
      for (const shard of shards) await shard.stop()
    })

    it('has transactions, by their EXEC, and nothing that waits because it was told to', async () => {
      await start({ slowRequestMs: `${SLOW_MS}` })
      const [key = ''] = keysOn(0, 2)
      await client.request('BLPOP', key, `${(SLOW_MS + 50) / 1000}`)
      expect(await entries('/slowlog')).to.deep.equal([])
      await client.request('MULTI')
      await client.request('EVAL', BUSY, '1', key)
      await client.request('EXEC')
      const [entry, ...others] = await entries('/slowlog')
      expect(others).to.deep.equal([])
      expect(entry).to.include({ command: 'exec', key: null, shard: 'a' })
    })

    it('has one of the requests that a silent shard made time out: the first', async () => {
      const shard = await startFakeShard(() => undefined)
      await start({ slowRequestMs: '5000', requestTimeoutMs: '50' }, [shard])
      for (const name of ['GET', 'TTL', 'TYPE']) client.write(encodeRequest(name, 'key'))
      await client.replies(3)
      const [entry, ...others] = await entries('/slowlog')
      expect(others).to.deep.equal([])
      expect(entry).to.include({ command: 'get', ending: 'timed out', key: await hashOf('key') })
      await shard.stop()
    })

    it('has a request whose connection was lost while it kept it waiting', async () => {
      const shard = await startFakeShard(() => undefined)
      await start({ slowRequestMs: '20' }, [shard])
      const answered = client.request('GET', 'key')
      const request = await shard.nextRequest()
      await beSlow()
      request.connection.close()
      expect(String(await answered)).to.include('connection lost')
      expect((await entries('/slowlog'))[0]).to.include({ command: 'get', ending: 'lost' })
      await shard.stop()
    })

    it('shows keys in clear where that is asked for, and only as long as it is', async () => {
      const shard = await startFakeShard(() => undefined)
      const shards = [shard]
      await start({ slowRequestMs: '1', showKeys: 'clear' }, shards)
      const answered = client.request('GET', 'a "key"\n')
      const request = await shard.nextRequest()
      await beSlow()
      request.reply('$-1\r\n')
      await answered
      expect((await entries('/slowlog'))[0]?.key).to.equal('a "key"\\x0a')
      ambassador.reload(configFor(shards, { ...FLAGS, slowRequestMs: '1' }))
      expect((await entries('/slowlog'))[0]?.key).to.equal(await hashOf('a "key"\n'))
      ambassador.reload(configFor(shards, { ...FLAGS, slowRequestMs: '0', showKeys: 'off' }))
      const page = await get('/slowlog')
      expect(page.thresholdSeconds).to.equal(null)
      expect(page.entries[0].key).to.equal(null)
      await shard.stop()
    })

    it('is told over RESP as Redis tells its own', async () => {
      await start({ slowRequestMs: `${SLOW_MS}` })
      const [key = ''] = keysOn(0, 2)
      expect(String(await client.request('AMBASSADOR', 'SLOWLOG'))).to.equal('*0\r\n')
      await client.request('EVAL', BUSY, '1', key)
      await client.request('EVAL', BUSY, '1', key)
      const ask = async (...args: string[]): Promise<string> => {
        return String(await client.request('AMBASSADOR', 'SLOWLOG', ...args))
      }
      expect(await ask('LEN')).to.equal(':2\r\n')
      const hash = await hashOf(key)
      const fields =
        `\\$2\r\nid\r\n:1\r\n\\$22\r\nunix-time-milliseconds\r\n:\\d+\r\n` +
        `\\$7\r\ncommand\r\n\\$4\r\neval\r\n\\$3\r\nkey\r\n\\$15\r\n${hash}\r\n` +
        `\\$5\r\nshard\r\n\\$1\r\na\r\n\\$18\r\ntotal-microseconds\r\n:\\d+\r\n` +
        `\\$18\r\nshard-microseconds\r\n:\\d+\r\n\\$6\r\nending\r\n\\$8\r\nanswered\r\n`
      expect(await ask('GET', '1')).to.match(new RegExp(`^\\*1\r\n\\*16\r\n${fields}$`))
      expect(await ask('get', '-1')).to.match(/^\*2\r\n/)
      expect(await ask('GET', '-2')).to.equal(
        '-ERR count should be greater than or equal to -1\r\n',
      )
      expect(await ask('GET', 'x')).to.equal('-ERR value is not an integer or out of range\r\n')
      expect(await ask('NO', 'x')).to.match(/^-ERR unknown subcommand or wrong number .* 'NO'/)
      await client.request('HELLO', '3')
      expect(await ask('GET', '1')).to.match(new RegExp(`^\\*1\r\n%8\r\n${fields}$`))
      expect(await ask('RESET')).to.equal('+OK\r\n')
      expect(await ask('LEN')).to.equal(':0\r\n')
    })
  })

  describe('big replies', () => {
    it('have the largest of each command and key, however many parts they came in', async () => {
      await start({ bigReplyBytes: '100000' })
      const [key = '', small = ''] = keysOn(1, 2, 2)
      await client.request('SET', key, 'v'.repeat(1_000_000))
      await client.request('SET', small, 'v'.repeat(1000))
      for (const name of [key, small, key]) await client.request('GET', name)
      const page = await get('/bigreplies')
      expect(page.thresholdBytes).to.equal(100_000)
      expect(page.entries).to.have.length(1)
      const bytes = '$1000000\r\n'.length + 1_000_000 + 2
      expect(page.entries[0]).to.include({ command: 'get', shard: 'b', bytes, times: 2 })
      expect(page.entries[0].key).to.equal(await hashOf(key))
      const ask = (...args: string[]) => client.request('AMBASSADOR', 'BIGREPLIES', ...args)
      expect(String(await ask())).to.match(/^\*1\r\n\*14\r\n/)
      expect(String(await ask())).to.include(`bytes\r\n:${bytes}\r\n$5\r\ntimes\r\n:2\r\n`)
      await client.request('HELLO', '3')
      expect(String(await ask('GET'))).to.match(/^\*1\r\n%7\r\n/)
      expect(String(await ask('LEN'))).to.equal(':1\r\n')
      expect(String(await ask('RESET'))).to.equal('+OK\r\n')
      expect(String(await ask('NO'))).to.match(/^-ERR unknown subcommand/)
      expect(await entries('/bigreplies')).to.deep.equal([])
    })
  })

  describe('hot keys', () => {
    it('are not counted unless that is asked for', async () => {
      await start({})
      for (let i = 0; i < 100; i++) await client.request('GET', 'key')
      expect(await get('/hotkeys')).to.deep.equal({ enabled: false, sampledRequests: 0, keys: [] })
      expect(String(await client.request('AMBASSADOR', 'HOTKEYS'))).to.equal('*0\r\n')
    })

    for (const showKeys of ['hashed', 'clear'] as const) {
      it(`are found among others, ${showKeys}`, async () => {
        await start({ hotKeys: 'yes', showKeys })
        const [key = ''] = keysOn(1, 2)
        for (let i = 0; i < 2400; i += 4) {
          client.write(encodeRequest('GET', key))
          for (const at of [1, 2, 3]) client.write(encodeRequest('GET', `other:${i + at}`))
          await client.replies(4)
        }
        const page = await get('/hotkeys')
        expect(page.enabled).to.equal(true)
        // 75 or so, less what has faded meanwhile.
        expect(page.sampledRequests).to.be.within(20, 110)
        const name = showKeys === 'clear' ? key : await hashOf(key)
        expect(page.keys).to.have.length(1)
        expect(page.keys[0]).to.include({ key: name, shard: 'b' })
        expect(page.keys[0].share).to.be.within(0.08, 0.5)
        expect(page.keys[0].requestsPerSecond).to.be.greaterThan(10)
        const told = String(await client.request('AMBASSADOR', 'HOTKEYS'))
        expect(told).to.include(`*1\r\n*8\r\n$3\r\nkey\r\n$${name.length}\r\n${name}\r\n`)
        await client.request('HELLO', '3')
        const told3 = String(await client.request('AMBASSADOR', 'HOTKEYS'))
        expect(told3).to.match(/^\*1\r\n%4\r\n.*share\r\n,0\.\d+\r\n/s)
      })
    }
  })

  describe('over RESP', () => {
    const PAGES = ['SLOWLOG', 'HOTKEYS', 'BIGREPLIES'] as const
    const slowRequestMs = `${SLOW_MS}`
    const ALL = { showKeys: 'clear', hotKeys: 'yes', bigReplyBytes: '1', slowRequestMs }

    async function told(): Promise<string> {
      const replies = PAGES.map((page) => client.request('AMBASSADOR', page))
      return String(Buffer.concat(await Promise.all(replies)))
    }

    /** Slow, big and hot. */
    async function fill(key: string): Promise<void> {
      for (let i = 0; i < 1500; i += 100) {
        for (let j = 0; j < 100; j++) client.write(encodeRequest('GET', key))
        await client.replies(100)
      }
      await client.request('EVAL', BUSY, '1', key)
    }

    it('are told to nobody who has not logged in', async () => {
      await start({ ...ALL, password: 'secret' })
      for (const page of [...PAGES, 'CONFIG', 'STATS', 'SHARDS', 'ROUTE x', 'HELP']) {
        const words = ['AMBASSADOR', ...page.split(' ')]
        expect(String(await client.request(...words)), page).to.match(/^-NOAUTH [^\n]*\n$/)
      }
    })

    it('tell keys to all who share them, and none where the shards judge who may know which', async () => {
      await start(ALL)
      await fill('whose-key')
      expect((await told()).match(/whose-key/g)).to.have.length(4)
      await ambassador.stop()
      await start({ ...ALL, authPassthrough: 'yes' })
      await client.request('AUTH', 'default', 'any')
      await fill('whose-key')
      const answers = await told()
      expect(answers).to.match(/eval\r\n\$3\r\nkey\r\n\$-1\r\n/)
      expect(answers).not.to.match(/whose-key|hash:0x/)
      // The operator has them all the same.
      expect((await get('/hotkeys')).keys[0].key).to.equal('whose-key')
    })
  })

  it('know keys by their hash where one shard has them all', async () => {
    await start({ bigReplyBytes: '1000' }, redises.slice(0, 1))
    await client.request('SET', '{tag}key', 'v'.repeat(1000))
    await client.request('GET', '{tag}key')
    expect((await entries('/bigreplies'))[0]?.key).to.equal(await hashOf('{tag}other'))
  })
})
