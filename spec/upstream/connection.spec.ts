import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
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
    client.write(Buffer.concat([encodeRequest('INCR', 'one'), encodeRequest('INCR', 'two')]))
    await inFlight(3)
    connection?.reset()
    const replies = await client.replies(3)
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
