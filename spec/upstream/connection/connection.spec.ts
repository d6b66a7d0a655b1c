import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import { shardFailures } from '../../../lib/failures.ts'
import { Turn } from '../../../lib/io/turn.ts'
import { LEASE_PROBE_MS, RECONNECT_MS_MAX, STALLED_MS } from '../../../lib/limits.ts'
import { InHand } from '../../../lib/stats/in-hand.ts'
import { ShardStats } from '../../../lib/stats/shard-stats.ts'
import { ShardConnection } from '../../../lib/upstream/connection/connection.ts'
import type { ShardAddress } from '../../../lib/upstream/connection/making/dial.ts'
import { handshake, loginRequest } from '../../../lib/upstream/connection/making/handshake.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import { startAmbassadorFor } from '../../support/ambassador.ts'
import { type FakeShard, type Script, startFakeShard } from '../../support/fake-shard.ts'
import { encodeRequest } from '../../support/frames.ts'
import { ManualTimers } from '../../support/manual-timers.ts'
import { ManualTurn } from '../../support/manual-turn.ts'
import { until } from '../../support/until.ts'

/** More than the kernel takes for a reader that does not read. */
const STUCK = Buffer.alloc(48 * 1024 * 1024, 'x')

/** Neither a redis-server nor a spec decides when a deadline comes. */
const NO_DEADLINE = { requestTimeoutMs: '0' }

describe('ShardConnection', () => {
  it('sends what was not sent when the shard drops the connection, and nothing twice', async () => {
    const shard = await startFakeShard(({ text }) => `+${text}\r\n`)
    const ambassador = await startAmbassadorFor([shard], NO_DEADLINE)
    const client = await ambassador.connect()
    // The first has too much in flight to go on.
    const other = await ambassador.connect()
    await client.request('GET', 'warm')
    const connection = shard.requests[0]?.connection
    connection?.pause()
    const inFlight = async (count: number): Promise<void> => {
      await until(() => ambassador.gauges.inFlight >= count)
      // What a turn has gathered is written when it ends.
      await nextTurn()
    }
    // The kernel cannot take all of this: whatever comes in a later turn stays with us.
    client.write(encodeRequest('SET', 'big', STUCK))
    await inFlight(1)
    other.write(Buffer.concat([encodeRequest('INCR', 'one'), encodeRequest('INCR', 'two')]))
    await inFlight(3)
    connection?.reset()
    const replies = [await client.reply(), ...(await other.replies(2))]
    expect(replies.map((reply) => reply.toString())).to.deep.equal([
      '-ERR ambassador: shard a connection lost (may have executed)\r\n',
      '+INCR one\r\n',
      '+INCR two\r\n',
    ])
    const texts = shard.requests.map(({ text }) => text)
    expect(texts.filter((text) => text.startsWith('INCR'))).to.deep.equal(['INCR one', 'INCR two'])
    await ambassador.stop()
    await shard.stop()
  })

  it('refuses what waited when the next connection does not come about either', async () => {
    const shard = await startFakeShard(() => undefined)
    const ambassador = await startAmbassadorFor([shard], NO_DEADLINE)
    const client = await ambassador.connect()
    client.write(encodeRequest('GET', 'sent'))
    await shard.nextRequest()
    const stopped = shard.stop()
    expect((await client.reply()).toString()).to.contain('connection lost (may have executed)')
    await stopped
    expect((await client.request('GET', 'later')).toString()).to.contain('unavailable (not sent)')
    await ambassador.stop()
  })
})

/** A connection by itself, and what those who asked were told, in that order. */
class Rig {
  readonly told: string[] = []
  /** Since when the shard was said to be silent, each time. */
  readonly silences: number[] = []
  readonly server: { readonly address: ShardAddress; mayMove: boolean; onHold: boolean }
  readonly connection: ShardConnection
  readonly #sink: ReplySink = {
    reply: (_ticket, bytes, start, end) => this.told.push(bytes.toString('latin1', start, end)),
    failed: (_ticket, { frame }) => this.told.push(frame.toString('latin1')),
  }

  constructor(shard: FakeShard, turn: Turn, requestTimeoutMs: number) {
    this.server = {
      address: { host: '127.0.0.1', port: shard.port },
      mayMove: false,
      onHold: false,
    }
    this.connection = new ShardConnection({
      server: this.server,
      attempt: () => ({
        handshake: handshake({
          protocol: 2,
          database: 0,
          username: undefined,
          password: undefined,
          clientId: false,
          redirect: false,
        }),
        timeoutMs: 5000,
      }),
      errors: shardFailures('a'),
      requestTimeoutMs,
      turn,
      stats: new ShardStats(),
      inHand: new InHand(),
      reconnect: true,
      signs: { replied: () => {}, silent: (sinceMs) => this.silences.push(sinceMs) },
      onStateChange: () => {},
    })
    this.connection.connect()
  }

  hold(): void {
    this.server.onHold = true
    this.connection.hold()
  }

  release(): void {
    this.server.onHold = false
    this.connection.release()
  }

  get(key: string): void {
    const request = encodeRequest('GET', key)
    this.connection.send(this.#sink, 0, request, 0, request.length, false)
  }
}

