/**
 * Transactions over several shards (`transactions: split`): what a client hears is what one Redis says to
 * the same requests, and a shard that dies is told by a label that is true.
 */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { keysOn } from '../support/ambassador.ts'
import { CROSSSLOT_LINE } from '../support/crossslot.ts'
import { send } from '../support/pipeline.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { shareShards, TOPOLOGIES } from '../support/shared-shards.ts'

const SCRIPT = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
const SHA = createHash('sha1').update(SCRIPT).digest('hex')

const EACH = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const KEYS = EACH.join(' ')

/** What one client sends. Keys `a` to `h` are on all shards. */
const CONVERSATIONS: Readonly<Record<string, readonly string[]>> = {
  'one command for each key': [
    'MULTI',
    ...EACH.map((key) => `SET ${key} 1`),
    'EXEC',
    `MGET ${KEYS}`,
  ],
  'several commands for each key, in turn': [
    'MULTI',
    ...[...EACH, ...EACH, ...EACH].map((key, at) => `RPUSH ${key} ${at}`),
    ...EACH.map((key) => `LRANGE ${key} 0 -1`),
    'EXEC',
  ],
  'keys of all shards in one command': [
    'MULTI',
    'MSET a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8',
    `MGET ${KEYS} ${KEYS}`,
    `EXISTS ${KEYS} nothing`,
    'INCR c',
    `DEL ${KEYS}`,
    `UNLINK ${KEYS}`,
    `TOUCH ${KEYS}`,
    'EXEC',
    `MGET ${KEYS}`,
  ],
  'a split command between others': [
    'MULTI',
    'SET a 1',
    'MSET a 2 b 2 c 2',
    'GET a',
    'MGET a b c',
    'SET b 3',
    'MGET a b c',
    'EXEC',
  ],
  'errors of execution in their places': [
    'RPUSH b 1',
    'MULTI',
    'SET a 1',
    'INCR b',
    'LPUSH a 1',
    'SET c 1',
    'MSET a 1 b 1',
    'GET b',
    'EXEC',
    'MGET a b c',
  ],
  'errors while queueing': [
    'MULTI',
    'SET a 1',
    'SET b',
    'SET c 1',
    'NOSUCHCOMMAND b',
    'EXEC',
    'MULTI',
    'SET a 1',
    'SET b 1',
    'WATCH c',
    'MULTI',
    'EXEC',
    'MGET a b c',
  ],
  discarded: [
    'SET a 0',
    'MULTI',
    ...EACH.map((key) => `SET ${key} 1`),
    'DISCARD',
    'EXEC',
    `MGET ${KEYS}`,
    'MULTI',
    ...EACH.map((key) => `INCR ${key}`),
    'EXEC',
  ],
  'left by RESET': ['MULTI', 'SET a 1', 'SET b 1', 'SET c 1', 'RESET', 'EXEC', 'MGET a b c'],
  'commands without keys among them': [
    'MULTI',
    'PING',
    'SET a 1',
    'ECHO x',
    'SET b 1',
    'PING y',
    'SET c 1',
    'CLIENT SETNAME me',
    'CLIENT GETNAME',
    'GET a',
    'EXEC',
    'CLIENT GETNAME',
  ],
  scripts: [
    'MULTI',
    ...EACH.map((key) => `EVAL return{KEYS[1],ARGV[1]} 1 ${key} 5`),
    'EVAL return{KEYS[1]} 1 a',
    'EXEC',
  ],
  'keys watched that nobody touches': [
    'SET a 1',
    'WATCH a',
    'GET b',
    'MULTI',
    'INCR a',
    'SET b 1',
    'SET c 1',
    'EXEC',
    'MGET a b c',
  ],
  'keys watched on a shard that has nothing to do': [
    'WATCH a',
    'MULTI',
    ...EACH.slice(1).map((key) => `SET ${key} 1`),
    'EXEC',
  ],
  'keys watched that the client itself has changed': [
    'WATCH a',
    'SET a changed',
    'MULTI',
    'SET a 1',
    'SET b 1',
    'SET c 1',
    'EXEC',
    'MGET a b c',
    'UNWATCH',
    'MULTI',
    'SET a 1',
    'SET b 1',
    'EXEC',
  ],
  'requests before and after, on other connections': [
    ...EACH.map((key) => `SET ${key} before`),
    'MULTI',
    ...EACH.map((key) => `APPEND ${key} -in`),
    'EXEC',
    ...EACH.map((key) => `APPEND ${key} -after`),
    `MGET ${KEYS}`,
    'MULTI',
    `MGET ${KEYS}`,
    'EXEC',
  ],
  'sorted sets, floats and nulls': [
    'MULTI',
    ...EACH.map((key, at) => `ZADD ${key} ${at}.5 m`),
    ...EACH.map((key) => `ZSCORE ${key} m`),
    ...EACH.map((key) => `ZSCORE ${key} n`),
    ...EACH.map((key) => `OBJECT ENCODING ${key}`),
    'EXEC',
  ],
}

