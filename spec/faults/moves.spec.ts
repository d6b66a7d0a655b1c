/**
 * Shards that live elsewhere from one moment to the next while the server that they were stays
 * reachable: real servers, of which the one that is left would answer for ever.
 */
import { expect } from 'chai'
import { DOUBT_MS, RESOLVE_AGAIN_MS } from '../../lib/limits.ts'
import { type AmbassadorUnderTest, startAmbassadorFor } from '../support/ambassador.ts'
import { LogLines } from '../support/log-lines.ts'
import { MovingName } from '../support/moving-name.ts'
import { send } from '../support/pipeline.ts'
import { connectRaw, type RawClient } from '../support/raw-client.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { Relay } from '../support/relay.ts'
import { until } from '../support/until.ts'

const UNBLOCKED =
  '-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n'

const TIMED_OUT = '-ERR ambassador: shard a timed out (may have executed)\r\n'

describe('row 68: a shard whose name moves while its old server stays', () => {
  let name: MovingName
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  before(async () => {
    name = await MovingName.start()
  })

  beforeEach(async () => {
    name.timers.install(false)
    name.lead(0)
    for (const index of [0, 1] as const) await name.ask(index, 'FLUSHALL')
    ambassador = await startAmbassadorFor([name.shard])
    client = await ambassador.connect()
    expect(await send(client, 'SET here 1')).to.deep.equal(['+OK\r\n'])
  })

  afterEach(async () => {
    name.timers.restore()
    await ambassador.stop()
  })

  after(() => name.stop())

  /** The name leads to the other server, and it is time to look. */
  function move(): void {
    name.lead(1)
    name.timers.advance(RESOLVE_AGAIN_MS)
  }

  /** Moves, and waits until plain requests are answered there. */
  async function moved(): Promise<void> {
    move()
    await until(async () => (await send(client, 'EXISTS here'))[0] === ':0\r\n')
  }

  /** What a server says of its clients: `blocked_clients:1`. */
  async function says(index: 0 | 1, section: string, text: string): Promise<boolean> {
    return (await name.ask(index, 'INFO', section)).includes(`${text}\r\n`)
  }

  async function blockedAt(index: 0 | 1): Promise<void> {
    await until(() => says(index, 'clients', 'blocked_clients:1'))
  }

  it('has no transaction executed at the old place that a read at the new one misses', async () => {
    const other = await ambassador.connect(3)
    const rounds = async (from: RawClient, key: string, until: () => Promise<boolean>) => {
      for (let round = 0; !(await until()); round++) {
        const replies = await send(from, 'MULTI', `SET ${key} ${round}`, 'EXEC')
        expect(replies[2]).to.equal('*1\r\n+OK\r\n')
        expect((await send(from, `GET ${key}`))[0]).to.match(new RegExp(`\r\n${round}\r\n$`))
      }
    }
    const isThere = (key: string) => async () => (await name.ask(1, 'EXISTS', key)) === ':1\r\n'
    let early = 0
    // An idle connection of each lane.
    await rounds(client, 'k', async () => early++ > 2)
    await rounds(other, 'l', async () => early++ > 5)
    const both = [rounds(client, 'k', isThere('k')), rounds(other, 'l', isThere('l'))]
    move()
    await Promise.all(both)
  })

  it('has new dedicated connections and those that are shared at one place at any moment', async () => {
    // Nobody looks: the connection that is made for the transaction finds out.
    name.lead(1)
    const replies = await send(client, 'MULTI', 'SET order:1 paid', 'EXEC')
    expect(replies[2]).to.equal('*1\r\n+OK\r\n')
    expect(await send(client, 'GET order:1')).to.deep.equal(['$4\r\npaid\r\n'])
    expect(await name.ask(0, 'EXISTS', 'order:1')).to.equal(':0\r\n')
  })

  it('ends an open transaction without executing it', async () => {
    await send(client, 'MULTI', 'SET k 1')
    const watching = await ambassador.connect()
    await send(watching, 'WATCH k', 'GET k')
    const other = await ambassador.connect()
    move()
    await until(async () => (await send(other, 'EXISTS here'))[0] === ':0\r\n')
    const [queued = '', executed = ''] = await send(client, 'SET k 2', 'EXEC')
    expect(queued).to.contain('unavailable (not sent)')
    expect(executed).to.contain('-EXECABORT')
    const replies = await send(watching, 'MULTI', 'SET k 3', 'EXEC')
    expect(replies[2]).to.contain('-EXECABORT')
    for (const index of [0, 1] as const)
      expect(await name.ask(index, 'EXISTS', 'k')).to.equal(':0\r\n')
    // And the next ones work, at the new place.
    for (const each of [client, watching]) {
      expect((await send(each, 'WATCH k', 'MULTI', 'INCR k', 'EXEC'))[3]).to.match(
        /^\*1\r\n:\d\r\n$/,
      )
    }
    expect(await name.ask(1, 'GET', 'k')).to.equal('$1\r\n2\r\n')
  })

  it('lets an EXEC that is under way be answered, and uses its connection no more', async () => {
    await send(client, 'MULTI', 'SET k 1')
    await name.ask(0, 'CLIENT', 'PAUSE', '60000', 'WRITE')
    const executed = send(client, 'EXEC')
    await until(async () => (await name.ask(0, 'CLIENT', 'LIST')).includes('cmd=exec'))
    const other = await ambassador.connect()
    move()
    await until(async () => (await send(other, 'EXISTS here'))[0] === ':0\r\n')
    await name.ask(0, 'CLIENT', 'UNPAUSE')
    expect(await executed).to.deep.equal(['*1\r\n+OK\r\n'])
    await send(client, 'MULTI', 'SET k 2', 'EXEC')
    expect(await name.ask(1, 'GET', 'k')).to.equal('$1\r\n2\r\n')
    expect(await name.ask(0, 'GET', 'k')).to.equal('$1\r\n1\r\n')
  })

  for (const wait of [
    'BLPOP q 0',
    'BRPOP p q 600',
    'BLMOVE q p LEFT RIGHT 0',
    'BZPOPMIN z 0',
    'XREAD BLOCK 0 STREAMS s $',
    'WAIT 1 0',
  ]) {
    it(`unblocks a client in ${wait}, which may then wait at the new place`, async () => {
      const waiting = await ambassador.connect()
      const answer = send(waiting, wait)
      await blockedAt(0)
      await moved()
      expect(await answer).to.deep.equal([UNBLOCKED])
      await until(() => says(0, 'clients', 'blocked_clients:0'))
      const again = send(waiting, 'BLPOP list 0')
      await blockedAt(1)
      await send(client, 'RPUSH list x')
      expect(await again).to.deep.equal(['*2\r\n$4\r\nlist\r\n$1\r\nx\r\n'])
    })
  }

  it('closes subscribers, who then hear what is published at the new place', async () => {
    const subscribed = await ambassador.connect()
    const silent = await ambassador.connect(3)
    await send(subscribed, 'SUBSCRIBE news')
    await send(silent, 'PSUBSCRIBE n*')
    await moved()
    await subscribed.closed()
    await silent.closed()
    const again = await ambassador.connect()
    await send(again, 'SUBSCRIBE news')
    expect(await send(client, 'PUBLISH news hello')).to.deep.equal([':1\r\n'])
    expect((await again.reply()).toString()).to.contain('hello')
    expect(await name.ask(0, 'PUBSUB', 'CHANNELS')).to.equal('*0\r\n')
  })

  it('is followed without a wait for the next look when the old server says READONLY', async () => {
    await name.ask(0, 'REPLICAOF', '127.0.0.2', `${name.redises[1]?.port}`)
    name.lead(1)
    const first = (await send(client, 'SET k 1'))[0]
    expect(first).to.match(/^-READONLY /)
    await until(async () => (await send(client, 'SET k 2'))[0] === '+OK\r\n')
    expect(await name.ask(1, 'GET', 'k')).to.equal('$1\r\n2\r\n')
    await name.ask(0, 'REPLICAOF', 'NO', 'ONE')
  })

  it('is followed without a wait for the next look when the old server hangs', async () => {
    await ambassador.stop()
    // What tells it is a deadline.
    name.timers.restore()
    ambassador = await startAmbassadorFor([name.shard], { requestTimeoutMs: '1000' })
    client = await ambassador.connect()
    await send(client, 'SET here 1', 'MULTI', 'SET k 1', 'EXEC')
    await name.redises[0]?.kill('SIGSTOP')
    name.lead(1)
    const answers: string[] = []
    await until(async () => {
      const [answer = ''] = await send(client, 'SET k 2')
      answers.push(answer)
      return answer === '+OK\r\n'
    })
    expect(answers.slice(0, -1)).to.deep.equal([TIMED_OUT])
    expect((await send(client, 'MULTI', 'GET k', 'EXEC'))[2]).to.equal('*1\r\n$1\r\n2\r\n')
    await name.redises[0]?.kill('SIGCONT')
  })

  it('leaves no connection at the old place, in any database and with either protocol', async () => {
    const others = [await ambassador.connect(), await ambassador.connect(3)]
    for (const other of others) {
      await send(other, 'SELECT 3', 'SET k 1', 'MULTI', 'INCR k', 'EXEC')
      await send(other, 'SCRIPT KILL')
    }
    await moved()
    for (const other of others) expect((await send(other, 'GET k'))[0]).to.match(/^(_|\$-1)\r\n$/)
    await until(() => says(0, 'clients', 'connected_clients:1'))
  })
})