/** The answer to the PING behind a login. */
const FENCED = '$16\r\nambassador:login\r\n'

describe('ShardConnection.authenticate', () => {
  /** Answers all but AUTH and GET by itself, and knows what the connection logs in with. */
  class LoginRig {
    readonly told: string[] = []
    readonly logins: (string | undefined)[] = []
    readonly connection: ShardConnection
    password: string | undefined
    readonly #sink: ReplySink = {
      reply: (_ticket, bytes, start, end) => this.told.push(bytes.toString('latin1', start, end)),
      failed: (_ticket, { frame }) => this.told.push(frame.toString('latin1')),
    }

    constructor(shard: FakeShard, password: string | undefined) {
      this.password = password
      const turn = new Turn()
      this.connection = new ShardConnection({
        server: { address: { host: '127.0.0.1', port: shard.port } },
        attempt: () => {
          const { password } = this
          const timeoutMs = 20_000
          if (password === undefined) return { handshake: undefined, timeoutMs }
          const state = {
            protocol: 2,
            database: 0,
            clientId: false,
            redirect: false,
            username: 'u',
          } as const
          const login = loginRequest({ username: 'u', password })
          return { handshake: handshake({ ...state, password }), timeoutMs, login }
        },
        errors: shardFailures('a'),
        requestTimeoutMs: Number.POSITIVE_INFINITY,
        turn,
        stats: new ShardStats(),
        inHand: new InHand(),
        reconnect: true,
        onLogin: (refusal) => this.logins.push(refusal?.reason),
        onStateChange: () => {},
      })
      this.connection.connect()
    }

    get(key: string): void {
      const request = encodeRequest('GET', key)
      this.connection.send(this.#sink, 0, request, 0, request.length, false)
    }

    logInWith(password: string): void {
      this.password = password
      this.connection.authenticate()
    }
  }

  let shard: FakeShard
  let rig: LoginRig
  /** The spec answers by hand. */
  let isHeld = false

  async function start(password: string | undefined): Promise<void> {
    const answers: Record<string, string> = {
      PING: '+PONG\r\n',
      'AUTH u one': '+OK\r\n',
      'AUTH u three': '+OK\r\n',
    }
    shard = await startFakeShard(({ text }) => (isHeld ? undefined : answers[text]), {
      handshake: false,
    })
    rig = new LoginRig(shard, password)
  }

  afterEach(async () => {
    rig.connection.close()
    await shard.stop()
  })

  const texts = () => shard.requests.map(({ text }) => text)

  it('stands in line, and its reply reaches nobody else', async () => {
    await start('one')
    rig.get('before')
    await until(() => texts().includes('GET before'))
    rig.logInWith('two')
    rig.get('after')
    await until(() => texts().includes('GET after'))
    expect(texts()).to.deep.equal([
      ...['AUTH u one', 'PING', 'GET before', 'AUTH u two', 'PING ambassador:login', 'GET after'],
    ])
    shard.connections[0]?.send(`+b\r\n+OK\r\n${FENCED}+a\r\n`)
    await until(() => rig.told.length === 2)
    expect(rig.told).to.deep.equal(['+b\r\n', '+a\r\n'])
    expect(rig.logins).to.deep.equal([undefined])
    expect(shard.connections).to.have.length(1)
  })

  it('leaves the connection as it is when the shard refuses', async () => {
    await start('one')
    rig.get('before')
    await until(() => texts().includes('GET before'))
    rig.logInWith('two')
    rig.get('after')
    await until(() => texts().includes('GET after'))
    shard.connections[0]?.send(`+b\r\n-WRONGPASS no\r\n${FENCED}+a\r\n`)
    await until(() => rig.told.length === 2)
    expect(rig.told).to.deep.equal(['+b\r\n', '+a\r\n'])
    expect(rig.logins).to.deep.equal(['WRONGPASS no'])
    expect(rig.connection.state).to.equal('ready')
  })

  it('gives no reply to another request when the shard does not answer a login, as Redis 8.0.6 (row 113)', async () => {
    await start('one')
    rig.get('before')
    await until(() => texts().includes('GET before'))
    rig.logInWith('two')
    rig.get('after')
    await until(() => texts().includes('GET after'))
    shard.connections[0]?.send(`+b\r\n${FENCED}+a\r\n`)
    await until(() => rig.told.length === 2)
    const lost = '-ERR ambassador: shard a connection lost (may have executed)\r\n'
    expect(rig.told).to.deep.equal(['+b\r\n', lost])
    expect(rig.logins).to.deep.equal([])
  })

  it('ends with the newest, though an older one was kept unsent for another connection (row 112)', async () => {
    const fence = 'PING ambassador:login'
    await start('one')
    rig.get('before')
    await until(() => texts().includes('GET before'))
    shard.connections[0]?.send('+b\r\n')
    await until(() => rig.told.length === 1)
    rig.connection.hold()
    rig.logInWith('two')
    rig.get('k')
    isHeld = true
    shard.connections[0]?.close()
    await until(() => texts().filter((text) => text === 'PING').length === 2)
    rig.logInWith('three')
    rig.get('l')
    isHeld = false
    shard.connections[1]?.send('+OK\r\n+PONG\r\n')
    await until(() => texts().at(-2) === 'AUTH u three' && texts().at(-1) === fence)
    const kept = ['AUTH u two', fence, 'GET k', 'GET l']
    const behind = ['AUTH u three', 'PING', ...kept, 'AUTH u three', fence]
    expect(texts().slice(-behind.length)).to.deep.equal(behind)
  })

  it('lets a connection that waits for credentials go on', async () => {
    await start(undefined)
    rig.get('k')
    await shard.connection(1)
    await until(() => rig.connection.reason === 'its credentials are not known')
    expect(texts()).to.deep.equal([])
    rig.logInWith('one')
    await until(() => texts().includes('GET k'))
    expect(texts()).to.deep.equal(['AUTH u one', 'PING', 'GET k'])
    expect(shard.connections).to.have.length(1)
  })

  it('goes ahead of what waits for a handshake that is under way', async () => {
    isHeld = true
    await start('zero')
    rig.get('k')
    await until(() => texts().includes('AUTH u zero'))
    rig.logInWith('one')
    isHeld = false
    shard.connections[0]?.send('+OK\r\n+PONG\r\n')
    await until(() => texts().includes('GET k'))
    const all = ['AUTH u zero', 'PING', 'AUTH u one', 'PING', 'GET k']
    expect(texts()).to.deep.equal(all)
  })
})

