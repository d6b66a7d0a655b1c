/** Faults of shards, by their numbers in docs/faults.md: real servers first, then scripted ones. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { type AmbassadorUnderTest, keysOn, startAmbassadorFor } from '../support/ambassador.ts'
import { CROSSSLOT_LINE } from '../support/crossslot.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { bulk, encodeRequest } from '../support/frames.ts'
import { freePort } from '../support/ports.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

const DOWN = '-ERR ambassador: shard a unavailable (not sent)\r\n'
const LOST = '-ERR ambassador: shard a connection lost (may have executed)\r\n'
const TIMED_OUT = '-ERR ambassador: shard a timed out (may have executed)\r\n'

async function ask(client: RawClient, ...words: string[]): Promise<string> {
  return (await client.request(...words)).toString('latin1')
}

/** Asks again, without a pause, as long as the shard is not there. */
async function askUntilUp(client: RawClient, ...words: string[]): Promise<string> {
  let reply = ''
  await until(async () => {
    reply = await ask(client, ...words)
    return !reply.startsWith('-ERR ambassador')
  })
  return reply
}

describe('faults: two real shards', () => {
  let redises: [RedisServer, RedisServer]
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  const [onA = ''] = keysOn(0, 2)
  const [onB = ''] = keysOn(1, 2)

  beforeEach(async () => {
    redises = [await startRedis(), await startRedis()]
    await start()
    await ask(client, 'SET', onA, 'a')
    await ask(client, 'SET', onB, 'b')
  })

  /** Returns once both shards are up. */
  async function start(flags: Readonly<Record<string, string>> = {}): Promise<void> {
    ambassador = await startAmbassadorFor(redises, flags)
    client = await ambassador.connect()
    await askUntilUp(client, 'DBSIZE')
  }

  /** Starts it again with a deadline that can be waited for, and that a shard does not miss for nothing. */
  async function hurry(): Promise<void> {
    await ambassador.stop()
    await start({ requestTimeoutMs: '1000' })
  }

  afterEach(async () => {
    await ambassador.stop()
    for (const redis of redises) await redis.stop()
  })

  async function connectionsReceived(redis: RedisServer): Promise<number> {
    const direct = await connectRaw(redis.port)
    const info = await ask(direct, 'INFO', 'stats')
    await direct.close()
    return Number(/total_connections_received:(\d+)/.exec(info)?.[1])
  }

  it('rows 32 and 34: a shard that is killed is missed alone, and served when it is back', async () => {
    const busy = await ambassador.connect()
    await redises[0].kill('SIGSTOP')
    for (let i = 0; i < 5; i++) busy.write(encodeRequest('GET', onA))
    await ask(client, 'GET', onB)
    await redises[0].kill('SIGKILL')
    const replies = (await busy.replies(5)).map(String)
    expect(replies).to.deep.equal(new Array(5).fill(LOST))
    expect(await ask(client, 'GET', onA)).to.equal(DOWN)
    expect(await ask(client, 'GET', onB)).to.equal('$1\r\nb\r\n')
    await redises[0].restart()
    expect(await askUntilUp(client, 'SET', onA, 'again')).to.equal('+OK\r\n')
  })

  it('row 35: a shard that is stopped is late, and nothing is out of step when it goes on', async () => {
    await hurry()
    await redises[0].kill('SIGSTOP')
    expect(await ask(client, 'ECHO', 'x')).to.be.oneOf([bulk('x').toString(), TIMED_OUT])
    expect(await ask(client, 'SET', onA, 'late')).to.equal(TIMED_OUT)
    expect(await ask(client, 'GET', onB)).to.equal('$1\r\nb\r\n')
    await redises[0].kill('SIGCONT')
    expect(await askUntilUp(client, 'STRLEN', onA)).to.equal(':4\r\n')
    expect(await ask(client, 'GET', onA)).to.equal('$4\r\nlate\r\n')
  })

  it('row 36: a pause shorter than the deadline is just slow', async () => {
    const before = await connectionsReceived(redises[0])
    const direct = await connectRaw(redises[0].port)
    direct.write(encodeRequest('DEBUG', 'SLEEP', '0.1'))
    expect(await ask(client, 'GET', onA)).to.equal('$1\r\na\r\n')
    await direct.reply()
    await ask(direct, 'CLIENT', 'PAUSE', '100', 'ALL')
    expect(await ask(client, 'GET', onA)).to.equal('$1\r\na\r\n')
    await direct.close()
    expect((await connectionsReceived(redises[0])) - before).to.equal(2)
  })

  it('row 37: connections killed in a loop come back, and no reply is wrong', async () => {
    const direct = await connectRaw(redises[0].port)
    const before = await connectionsReceived(redises[0])
    for (let i = 0; i < 30; i++) {
      await ask(direct, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      expect(await ask(client, 'GET', onA)).to.be.oneOf(['$1\r\na\r\n', LOST, DOWN])
      expect(await ask(client, 'GET', onB)).to.equal('$1\r\nb\r\n')
    }
    expect(await askUntilUp(client, 'GET', onA)).to.equal('$1\r\na\r\n')
    // No storm: at most one new connection for each that was killed, and what counts them.
    expect((await connectionsReceived(redises[0])) - before).to.be.below(40)
    await direct.close()
  })

  it('row 44: replies of any depth and width pass as they are', async () => {
    const depth = 'local t = {} for i = 1, 6000 do t = {t} end return t'
    expect(await ask(client, 'EVAL', depth, '1', onA)).to.equal(`${'*1\r\n'.repeat(6000)}*0\r\n`)
    const width = 'local t = {} for i = 1, 100000 do t[i] = i end return t'
    const wide = await ask(client, 'EVAL', width, '1', onB)
    expect(wide.slice(0, 13)).to.equal('*100000\r\n:1\r\n')
    expect(await ask(client, 'GET', onA)).to.equal('$1\r\na\r\n')
  })

  it('row 46: -OOM, -READONLY and -BUSY reach the one who caused them, and cost no connection', async () => {
    const before = await connectionsReceived(redises[0])
    const direct = await connectRaw(redises[0].port)
    await ask(direct, 'CONFIG', 'SET', 'maxmemory', '1')
    expect(await ask(client, 'SET', onA, 'v')).to.match(/^-OOM /)
    await ask(direct, 'CONFIG', 'SET', 'maxmemory', '0')
    await ask(direct, 'REPLICAOF', '127.0.0.1', '1')
    expect(await ask(client, 'SET', onA, 'v')).to.match(/^-READONLY /)
    await ask(direct, 'REPLICAOF', 'NO', 'ONE')
    await ask(direct, 'CONFIG', 'SET', 'busy-reply-threshold', '10')
    direct.write(encodeRequest('EVAL', 'while true do end', '0'))
    expect(await askUntilUp(client, 'GET', onA)).to.match(/^-BUSY /)
    const killer = await connectRaw(redises[0].port)
    await ask(killer, 'SCRIPT', 'KILL')
    await direct.reply()
    expect(await ask(client, 'GET', onA)).to.equal('$1\r\na\r\n')
    await killer.close()
    await direct.close()
    // Two of ours here, the one that counts, and one over which READONLY is looked into.
    expect((await connectionsReceived(redises[0])) - before).to.be.within(3, 4)
  })

  it('rows 49 and 50: a command over both shards gets one error when one is gone, never half a reply', async () => {
    await redises[0].kill('SIGKILL')
    while ((await ask(client, 'GET', onA)) !== DOWN);
    for (const request of [
      ['MGET', onA, onB],
      ['MSET', onA, 'x', onB, 'x'],
      ['DEL', onA, onB],
      ['EXISTS', onB, onA],
    ]) {
      expect(await ask(client, ...request)).to.equal(DOWN)
    }
    expect(await ask(client, 'GET', onB)).to.equal('$1\r\nb\r\n')
  })

  it('row 49: ... and one within the deadline when one hangs', async () => {
    await hurry()
    await redises[0].kill('SIGSTOP')
    expect(await ask(client, 'MGET', onB, onA)).to.equal(TIMED_OUT)
    expect(await ask(client, 'MSET', onB, 'x', onA, 'x')).to.equal(TIMED_OUT)
    expect(await ask(client, 'GET', onB)).to.equal('$1\r\nx\r\n')
    await redises[0].kill('SIGCONT')
    expect(await askUntilUp(client, 'MGET', onA, onB)).to.equal('*2\r\n$1\r\nx\r\n$1\r\nx\r\n')
  })

  it('row 51: keys of two shards in one command are refused, and nothing is sent', async () => {
    for (const request of [
      ['MSETNX', onA, 'x', onB, 'x'],
      ['RENAME', onA, onB],
      ['SINTERSTORE', onA, onB],
      ['EVAL', "return redis.call('SET', KEYS[1], 'x')", '2', onA, onB],
    ]) {
      expect(await ask(client, ...request)).to.equal(CROSSSLOT_LINE)
    }
    expect(await ask(client, 'MGET', onA, onB)).to.equal('*2\r\n$1\r\na\r\n$1\r\nb\r\n')
  })

  it('row 56: what would change a shared connection does not', async () => {
    const other = await ambassador.connect()
    for (const request of [
      ['SELECT', '1'],
      ['HELLO', '3'],
      ['RESET'],
      ['MONITOR'],
      ['SYNC'],
      ['PSYNC', '?', '-1'],
      ['CLIENT', 'PAUSE', '1000'],
      ['CLIENT', 'TRACKING', 'ON'],
      ['CLIENT', 'REPLY', 'SKIP'],
      ['SHUTDOWN', 'NOSAVE'],
      ['DEBUG', 'SLEEP', '1'],
      ['CONFIG', 'SET', 'maxmemory', '1'],
      ['FAILOVER'],
      ['SUBSCRIBE', 'row56'],
    ]) {
      const changer = await ambassador.connect()
      changer.write(encodeRequest(...request))
      // CLIENT REPLY SKIP takes the first one's reply.
      for (let i = 0; i < 2; i++) changer.write(encodeRequest('PING'))
      await changer.reply()
      expect(await ask(other, 'GET', onA)).to.equal('$1\r\na\r\n')
      expect(await ask(other, 'GET', onB)).to.equal('$1\r\nb\r\n')
      changer.reset()
    }
  })
})

describe('faults: shards that are not there', () => {
  it('row 31: one that is down at the start costs its own keys only, at once', async () => {
    const redis = await startRedis()
    const ambassador = await startAmbassadorFor([{ port: await freePort() }, redis])
    const client = await ambassador.connect()
    const [[onA = ''], [onB = '']] = [keysOn(0, 2), keysOn(1, 2)]
    expect(await ask(client, 'GET', onA)).to.equal(DOWN)
    expect(await ask(client, 'SET', onB, 'v')).to.equal('+OK\r\n')
    await ambassador.stop()
    await redis.stop()
  })

  /** Accepts, and does to each connection what it is told. */
  async function startAcceptor(
    greet: (socket: Socket) => void,
  ): Promise<{ port: number; server: Server; accepted: () => number }> {
    let accepted = 0
    const server = createServer((socket) => {
      accepted++
      socket.on('error', () => {})
      greet(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { port: (server.address() as AddressInfo).port, server, accepted: () => accepted }
  }

  it('row 38: one that refuses is not stormed, and its errors are made here', async () => {
    const acceptor = await startAcceptor((socket) => socket.resetAndDestroy())
    const ambassador = await startAmbassadorFor([acceptor])
    const client = await ambassador.connect()
    for (let i = 0; i < 2000; i++) expect(await ask(client, 'GET', 'x')).to.equal(DOWN)
    expect(acceptor.accepted()).to.be.below(200)
    await ambassador.stop()
    acceptor.server.close()
  })

  it('row 39: one that accepts and says nothing is given up at the connect timeout', async () => {
    const sockets: Socket[] = []
    const acceptor = await startAcceptor((socket) => sockets.push(socket.resume()))
    const ambassador = await startAmbassadorFor([acceptor], { connectTimeoutMs: '50' })
    const client = await ambassador.connect()
    expect(await ask(client, 'GET', 'x')).to.equal(DOWN)
    await ambassador.stop()
    for (const socket of sockets) socket.destroy()
    acceptor.server.close()
  })

  it('row 40: one that turns us away answers no request by that', async () => {
    const acceptor = await startAcceptor((socket) => {
      // It has to read: one that does not never sees that the other side is gone.
      socket.resume().end('-ERR max number of clients reached\r\n')
    })
    const ambassador = await startAmbassadorFor([acceptor])
    const client = await ambassador.connect()
    for (let i = 0; i < 3; i++) expect(await ask(client, 'GET', 'x')).to.equal(DOWN)
    await ambassador.stop()
    acceptor.server.close()
  })

  it('row 47: one whose password we lack gets no request', async () => {
    const redis = await startRedis({ args: ['--requirepass', 'secret'] })
    for (const flags of [{}, { shardPassword: 'wrong' }]) {
      const ambassador = await startAmbassadorFor([redis], flags)
      const client = await ambassador.connect()
      expect(await ask(client, 'SET', 'x', 'v')).to.equal(DOWN)
      await ambassador.stop()
    }
    const direct = await connectRaw(redis.port)
    await direct.request('AUTH', 'secret')
    expect(await ask(direct, 'DBSIZE')).to.equal(':0\r\n')
    await direct.close()
    await redis.stop()
  })
})

describe('faults: a shard that answers wrongly', () => {
  for (const [what, bytes] of [
    ['row 41: one reply too many', '+OK\r\n+stray\r\n'],
    ['row 42: a string that ends early', '$5\r\nab\r\n+O'],
    ['row 42: a string without its CRLF', '$6\r\nfoobarrr\r\n'],
    ['row 42: no RESP', '^\r\n'],
    ['row 42: no number', ':x\r\n'],
    ['row 42: a length of -2', '*-2\r\n'],
    ['row 42: a length beyond 64 bits', '$18446744073709551617\r\n'],
  ] as const) {
    it(`${what} ends that connection, and nobody gets a reply of it`, async () => {
      const shard = await startFakeShard(({ text }) =>
        text === 'GET second' ? '+second\r\n' : undefined,
      )
      const ambassador = await startAmbassadorFor([shard])
      const [first, second] = [await ambassador.connect(), await ambassador.connect()]
      first.write(encodeRequest('GET', 'first'))
      const request = await shard.nextRequest()
      request.reply(bytes)
      await request.connection.closed()
      expect((await first.reply()).toString()).to.be.oneOf([LOST, '+OK\r\n'])
      expect(await askUntilUp(second, 'GET', 'second')).to.equal('+second\r\n')
      expect((await shard.nextRequest()).connection).to.not.equal(request.connection)
      await ambassador.stop()
      await shard.stop()
    })
  }

  for (const error of [
    '-keyalreadyexists',
    '-',
    '-LOADING Redis is loading the dataset in memory',
    '-MASTERDOWN Link with MASTER is down',
    '-MISCONF Redis is configured to save',
    '-NOPERM no permissions',
    '-CLUSTERDOWN The cluster is down',
    '-MOVED 3999 127.0.0.1:6381',
    '-ASK 3999 127.0.0.1:6381',
  ]) {
    it(`rows 43, 46 and 48: ${error} is one reply, passed on as it is`, async () => {
      const shard = await startFakeShard(({ text }) =>
        text === 'GET bad' ? `${error}\r\n` : '+fine\r\n',
      )
      const ambassador = await startAmbassadorFor([shard])
      const client = await ambassador.connect()
      client.write(Buffer.concat([encodeRequest('GET', 'bad'), encodeRequest('GET', 'good')]))
      expect((await client.replies(2)).map(String)).to.deep.equal([`${error}\r\n`, '+fine\r\n'])
      expect(shard.connections.length).to.be.at.most(2)
      await ambassador.stop()
      await shard.stop()
    })
  }

  it('row 33: a small reply cut by the end of the connection is an error', async () => {
    const shard = await startFakeShard(() => undefined)
    const ambassador = await startAmbassadorFor([shard])
    const client = await ambassador.connect()
    client.write(encodeRequest('GET', 'x'))
    const request = await shard.nextRequest()
    request.reply('$10\r\nhal')
    request.connection.halfClose()
    expect((await client.reply()).toString()).to.equal(LOST)
    await ambassador.stop()
    await shard.stop()
  })

  it('row 33: a reply of which the client has a part ends its connection, and no other', async () => {
    const shard = await startFakeShard(({ text }) => (text === 'GET large' ? undefined : '+OK\r\n'))
    const ambassador = await startAmbassadorFor([shard])
    const [client, other] = [await ambassador.connect(), await ambassador.connect()]
    client.write(encodeRequest('GET', 'large'))
    const request = await shard.nextRequest()
    request.reply(`$10000000\r\n${'x'.repeat(1_000_000)}`)
    await until(() => client.unreadBytes >= 500_000)
    other.write(encodeRequest('GET', 'other'))
    await shard.nextRequest()
    request.connection.close()
    await client.closed()
    expect((await other.reply()).toString()).to.equal(LOST)
    await ambassador.stop()
    await shard.stop()
  })

  it('row 44: pushes and attributes answer nothing', async () => {
    const shard = await startFakeShard(
      () => '>2\r\n+invalidate\r\n_\r\n|1\r\n+ttl\r\n:1\r\n$2\r\nok\r\n',
    )
    const ambassador = await startAmbassadorFor([shard])
    const client = await ambassador.connect(3)
    client.write(encodeRequest('GET', 'x'))
    client.write(encodeRequest('ECHO', 'mine'))
    expect((await client.reply()).toString()).to.match(/\$2\r\nok\r\n$/)
    await client.reply()
    expect(client.unreadBytes).to.equal(0)
    await ambassador.stop()
    await shard.stop()
  })

  it('row 45: a reply that comes before the whole request has gone is the right one', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      let greeted = false
      let early = false
      let left = 0
      socket.on('data', (bytes: Buffer) => {
        if (!greeted) {
          greeted = true
          const requests = bytes.toString('latin1').match(/\*\d+\r\n\$\d+\r\n[A-Z]/g) ?? []
          socket.write(`${'+OK\r\n'.repeat(requests.length - 1)}+PONG\r\n`)
          return
        }
        if (!early) {
          early = true
          left = 5_000_000
          socket.write('+early\r\n')
        }
        left -= bytes.length
        if (left <= 0) socket.write('+next\r\n')
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const ambassador = await startAmbassadorFor([server.address() as AddressInfo])
    const client = await ambassador.connect()
    client.write(encodeRequest('SET', 'x', Buffer.alloc(5_000_000)))
    client.write(encodeRequest('GET', 'x'))
    expect((await client.replies(2)).map(String)).to.deep.equal(['+early\r\n', '+next\r\n'])
    await ambassador.stop()
    server.close()
  })
})
