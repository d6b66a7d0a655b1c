/** Transactions through the ambassador: on a leased connection, as Redis has them, and never dirty. */
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { TRANSACTION_KEPT_BYTES_MAX, TRANSACTION_KEPT_MAX } from '../../lib/limits.ts'
import { keysOn, startShards } from '../support/ambassador.ts'
import { CROSSSLOT_LINE } from '../support/crossslot.ts'
import { encodeRequest } from '../support/frames.ts'
import { send } from '../support/pipeline.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { shareShards } from '../support/shared-shards.ts'

const CROSSSLOT_IN_TRANSACTION =
  "-CROSSSLOT Keys in transaction don't hash to the same slot. What helps: a hash tag, a route, " +
  'or AMBASSADOR_TRANSACTIONS=split\r\n'
const EXECABORT = '-EXECABORT Transaction discarded because of previous errors.\r\n'
const UNAVAILABLE = '-ERR ambassador: shard a unavailable (not sent)\r\n'
const LOST = '-ERR ambassador: shard a connection lost (may have executed)\r\n'

/** One after the other, each once the reply to the one before has come. */
async function sendEach(client: RawClient, ...requests: readonly string[]): Promise<string[]> {
  const replies: string[] = []
  for (const request of requests) replies.push(...(await send(client, request)))
  return replies
}