describe('ShardConnection.renew', () => {
  it('answers what was sent, and sends what comes meanwhile over the next connection', async () => {
    const shard = await startFakeShard(() => undefined)
    const rig = new Rig(shard, new Turn(), Number.POSITIVE_INFINITY)
    await new Promise<void>((resolve) => rig.connection.onceSettled(() => resolve()))
    rig.get('before')
    const before = await shard.nextRequest()
    rig.connection.renew()
    rig.get('after')
    before.reply('+old\r\n')
    const after = await shard.nextRequest()
    expect(after.connection).to.not.equal(before.connection)
    after.reply('+new\r\n')
    await until(() => rig.told.length === 2)
    expect(rig.told).to.deep.equal(['+old\r\n', '+new\r\n'])
    rig.connection.close()
    await shard.stop()
  })
})

describe('ShardConnection.relocate', () => {
  it('once more before there is another connection leaves nothing behind that keeps it from going on', async () => {
    const shard = await startFakeShard(({ text }) => `+${text}\r\n`)
    const rig = new Rig(shard, new Turn(), Number.POSITIVE_INFINITY)
    rig.server.mayMove = true
    await until(() => rig.connection.state === 'ready')
    rig.connection.relocate()
    rig.connection.relocate()
    rig.hold()
    await shard.connection(2)
    await until(() => rig.connection.state === 'ready')
    rig.get('k')
    expect(shard.requests).to.have.length(0)
    rig.release()
    await until(() => rig.told.length > 0)
    expect(rig.told).to.deep.equal(['+GET k\r\n'])
    expect(shard.connections).to.have.length(2)
    rig.connection.close()
    await shard.stop()
  })
})