/** Where there are databases. */
const SELECTING: Readonly<Record<string, readonly string[]>> = {
  'another database in the middle': [
    'SET a 0',
    'MULTI',
    'SET a 1',
    'SET b 1',
    'SELECT 1',
    'SET a 2',
    'SET b 2',
    'SET c 2',
    'SELECT 2',
    ...EACH.map((key) => `SET ${key} 3`),
    'EXEC',
    `MGET ${KEYS}`,
    'SELECT 1',
    `MGET ${KEYS}`,
    'SELECT 0',
    `MGET ${KEYS}`,
    'MULTI',
    ...EACH.map((key) => `GET ${key}`),
    'EXEC',
  ],
  'another database between WATCH and MULTI': [
    'WATCH a',
    'SELECT 1',
    'MULTI',
    'SET a 1',
    'SET b 1',
    'SET c 1',
    'EXEC',
    'MGET a b c',
    'SELECT 0',
    'MGET a b c',
  ],
}

async function sendEach(client: RawClient, ...lines: readonly string[]): Promise<string[]> {
  const replies: string[] = []
  for (const line of lines) replies.push(...(await send(client, line)))
  return replies
}

for (const topology of TOPOLOGIES) {
  describe(`transactions over ${topology}, split`, () => {
    const shards = shareShards(topology, { transactions: 'split' })
    let redis: RedisServer
    let client: RawClient
    let one: RawClient

    before(async () => {
      redis = await startRedis()
    })
    after(() => redis.stop())

    const conversations =
      topology === 'three shards' ? { ...CONVERSATIONS, ...SELECTING } : CONVERSATIONS
    for (const protocol of [2, 3] as const) {
      for (const [how, sendAll] of [
        ['one by one', sendEach],
        ['in one write', send],
      ] as const) {
        describe(`answer as one Redis does, in RESP${protocol}, ${how}`, () => {
          beforeEach(async () => {
            client = await shards.ambassador.connect(protocol)
            one = await connectRaw(redis.port)
            await one.request('FLUSHALL')
            if (protocol === 3) await one.request('HELLO', '3')
          })

          for (const [name, lines] of Object.entries(conversations)) {
            it(name, async () => {
              const replies = await sendAll(client, ...lines)
              expect(replies).to.deep.equal(await sendAll(one, ...lines))
            })
          }
        })
      }

      it(`execute nothing when another client has changed a watched key, in RESP${protocol}`, async () => {
        client = await shards.ambassador.connect(protocol)
        const other = await shards.ambassador.connect()
        await send(client, 'WATCH a', 'MULTI', ...EACH.map((key) => `SET ${key} mine`))
        await send(other, 'SET a theirs')
        expect(await send(client, 'EXEC', ...EACH.map((key) => `GET ${key}`))).to.deep.equal([
          protocol === 3 ? '_\r\n' : '*-1\r\n',
          '$6\r\ntheirs\r\n',
          ...EACH.slice(1).map(() => (protocol === 3 ? '_\r\n' : '$-1\r\n')),
        ])
      })
    }

    it('do not watch keys of two shards', async () => {
      client = await shards.ambassador.connect()
      expect(await send(client, `WATCH ${KEYS}`)).to.deep.equal([CROSSSLOT_LINE])
    })

    it('do not take what cannot be split', async () => {
      client = await shards.ambassador.connect()
      expect(await send(client, 'MULTI', 'SET a 1', 'RENAME a b', 'EXEC', 'GET a')).to.deep.equal([
        '+OK\r\n',
        '+QUEUED\r\n',
        CROSSSLOT_LINE,
        '-EXECABORT Transaction discarded because of previous errors.\r\n',
        '$-1\r\n',
      ])
    })

    it('run a script by its SHA-1 on a shard that does not have it', async () => {
      client = await shards.ambassador.connect()
      await client.request('EVAL', SCRIPT, '1', 'a', '0')
      const replies = await send(
        client,
        'MULTI',
        ...EACH.map((key) => `EVALSHA ${SHA} 1 ${key} 2`),
        'EXEC',
      )
      expect(replies.at(-1)).to.equal(`*8\r\n${':2\r\n'.repeat(8)}`)
    })

    for (const leave of ['reset', 'halfClose'] as const) {
      it(`leave nothing behind when the client is gone in the middle (${leave})`, async () => {
        client = await shards.ambassador.connect()
        await send(client, 'WATCH a', 'MULTI', ...EACH.map((key) => `SET ${key} never`))
        client[leave]()
        await shards.ambassador.quiet()
        const next = await shards.ambassador.connect()
        expect(await send(next, ...EACH.map((key) => `GET ${key}`))).to.deep.equal(
          EACH.map(() => '$-1\r\n'),
        )
      })
    }

    it('use their connections again', async () => {
      const clients = await Promise.all(
        Array.from({ length: 5 }, () => shards.ambassador.connect()),
      )
      await Promise.all(
        clients.map(async (each) => {
          for (let round = 0; round < 50; round++) {
            const replies = await send(each, 'MULTI', ...EACH.map((key) => `INCR ${key}`), 'EXEC')
            expect(replies.at(-1)).to.match(/^\*8\r\n(:\d+\r\n){8}$/)
          }
        }),
      )
      const [total = ''] = await send(clients[0] as RawClient, 'GET a')
      expect(total).to.equal('$3\r\n250\r\n')
    })
  })
}

describe('transactions that are not split', () => {
  const shards = shareShards(3)

  it('say what would help', async () => {
    const client = await shards.ambassador.connect()
    const [[here], [elsewhere]] = [keysOn(0, 3), keysOn(1, 3)]
    const [, , refused] = await send(client, 'MULTI', `SET ${here} 1`, `SET ${elsewhere} 1`)
    expect(refused).to.match(
      /^-CROSSSLOT Keys in transaction .* AMBASSADOR_TRANSACTIONS=split\r\n$/,
    )
    await send(client, 'DISCARD')
  })
})