describe('transactions', () => {
  const shards = shareShards(3)
  let client: RawClient
  /** Two keys on shard a and one on shard b. */
  const [here = '', hereToo = ''] = keysOn(0, 3, 2)
  const [elsewhere = ''] = keysOn(1, 3)

  beforeEach(async () => {
    client = await shards.ambassador.connect()
  })

  /** Talks to shard a itself. */
  async function direct(...requests: readonly string[]): Promise<string[]> {
    const shard = await connectRaw(shards.redises[0]?.port ?? 0)
    const replies = await send(shard, ...requests)
    await shard.close()
    return replies
  }

  for (const [how, sendAll] of [
    ['one by one', sendEach],
    ['in one write', send],
  ] as const) {
    describe(how, () => {
      it('queue and execute', async () => {
        expect(
          await sendAll(
            client,
            `SET ${here} 1`,
            'MULTI',
            `INCR ${here}`,
            `GET ${hereToo}`,
            `MGET ${here} ${hereToo}`,
            'EXEC',
            `GET ${here}`,
          ),
        ).to.deep.equal([
          '+OK\r\n',
          '+OK\r\n',
          '+QUEUED\r\n',
          '+QUEUED\r\n',
          '+QUEUED\r\n',
          '*3\r\n:2\r\n$-1\r\n*2\r\n$1\r\n2\r\n$-1\r\n',
          '$1\r\n2\r\n',
        ])
      })

      it('discard', async () => {
        expect(
          await sendAll(client, `SET ${here} 1`, 'MULTI', `INCR ${here}`, 'DISCARD', `GET ${here}`),
        ).to.deep.equal(['+OK\r\n', '+OK\r\n', '+QUEUED\r\n', '+OK\r\n', '$1\r\n1\r\n'])
      })

      it('begin with commands without keys, which run on the shard of the first key', async () => {
        expect(
          await sendAll(client, 'MULTI', 'PING', 'ECHO a', `SET ${here} 1`, 'PING b', 'EXEC'),
        ).to.deep.equal([
          '+OK\r\n',
          '+QUEUED\r\n',
          '+QUEUED\r\n',
          '+QUEUED\r\n',
          '+QUEUED\r\n',
          '*4\r\n+PONG\r\n$1\r\na\r\n+OK\r\n$1\r\nb\r\n',
        ])
        expect(await send(client, `GET ${here}`)).to.deep.equal(['$1\r\n1\r\n'])
      })

      it('have no key at all', async () => {
        expect(await sendAll(client, 'MULTI', 'EXEC', 'MULTI', 'PING', 'EXEC')).to.deep.equal([
          '+OK\r\n',
          '*0\r\n',
          '+OK\r\n',
          '+QUEUED\r\n',
          '*1\r\n+PONG\r\n',
        ])
      })

      it('refuse a key of another shard at once and all of it at EXEC', async () => {
        expect(
          await sendAll(
            client,
            'MULTI',
            `SET ${here} 1`,
            `SET ${elsewhere} 1`,
            `SET ${hereToo} 1`,
            'EXEC',
            `EXISTS ${here} ${hereToo} ${elsewhere}`,
            `SET ${elsewhere} 2`,
          ),
        ).to.deep.equal([
          '+OK\r\n',
          '+QUEUED\r\n',
          CROSSSLOT_IN_TRANSACTION,
          '+QUEUED\r\n',
          EXECABORT,
          ':0\r\n',
          '+OK\r\n',
        ])
      })

      it('refuse a command over two shards although it is the first', async () => {
        expect(
          await sendAll(client, 'MULTI', `MSET ${here} 1 ${elsewhere} 1`, 'EXEC', 'DBSIZE'),
        ).to.deep.equal(['+OK\r\n', CROSSSLOT_IN_TRANSACTION, EXECABORT, ':0\r\n'])
      })

      it('are aborted by mistakes while queueing, as in Redis', async () => {
        const replies = await sendAll(
          client,
          'MULTI',
          `SET ${here}`,
          `SET ${here} 1`,
          'NOSUCH',
          'MULTI',
          `WATCH ${here}`,
          'EXEC',
          `EXISTS ${here}`,
          'EXEC',
          'DISCARD',
        )
        expect(replies).to.deep.equal([
          '+OK\r\n',
          "-ERR wrong number of arguments for 'set' command\r\n",
          '+QUEUED\r\n',
          "-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
          '-ERR MULTI calls can not be nested\r\n',
          '-ERR WATCH inside MULTI is not allowed\r\n',
          EXECABORT,
          ':0\r\n',
          '-ERR EXEC without MULTI\r\n',
          '-ERR DISCARD without MULTI\r\n',
        ])
      })

      it('keep the errors of execution in their places', async () => {
        expect(
          await sendAll(client, 'MULTI', `SET ${here} x`, `INCR ${here}`, `GET ${here}`, 'EXEC'),
        ).to.deep.equal([
          '+OK\r\n',
          '+QUEUED\r\n',
          '+QUEUED\r\n',
          '+QUEUED\r\n',
          '*3\r\n+OK\r\n-ERR value is not an integer or out of range\r\n$1\r\nx\r\n',
        ])
      })

      it('are not disturbed by WATCH when nobody touches the keys', async () => {
        expect(
          await sendAll(
            client,
            `WATCH ${here} ${hereToo}`,
            `GET ${here}`,
            `GET ${elsewhere}`,
            'MULTI',
            `SET ${here} 1`,
            'EXEC',
          ),
        ).to.deep.equal([
          '+OK\r\n',
          '$-1\r\n',
          '$-1\r\n',
          '+OK\r\n',
          '+QUEUED\r\n',
          '*1\r\n+OK\r\n',
        ])
      })

      it('fail when the client itself has changed what it watches', async () => {
        expect(
          await sendAll(client, `WATCH ${here}`, `SET ${here} 1`, 'MULTI', `GET ${here}`, 'EXEC'),
        ).to.deep.equal(['+OK\r\n', '+OK\r\n', '+OK\r\n', '+QUEUED\r\n', '*-1\r\n'])
      })

      it('forget what was watched at UNWATCH, DISCARD and EXEC', async () => {
        for (const forget of [['UNWATCH'], ['MULTI', 'DISCARD'], ['MULTI', 'EXEC']]) {
          const replies = await sendAll(
            client,
            `WATCH ${here}`,
            ...forget,
            `SET ${here} 1`,
            'MULTI',
            `GET ${here}`,
            'EXEC',
          )
          expect(replies.at(-1), forget.join()).to.equal('*1\r\n$1\r\n1\r\n')
        }
      })

      it('do not watch keys of two shards', async () => {
        expect(
          await sendAll(
            client,
            `WATCH ${here} ${elsewhere}`,
            `WATCH ${here}`,
            `WATCH ${elsewhere}`,
            'MULTI',
            `SET ${here} 1`,
            'EXEC',
          ),
        ).to.deep.equal([
          CROSSSLOT_LINE,
          '+OK\r\n',
          CROSSSLOT_LINE,
          '+OK\r\n',
          '+QUEUED\r\n',
          '*1\r\n+OK\r\n',
        ])
      })
    })
  }

  for (const [protocol, nothing] of [
    [2, '*-1\r\n'],
    [3, '_\r\n'],
  ] as const) {
    it(`fail when another client has changed a watched key, in RESP${protocol}`, async () => {
      const watcher = await shards.ambassador.connect(protocol)
      expect(await send(watcher, `WATCH ${here}`)).to.deep.equal(['+OK\r\n'])
      await client.request('SET', here, 'changed')
      expect(await send(watcher, 'MULTI', `SET ${here} mine`, 'EXEC')).to.deep.equal([
        '+OK\r\n',
        '+QUEUED\r\n',
        nothing,
      ])
      expect(await send(client, `GET ${here}`)).to.deep.equal(['$7\r\nchanged\r\n'])
    })
  }

  it('see what the client has pipelined before MULTI, and are seen by what comes after', async () => {
    const before = Array.from({ length: 500 }, () => `INCR ${here}`)
    const after = [`INCR ${here}`, `GET ${here}`]
    const replies = await send(client, ...before, 'MULTI', `GET ${here}`, 'EXEC', ...after)
    expect(replies.slice(-4)).to.deep.equal([
      '+QUEUED\r\n',
      '*1\r\n$3\r\n500\r\n',
      ':501\r\n',
      '$3\r\n501\r\n',
    ])
  })

  it('reuse their connections: 10000 of them, by ten clients, make few', async () => {
    const connectionsBefore = await connectionsReceived()
    const clients = await Promise.all(Array.from({ length: 10 }, () => shards.ambassador.connect()))
    await Promise.all(
      clients.map(async (each) => {
        for (let round = 0; round < 10; round++) {
          const lines = Array.from({ length: 100 }, () => ['MULTI', `INCR ${here}`, 'EXEC']).flat()
          const replies = await send(each, ...lines)
          for (let i = 2; i < replies.length; i += 3)
            expect(replies[i]).to.match(/^\*1\r\n:\d+\r\n$/)
        }
      }),
    )
    expect(await send(client, `GET ${here}`)).to.deep.equal(['$5\r\n10000\r\n'])
    // One a client, and one that asks.
    expect((await connectionsReceived()) - connectionsBefore).to.be.at.most(11)
  })

  async function connectionsReceived(): Promise<number> {
    const [info = ''] = await direct('INFO stats')
    return Number(/total_connections_received:(\d+)/.exec(info)?.[1])
  }

  for (const leave of ['reset', 'halfClose'] as const) {
    it(`leave nothing behind when the client is gone in the middle (row 54, ${leave})`, async () => {
      await send(client, `WATCH ${here}`, 'MULTI', `SET ${here} never`)
      client[leave]()
      await shards.ambassador.quiet()
      const next = await shards.ambassador.connect()
      expect(
        await send(next, `GET ${here}`, 'MULTI', `INCR ${here}`, 'EXEC', 'EXEC'),
      ).to.deep.equal([
        '$-1\r\n',
        '+OK\r\n',
        '+QUEUED\r\n',
        '*1\r\n:1\r\n',
        '-ERR EXEC without MULTI\r\n',
      ])
    })
  }

  it('are aborted when the shard dies before EXEC, and the next one starts clean (row 54)', async () => {
    const witness = await shards.ambassador.connect()
    await send(client, 'MULTI', `SET ${here} 1`)
    await shards.redises[0]?.kill()
    while ((await send(witness, `GET ${here}`))[0] !== UNAVAILABLE);
    expect(await send(client, 'EXEC')).to.deep.equal([EXECABORT])
    expect(await send(client, 'MULTI', `SET ${here} 2`, 'EXEC')).to.deep.equal([
      '+OK\r\n',
      UNAVAILABLE,
      EXECABORT,
    ])
    await shards.redises[0]?.restart()
    await serves(here)
    expect(await send(client, 'MULTI', `SET ${here} 3`, 'EXEC')).to.deep.equal([
      '+OK\r\n',
      '+QUEUED\r\n',
      '*1\r\n+OK\r\n',
    ])
  })

  it('say that they may have executed when the shard dies over EXEC (row 54)', async () => {
    await send(client, 'MULTI', `GET ${here}`, 'EXEC')
    await shards.redises[0]?.kill('SIGSTOP')
    client.write(
      Buffer.concat([
        encodeRequest('MULTI'),
        encodeRequest('SET', here, '1'),
        encodeRequest('EXEC'),
      ]),
    )
    expect((await client.reply()).toString()).to.equal('+OK\r\n')
    await shards.redises[0]?.kill()
    const rest = (await client.replies(2)).map((reply) => reply.toString())
    expect(rest).to.deep.equal([LOST, LOST])
    await shards.redises[0]?.restart()
    await serves(here)
  })

  for (const [how, sendAll] of [
    ['one by one', sendEach],
    ['in one write', send],
  ] as const) {
    it(`go on on the database that is selected behind WATCH, ${how}`, async () => {
      const lines = [`WATCH ${here}`, 'SELECT 1', `SET ${here} 1`, 'MULTI', `INCR ${here}`, 'EXEC']
      const replies = await sendAll(client, ...lines, `GET ${here}`)
      const queued = '+QUEUED\r\n'
      const ok = '+OK\r\n'
      expect(replies).to.deep.equal([ok, ok, ok, ok, queued, '*1\r\n:2\r\n', '$1\r\n2\r\n'])
      const other = await shards.ambassador.connect()
      const others = await sendAll(other, `WATCH ${here}`, 'MULTI', `GET ${here}`, 'EXEC')
      expect(others.at(-1)).to.equal('*1\r\n$-1\r\n')
    })
  }

  it('watch a key on the database on which it was when WATCH came', async () => {
    await send(client, `WATCH ${here}`, 'SELECT 1')
    await direct('SELECT 1', `SET ${here} not-watched`)
    const untouched = await send(client, 'MULTI', `GET ${here}`, 'EXEC')
    expect(untouched.at(-1)).to.equal('*1\r\n$11\r\nnot-watched\r\n')
    await send(client, `WATCH ${here}`, 'SELECT 2', 'SELECT 0')
    await direct('SELECT 1', `SET ${here} touched`)
    expect((await send(client, 'MULTI', `GET ${here}`, 'EXEC')).at(-1)).to.equal('*-1\r\n')
    await send(client, `WATCH ${here}`, 'SELECT 1', 'UNWATCH', 'SELECT 0')
  })

  it('keep what they watch when a client logs in on a lane that nobody else is in', async () => {
    const own = await startShards(1, { authPassthrough: 'yes' })
    const user = await own.ambassador.connect()
    const lines = ['AUTH default any', 'WATCH k', 'SELECT 1', 'MULTI', 'SET k v', 'EXEC']
    expect((await send(user, ...lines)).at(-1)).to.equal('*1\r\n+OK\r\n')
    await user.close()
    await own.ambassador.quiet()
    await own.stop()
  })

  for (const [how, sendAll] of [
    ['one by one', sendEach],
    ['in one write', send],
  ] as const) {
    it(`go on in the protocol that is spoken behind WATCH, ${how}`, async () => {
      await direct(`HSET ${hereToo} f v`)
      const lines = [`WATCH ${here}`, 'HELLO 3', 'AUTH default any', `SET ${here} touched`]
      const [watched, hello, auth, set] = await sendAll(client, ...lines)
      expect([watched, auth, set]).to.deep.equal(['+OK\r\n', '+OK\r\n', '+OK\r\n'])
      expect(hello).to.match(/^%7\r\n/)
      const failed = await sendAll(client, 'MULTI', `GET ${here}`, 'EXEC')
      expect(failed).to.deep.equal(['+OK\r\n', '+QUEUED\r\n', '_\r\n'])
      const transaction = [`WATCH ${here}`, 'HELLO 2', 'HELLO 3', 'MULTI', `HGETALL ${hereToo}`]
      const executed = await sendAll(client, ...transaction, 'EXEC')
      expect(executed.at(-1)).to.equal('*1\r\n%1\r\n$1\r\nf\r\n$1\r\nv\r\n')
    })

    it(`execute what is answered here at its place among the rest, ${how}`, async () => {
      await direct(`HSET ${hereToo} f v`, 'SELECT 1', `SET ${here} other`)
      const name = ['CLIENT SETNAME me', 'CLIENT GETNAME', 'SUBSCRIBE c', 'PING']
      const lines = ['MULTI', `SET ${here} 1`, ...name, 'SELECT 1', `GET ${here}`, 'EXEC']
      const replies = await sendAll(client, ...lines)
      expect(replies.slice(0, -1)).to.deep.equal(['+OK\r\n', ...Array(7).fill('+QUEUED\r\n')])
      expect(replies.at(-1)).to.equal(
        '*7\r\n+OK\r\n+OK\r\n$2\r\nme\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n' +
          '*2\r\n$4\r\npong\r\n$0\r\n\r\n+OK\r\n$5\r\nother\r\n',
      )
      const after = await sendAll(client, 'UNSUBSCRIBE', `GET ${here}`, 'SELECT 0', `GET ${here}`)
      expect(after.slice(1)).to.deep.equal(['$5\r\nother\r\n', '+OK\r\n', '$1\r\n1\r\n'])
    })

    it(`execute nothing of it when they are aborted or discarded, ${how}`, async () => {
      const queue = ['CLIENT SETNAME never', 'SELECT 1', 'HELLO 3', 'SUBSCRIBE c']
      await sendAll(client, 'MULTI', ...queue, 'DISCARD')
      await sendAll(client, 'MULTI', ...queue, 'NOSUCH', 'EXEC')
      await sendAll(client, `WATCH ${here}`, `SET ${here} 1`, 'MULTI', ...queue, 'EXEC')
      const after = await sendAll(client, 'CLIENT GETNAME', `GET ${here}`, `HGETALL ${hereToo}`)
      expect(after).to.deep.equal(['$-1\r\n', '$1\r\n1\r\n', '*0\r\n'])
    })
  }

  it('log in on the lease as well where shards judge', async () => {
    const alice = ['--user', 'alice', 'on', '>pw', '~*', '&*', '+@all', '-incr']
    const own = await startShards(1, { authPassthrough: 'yes' }, alice)
    const user = await own.ambassador.connect()
    await send(user, 'AUTH default any', 'WATCH k', 'AUTH alice pw', 'MULTI')
    const denied = "-NOPERM this user has no permissions to run the 'incr' command\r\n"
    expect(await send(user, 'INCR k', 'EXEC')).to.deep.equal([denied, EXECABORT])
    const inside = ['AUTH default any', 'MULTI', 'SET k 1', 'AUTH alice pw', 'GET k', 'EXEC']
    expect((await send(user, ...inside)).at(-1)).to.equal('*3\r\n+OK\r\n+OK\r\n$1\r\n1\r\n')
    expect(await send(user, 'INCR k')).to.deep.equal([denied])
    await own.stop()
  })

  it('keep a bounded number of commands for their end', async () => {
    const many = Array.from({ length: TRANSACTION_KEPT_MAX + 1 }, () => 'CLIENT ID')
    const replies = await send(client, 'MULTI', ...many, 'EXEC')
    const overloaded = '-ERR ambassador: overloaded (not sent)\r\n'
    expect(replies.slice(-3)).to.deep.equal(['+QUEUED\r\n', overloaded, EXECABORT])
    const long = 'x'.repeat(TRANSACTION_KEPT_BYTES_MAX / 2)
    const large = await send(client, 'MULTI', `ECHO ${long}`, `ECHO ${long}`, 'EXEC')
    expect(large).to.deep.equal(['+OK\r\n', '+QUEUED\r\n', overloaded, EXECABORT])
  })

  it('teach what scripts there are when they are executed, and not before', async () => {
    const body = "return('from-a-transaction')"
    const sha = createHash('sha1').update(body).digest('hex')
    await send(client, 'MULTI', `EVAL ${body} 1 ${here}`, 'DISCARD')
    const noscript = '-NOSCRIPT No matching script. Please use EVAL.\r\n'
    expect(await send(client, `EVALSHA ${sha} 1 ${elsewhere}`)).to.deep.equal([noscript])
    await send(client, 'MULTI', `EVAL ${body} 1 ${here}`, 'EXEC')
    const found = await send(client, `EVALSHA ${sha} 1 ${elsewhere}`)
    expect(found).to.deep.equal(['$18\r\nfrom-a-transaction\r\n'])
  })

  it('refuse in the words of Redis what it lets no transaction do', async () => {
    const lines = ['MULTI', 'SAVE', 'EXEC', 'MULTI', 'SHUTDOWN', 'EXEC']
    const refused = '-ERR Command not allowed inside a transaction\r\n'
    const expected = ['+OK\r\n', refused, EXECABORT, '+OK\r\n', refused, EXECABORT]
    expect(await send(client, ...lines)).to.deep.equal(expected)
  })

  it('manage a server from within a transaction when it is one, and may be managed', async () => {
    const lines = ['MULTI', 'CONFIG SET maxmemory-samples 7', 'SET k v', 'DEBUG SLEEP 0', 'EXEC']
    const one = await startShards(1, { allowAdmin: 'yes' }, ['--enable-debug-command', 'yes'])
    const [, ...replies] = await send(await one.ambassador.connect(), ...lines)
    const queued = '+QUEUED\r\n'
    expect(replies).to.deep.equal([queued, queued, queued, '*3\r\n+OK\r\n+OK\r\n+OK\r\n'])
    const locking = ['MULTI', 'CONFIG SET requirepass x', 'CONFIG SET timeout 300', 'EXEC']
    const [, password, timeout, none] = await send(await one.ambassador.connect(), ...locking)
    expect(password).to.match(/because the ambassador could not connect to the shards any more/)
    expect(timeout).to.match(/because the ambassador has a timeout of its own, an option/)
    expect(none).to.equal(EXECABORT)
    await one.stop()
    const two = await startShards(2, { allowAdmin: 'yes' })
    const [, open, , , abort] = await send(await two.ambassador.connect(), ...lines)
    expect(open).to.match(/'config\|set' is not supported because a transaction is open/)
    expect(abort).to.equal(EXECABORT)
    await two.stop()
    const [, refused] = await send(client, ...lines)
    expect(refused).to.match(/'config\|set' is not supported .*AMBASSADOR_ALLOW_ADMIN=yes/)
  })

  /** Waits until the ambassador has noticed that the shard is back. */
  async function serves(key: string): Promise<void> {
    for (;;) if ((await send(client, `GET ${key}`))[0]?.startsWith('$')) return
  }
})
