/** Requests for places that move, on a connection: when their keeper takes over, and with which bytes. */
import { expect } from 'chai'
import { shardFailures } from '../../../lib/failures.ts'
import { Turn } from '../../../lib/io/turn.ts'
import { InHand } from '../../../lib/stats/in-hand.ts'
import { ShardStats } from '../../../lib/stats/shard-stats.ts'
import { ShardConnection } from '../../../lib/upstream/connection/connection.ts'
import { handshake } from '../../../lib/upstream/connection/making/handshake.ts'
import type { PlaceKeeper } from '../../../lib/upstream/connection/placed/keeping.ts'
import { appendFrame } from '../../../lib/upstream/fragment.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import { type FakeShard, type Script, startFakeShard } from '../../support/fake-shard.ts'
import { encodeRequest } from '../../support/frames.ts'
import { until } from '../../support/until.ts'

const CLIENT = { sent: 0 }

const PLAIN = {
  protocol: 2,
  database: 0,
  username: undefined,
  password: undefined,
  clientId: false,
  redirect: false,
} as const

/** A connection with a keeper that writes down what it is told. */
class Rig {
  /** What those were told who asked. */
  readonly told: string[] = []
  /** What was handed over, and what its heir was told. */
  readonly taken: string[] = []
  readonly kept = { bytes: 0 }
  readonly connection: ShardConnection
  readonly #keeper: PlaceKeeper = {
    isRefusal: (bytes, start) => bytes.toString('latin1', start, start + 6) === '-MOVED',
    takeOver: ({ place, ticket }, { bytes, start, end, memory }) => {
      const key = bytes.toString('latin1', start, end).split('\r\n')[4]
      memory?.letGo()
      this.taken.push(`${key} of place ${place}, ticket ${ticket}`)
      return sinkInto(this.taken, `${key}: `)
    },
    failed: ({ kind }) => this.taken.push(kind),
  }

  constructor({ port }: FakeShard, requestTimeoutMs = Number.POSITIVE_INFINITY) {
    this.connection = new ShardConnection({
      server: { address: { host: '127.0.0.1', port } },
      attempt: () => ({ handshake: handshake(PLAIN), timeoutMs: 5000 }),
      errors: shardFailures('a'),
      requestTimeoutMs,
      turn: new Turn(),
      stats: new ShardStats(),
      inHand: new InHand(),
      reconnect: true,
      onStateChange: () => {},
    })
    this.connection.keepFor(this.#keeper, this.kept)
    this.connection.connect()
  }

  async ready(): Promise<void> {
    await until(() => this.connection.state === 'ready')
  }

  get(key: string, place: number, ticket = 0): boolean {
    const sink = sinkInto(this.told, `${key}: `)
    const outbox = this.connection.enterPlaced(CLIENT, place, sink, ticket)
    const bytes = encodeRequest('GET', key)
    if (outbox === undefined) return false
    appendFrame(outbox, { bytes, frameStart: 0, frameEnd: bytes.length, owned: false })
    return true
  }
}

function sinkInto(told: string[], prefix: string): ReplySink {
  return {
    reply: (_ticket, bytes, start, end) => {
      told.push(prefix + bytes.toString('latin1', start, end).trimEnd())
    },
    failed: (_ticket, { kind }) => told.push(prefix + kind),
  }
}

describe('requests for places that move', () => {
  let shard: FakeShard
  let rig: Rig

  async function start(script: Script): Promise<void> {
    shard = await startFakeShard(script)
    rig = new Rig(shard)
    await rig.ready()
  }

  afterEach(async () => {
    rig.connection.close()
    expect(rig.kept.bytes).to.equal(0)
    await shard.stop()
  })

  it('are answered as all others, and their bytes are let go then', async () => {
    await start(({ text }) => (text === 'GET a' ? '-ERR no\r\n' : '+ok\r\n'))
    expect([rig.get('a', 1), rig.get('b', 2)]).to.deep.equal([true, true])
    await until(() => rig.told.length === 2)
    expect(rig.told).to.deep.equal(['a: -ERR no', 'b: +ok'])
    expect(rig.taken).to.deep.equal([])
    expect(rig.kept.bytes).to.equal(0)
  })

  it('are all handed over at the first refusal, those that are not sent yet as well', async () => {
    await start(() => undefined)
    rig.get('a', 1, 10)
    rig.get('b', 2, 11)
    await shard.nextRequest()
    await shard.nextRequest()
    rig.connection.hold()
    rig.get('c', 3, 12)
    shard.connections[0]?.send('-MOVED 1 10.0.0.1:6379\r\n')
    await until(() => rig.taken.length >= 4)
    expect(rig.taken).to.deep.equal([
      'a of place 1, ticket 10',
      'b of place 2, ticket 11',
      'c of place 3, ticket 12',
      'a: -MOVED 1 10.0.0.1:6379',
    ])
    rig.connection.release()
    const { text } = await shard.nextRequest()
    expect(text).to.equal('GET c')
    shard.connections[0]?.send('+b\r\n+c\r\n')
    await until(() => rig.taken.length === 6)
    expect(rig.taken.slice(4)).to.deep.equal(['b: +b', 'c: +c'])
    expect(rig.told).to.deep.equal([])
  })

  it('wait for the next connection if nothing of them was sent, and are lost otherwise', async () => {
    await start(({ text }) => (text === 'GET b' ? '-MOVED 2 10.0.0.1:6379\r\n' : undefined))
    rig.get('a', 1)
    await shard.nextRequest()
    rig.connection.hold()
    rig.get('b', 2)
    shard.connections[0]?.reset()
    await until(() => rig.taken.length >= 3)
    expect(rig.told).to.deep.equal(['a: lost'])
    expect(rig.taken).to.deep.equal(['lost', 'b of place 2, ticket 0', 'b: -MOVED 2 10.0.0.1:6379'])
  })

  it('are handed over unsent when no connection follows, and refused while there is none', async () => {
    await start(() => undefined)
    rig.get('a', 1)
    await shard.nextRequest()
    rig.connection.hold()
    rig.get('b', 2)
    rig.connection.close()
    expect(rig.told).to.deep.equal(['a: lost'])
    expect(rig.taken).to.deep.equal(['lost', 'b of place 2, ticket 0', 'b: unavailable'])
    expect(rig.get('c', 3)).to.equal(false)
    expect(rig.told).to.have.length(1)
  })

  it('are handed over once each, also when those that came later are', async () => {
    await start(() => undefined)
    rig.get('a', 1)
    rig.connection.handOver()
    rig.get('b', 2)
    rig.connection.handOver()
    rig.connection.handOver()
    expect(rig.taken).to.deep.equal(['a of place 1, ticket 0', 'b of place 2, ticket 0'])
  })

  it('time out where they are, and a refusal that comes later is dropped', async () => {
    shard = await startFakeShard(() => undefined)
    rig = new Rig(shard, 30)
    await rig.ready()
    rig.get('a', 1)
    await until(() => rig.told.length === 1)
    expect(rig.told).to.deep.equal(['a: timedOut'])
    expect(rig.taken).to.deep.equal(['timedOut'])
    shard.connections[0]?.send('-MOVED 1 10.0.0.1:6379\r\n')
    await until(() => rig.connection.inFlight === 0)
    expect(rig.taken).to.have.length(1)
  })
})
