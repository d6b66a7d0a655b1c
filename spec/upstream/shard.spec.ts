import { expect } from 'chai'
import { UNBLOCKED } from '../../lib/failures.ts'
import { Turn } from '../../lib/io/turn.ts'
import { InHand } from '../../lib/stats/in-hand.ts'
import { ShardStats } from '../../lib/stats/shard-stats.ts'
import { Lanes } from '../../lib/upstream/lane.ts'
import type { ReplySink } from '../../lib/upstream/reply-sink.ts'
import { Shard } from '../../lib/upstream/shard.ts'
import { SILENT } from '../support/ambassador.ts'
import { type FakeShard, startFakeShard } from '../support/fake-shard.ts'
import { encodeRequest } from '../support/frames.ts'
import { until } from '../support/until.ts'

describe('Shard.moved', () => {
  const lane = new Lanes(() => {}).first
  let fake: FakeShard
  let shard: Shard
  let told: string[]
  const sink: ReplySink = {
    reply: (_ticket, bytes, start, end) => told.push(bytes.toString('latin1', start, end)),
    failed: (_ticket, { frame }) => told.push(frame.toString('latin1')),
  }

  beforeEach(async () => {
    told = []
    fake = await startFakeShard(() => undefined)
    const turn = new Turn()
    shard = new Shard(
      {
        name: 'a',
        address: { host: '127.0.0.1', port: fake.port },
        database: 0,
        settings: {
          credentials: undefined,
          connections: 1,
          connectTimeoutMs: 10_000,
          requestTimeoutMs: Number.POSITIVE_INFINITY,
        },
        turn,
        stats: new ShardStats(),
        inHand: new InHand(),
        logger: SILENT,
      },
      lane,
    )
    await until(() => shard.up)
  })

  afterEach(async () => {
    shard.close()
    await fake.stop()
  })

  function move(): void {
    shard.moved(() => false, {})
  }

  async function send(blocks: boolean, ...words: string[]) {
    const pool = shard.leases(lane)
    const lease = pool.take(blocks)
    const frame = encodeRequest(...words)
    lease?.send(sink, 0, frame, 0, frame.length, false)
    const request = await fake.nextRequest()
    return { pool, lease, request }
  }

  it('gives a blocked client what was popped for it before the shard heard that it leaves', async () => {
    const { request } = await send(true, 'BLPOP', 'q', '0')
    // In place of what it does by itself, which is to end as well.
    const { socket } = request.connection
    socket.removeAllListeners('end')
    socket.on('end', () => {
      request.reply('*2\r\n+q\r\n+job\r\n')
      socket.end()
    })
    move()
    await until(() => told.length > 0)
    expect(told).to.deep.equal(['*2\r\n+q\r\n+job\r\n'])
    await request.connection.closed()
    expect(told).to.have.length(1)
  })

  it('tells a blocked client that it is, when nothing was', async () => {
    const { request } = await send(true, 'BLPOP', 'q', '0')
    move()
    await request.connection.closed()
    await until(() => told.length > 0)
    expect(told).to.deep.equal([UNBLOCKED.frame.toString()])
  })

  it('does not wait for ever for a shard that does not end the connection', async () => {
    const { request } = await send(true, 'BLPOP', 'q', '0')
    request.connection.socket.removeAllListeners('end')
    move()
    await until(() => told.length > 0)
    // Whether it has popped an element is not known.
    expect(told).to.deep.equal([shard.errors.lost.frame.toString()])
  })

  it('waits for a reply that a dedicated connection owes, and lets nothing more be sent over it', async () => {
    const { pool, lease, request } = await send(false, 'EXEC')
    move()
    const frame = encodeRequest('SET', 'k', 'v')
    lease?.send(sink, 0, frame, 0, frame.length, false)
    expect(told).to.deep.equal(['-ERR ambassador: shard a unavailable (not sent)\r\n'])
    request.reply('+OK\r\n')
    await request.connection.closed()
    expect(told[1]).to.equal('+OK\r\n')
    if (lease !== undefined) pool.giveBack(lease, true)
    expect(pool.size).to.equal(0)
    expect(fake.requests).to.have.length(1)
  })

  it('stays up while its connections are replaced', async () => {
    const changes: boolean[] = []
    shard.observe({ changed: (up) => changes.push(up) })
    move()
    expect(shard.up).to.equal(true)
    await fake.connection(2)
    await until(() => fake.connections[0]?.socket.closed === true)
    expect(changes).to.deep.equal([])
  })

  it('leaves alone what is there already', async () => {
    shard.moved(() => true, {})
    const { request } = await send(false, 'GET', 'k')
    request.reply('+v\r\n')
    await until(() => told.length > 0)
    expect(fake.connections).to.have.length(2)
  })
})