describe('ShardConnection.probe', () => {
  const timers = new ManualTimers()
  let manual: ManualTurn
  let shard: FakeShard
  let rig: Rig
  let answers: boolean

  beforeEach(async () => {
    answers = true
    const script: Script = ({ text }) =>
      answers ? `+${text.replace('PING', 'PONG')}\r\n` : undefined
    shard = await startFakeShard(script, { handshake: false })
    manual = new ManualTurn()
    timers.install(false)
    rig = new Rig(shard, manual.turn, 20_000)
    await until(isReady)
  })

  afterEach(async () => {
    timers.restore()
    rig.connection.close()
    await shard.stop()
  })

  function isReady(): boolean {
    while (manual.scheduled > 0) manual.end()
    return rig.connection.state === 'ready'
  }

  function pass(ms: number): void {
    isReady()
    manual.nowMs += ms
    timers.advance(ms)
  }

  async function unanswered(): Promise<void> {
    answers = false
    const asked = shard.requests.length
    rig.connection.probe()
    await until(() => shard.requests.length > asked)
    answers = true
  }

  it('lets a request wait for the answer', async () => {
    await unanswered()
    rig.get('k')
    isReady()
    expect(rig.connection.state).to.equal('connecting')
    shard.connections[0]?.send('+PONG\r\n')
    await until(isReady)
    await until(() => rig.told.length > 0)
    expect(rig.told).to.deep.equal(['+GET k\r\n'])
    expect(shard.connections).to.have.length(1)
  })

  it('tells that there was no answer, and the request goes over another connection', async () => {
    await unanswered()
    rig.get('k')
    pass(LEASE_PROBE_MS)
    expect(rig.silences).to.deep.equal([LEASE_PROBE_MS])
    await shard.connection(2)
    await until(isReady)
    await until(() => rig.told.length > 0)
    expect(rig.told).to.deep.equal(['+GET k\r\n'])
  })

  it('is over with its connection: what was lost is not silent', async () => {
    // The second loss in a row is not followed by an attempt at once.
    shard.connections[0]?.reset()
    await shard.connection(2)
    await until(isReady)
    await unanswered()
    pass(LEASE_PROBE_MS - 1)
    shard.connections[1]?.reset()
    await until(() => !rig.connection.isOpen)
    pass(1)
    expect(rig.silences).to.deep.equal([])
    pass(RECONNECT_MS_MAX)
    await until(isReady)
    expect(shard.connections).to.have.length(3)
  })
})

/** The handshake is answered, and then nothing: no reply, no FIN, no RST, as behind a dead route. */
describe('row 35: a shard that swallows everything', () => {
  const TIMEOUT_MS = 1000
  const TIMED_OUT = '-ERR ambassador: shard a timed out (may have executed)\r\n'
  const timers = new ManualTimers()
  let manual: ManualTurn
  let shard: FakeShard
  let rig: Rig
  let swallows: boolean

  beforeEach(async () => {
    swallows = true
    shard = await startFakeShard(({ text }) => (swallows ? undefined : `+${text}\r\n`))
    manual = new ManualTurn()
    // The real sockets are left as they are, and so are the turns of the event loop.
    timers.install(false)
    rig = new Rig(shard, manual.turn, TIMEOUT_MS)
    await until(isReady)
  })

  afterEach(async () => {
    timers.restore()
    rig.connection.close()
    await shard.stop()
  })

  function endTurns(): void {
    while (manual.scheduled > 0) manual.end()
  }

  function isReady(): boolean {
    endTurns()
    return rig.connection.state === 'ready'
  }

  /** Sends, and waits until it is there. */
  async function get(key: string): Promise<void> {
    rig.get(key)
    endTurns()
    await shard.nextRequest()
  }

  async function pass(ms: number): Promise<void> {
    endTurns()
    manual.nowMs += ms
    timers.advance(ms)
    // A deadline that passes gives the replies that lie there the rest of the turn.
    await nextTurn()
    endTurns()
  }

  /** What has worked for so long is connected to at once, without a pause. */
  async function expectReplaced(): Promise<void> {
    swallows = false
    await shard.connections[0]?.closed()
    await shard.connection(2)
    await until(isReady)
    rig.told.length = 0
    await get('next')
    await until(() => rig.told.length === 1)
    expect(rig.told).to.deep.equal(['+GET next\r\n'])
    expect(shard.connections).to.have.length(2)
  }

  it('costs the first request after a silence its deadline, and is connected to anew', async () => {
    await pass(STALLED_MS)
    await get('first')
    await pass(TIMEOUT_MS - 1)
    expect(rig.told).to.deep.equal([])
    await pass(1)
    expect(rig.told).to.deep.equal([TIMED_OUT])
    await expectReplaced()
  })

  it('costs each request its own deadline, and is connected to anew though nobody asks any more', async () => {
    await get('first')
    await pass(400)
    await get('second')
    await pass(TIMEOUT_MS - 400)
    expect(rig.told).to.deep.equal([TIMED_OUT])
    await pass(399)
    expect(rig.told).to.deep.equal([TIMED_OUT])
    await pass(1)
    expect(rig.told).to.deep.equal([TIMED_OUT, TIMED_OUT])
    expect(rig.connection.state).to.equal('ready')
    await pass(STALLED_MS)
    await expectReplaced()
  })
  it('is not suspected of it for what was held back from it', async () => {
    swallows = false
    rig.server.mayMove = true
    rig.hold()
    rig.get('held')
    await pass(TIMEOUT_MS)
    expect(rig.told).to.deep.equal([TIMED_OUT])
    rig.release()
    await get('next')
    await until(() => rig.told.length > 1)
    expect(rig.told[1]).to.equal('+GET next\r\n')
    expect(shard.connections).to.have.length(1)
  })
})