describe('row 69: a shard whose address leads to a new master while the old one stays, a replica', () => {
  let redises: RedisServer[]
  let relay: Relay
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  const log = new LogLines()

  beforeEach(async () => {
    const args = ['--repl-diskless-sync-delay', '0']
    redises = [await startRedis({ args }), await startRedis({ args })]
    relay = await Relay.start(redises[0]?.port ?? 0)
    log.clear()
    ambassador = await startAmbassadorFor([relay], {}, log)
    client = await ambassador.connect()
    await send(client, 'SET here 1')
  })

  afterEach(async () => {
    await ambassador.stop()
    await relay.stop()
    for (const redis of redises) await redis.stop()
  })

  async function ask(index: number, ...words: string[]): Promise<string> {
    const direct = await connectRaw(redises[index]?.port ?? 0)
    const reply = await direct.request(...words)
    await direct.close()
    return reply.toString('latin1')
  }

  /** The first server becomes a replica of the second. */
  async function demote(): Promise<void> {
    await ask(0, 'REPLICAOF', '127.0.0.1', `${redises[1]?.port}`)
    await until(async () => (await ask(0, 'INFO', 'replication')).includes('link_status:up'))
  }

  const LEADS_ELSEWHERE = ['info shard up', 'info shard moved, its connections follow']

  for (const [how, write, refused] of [
    ['a write', ['SET k 1'], 0],
    ['a write of several keys', ['MSET k 1 l 1'], 0],
    ['a transaction', ['MULTI', 'SET k 1', 'EXEC'], 1],
    ['a blocking pop', ['BLPOP q 1'], 0],
    ['a script', ["EVAL return(redis.call('SET',KEYS[1],'1')) 1 k"], 0],
    [
      'a script in a transaction',
      ['MULTI', "EVAL return(redis.call('SET',KEYS[1],'1')) 1 k", 'EXEC'],
      2,
    ],
    ['a write in another database', ['SELECT 2', 'SET k 1'], 1],
  ] as const) {
    it(`is found out by the READONLY that ${how} gets, and followed by everything`, async () => {
      // What each needs is connected.
      await send(client, 'MULTI', 'GET k', 'EXEC', ...write)
      const subscribed = await ambassador.connect()
      await send(subscribed, 'SUBSCRIBE news')
      await demote()
      relay.target = redises[1]?.port ?? 0
      const first = await send(client, ...write)
      expect(first[refused]).to.match(/^(-|\*1\r\n-)READONLY You can't write/)
      await until(
        async () => !(await send(client, ...write))[write.length - 1]?.includes('READONLY'),
        20,
      )
      await subscribed.closed()
      expect((await send(client, 'SET k 2', 'MULTI', 'GET k', 'EXEC'))[3]).to.equal(
        '*1\r\n$1\r\n2\r\n',
      )
      expect(log.aboutShards).to.deep.equal(LEADS_ELSEWHERE)
    })
  }

  it('is followed by users of RESP3 as well, and by scripts in their transactions', async () => {
    const other = await ambassador.connect(3)
    await send(other, 'SET k 1')
    await demote()
    relay.target = redises[1]?.port ?? 0
    await until(async () => (await send(other, 'SET k 2'))[0] === '+OK\r\n', 20)
    expect(await ask(1, 'GET', 'k')).to.equal('$1\r\n2\r\n')
  })

  it('stays connected as it is, with a word in the log, while its address leads to a replica', async () => {
    const subscribed = await ambassador.connect()
    await send(subscribed, 'SUBSCRIBE news')
    await demote()
    const { accepted, open } = relay
    const beganMs = performance.now()
    while (performance.now() < beganMs + 2.5 * DOUBT_MS) {
      expect((await send(client, 'SET k 1'))[0]).to.contain('READONLY')
    }
    // A look now and then, and no connection has been replaced.
    const looksMax = 1 + (performance.now() - beganMs) / DOUBT_MS
    expect(relay.accepted - accepted).to.be.within(2, looksMax)
    await until(() => relay.open === open)
    expect(log.aboutShards).to.deep.equal([
      'info shard up',
      'warn shard is a replica and refuses writes',
    ])
    await ask(1, 'PUBLISH', 'news', 'hello')
    expect((await subscribed.reply()).toString()).to.contain('hello')
  })

  it('is not believed to have moved because a script says so', async () => {
    const subscribed = await ambassador.connect()
    await send(subscribed, 'SUBSCRIBE news')
    const accepted = relay.accepted
    const error = "-READONLY You can't write against a read only replica."
    const script = `return redis.error_reply(ARGV[1])`
    const reply = await client.request('EVAL', script, '0', error.slice(1))
    expect(reply.toString()).to.equal(`${error}\r\n`)
    // A look is taken, over a connection of its own, and ends.
    await until(() => relay.accepted > accepted)
    await until(() => relay.open === 2)
    expect(await send(client, 'PUBLISH news hello')).to.deep.equal([':1\r\n'])
    expect((await subscribed.reply()).toString()).to.contain('hello')
    expect(relay.accepted).to.equal(accepted + 1)
  })
})
