import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import { Turn } from '../../lib/io/turn.ts'
import { Latencies } from '../../lib/stats/latencies.ts'
import { ShardStats } from '../../lib/stats/shard-stats.ts'
import { ShardConnection } from '../../lib/upstream/connection.ts'
import { handshake } from '../../lib/upstream/handshake.ts'
import type { ReplySink } from '../../lib/upstream/reply-sink.ts'
import { shardErrors } from '../../lib/upstream/shard-errors.ts'
import { startAmbassadorFor } from '../support/ambassador.ts'
import { startFakeShard } from '../support/fake-shard.ts'
import { encodeRequest } from '../support/frames.ts'

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
      while (ambassador.gauges.inFlight < count) await nextTurn()
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

describe('ShardConnection.renew', () => {
  it('answers what was sent, and sends what comes meanwhile over the next connection', async () => {
    const shard = await startFakeShard(() => undefined)
    const turn = new Turn()
    const connection = new ShardConnection({
      address: { host: '127.0.0.1', port: shard.port },
      handshake: handshake({
        protocol: 2,
        database: 0,
        username: undefined,
        password: undefined,
        clientId: false,
      }),
      errors: shardErrors('a'),
      connectTimeoutMs: 5000,
      requestTimeoutMs: Number.POSITIVE_INFINITY,
      turn,
      stats: new ShardStats(),
      latencies: new Latencies(turn),
      reconnect: true,
      onStateChange: () => {},
    })
    connection.connect()
    await new Promise<void>((resolve) => connection.onceSettled(() => resolve()))
    const replies: string[] = []
    const sink: ReplySink = {
      reply: (_tag, bytes, start, end) => replies.push(bytes.toString('latin1', start, end)),
      failed: (_tag, { frame }) => replies.push(frame.toString('latin1')),
    }
    const send = (request: Buffer): void => {
      connection.send(sink, 0, request, 0, request.length, false)
    }
    send(encodeRequest('GET', 'before'))
    const before = await shard.nextRequest()
    connection.renew()
    send(encodeRequest('GET', 'after'))
    before.reply('+old\r\n')
    const after = await shard.nextRequest()
    expect(after.connection).to.not.equal(before.connection)
    after.reply('+new\r\n')
    while (replies.length < 2) await nextTurn()
    expect(replies).to.deep.equal(['+old\r\n', '+new\r\n'])
    connection.close()
    await shard.stop()
  })
})
