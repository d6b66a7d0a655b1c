import { expect } from 'chai'
import { keysOn, startAmbassadorFor } from '../support/ambassador.ts'
import { connectRaw } from '../support/raw-client.ts'
import { startRedis } from '../support/redis-server.ts'

describe('ejection', () => {
  it('gives the keys of a dead shard to the others, and back when it answers (row 52)', async () => {
    const redises = [await startRedis(), await startRedis()]
    const [, second] = redises
    const ambassador = await startAmbassadorFor(redises, {
      ejectShards: 'yes',
      ejectAfterFailures: '1',
      ejectRetryMs: '50',
    })
    const client = await ambassador.connect()
    const [key = ''] = keysOn(1, 2)
    expect((await client.request('SET', key, 'there')).toString()).to.equal('+OK\r\n')
    await second?.kill()
    while ((await client.request('SET', key, 'elsewhere')).toString() !== '+OK\r\n');
    const first = await connectRaw(redises[0]?.port ?? 0)
    expect((await first.request('GET', key)).toString()).to.equal('$9\r\nelsewhere\r\n')
    await second?.restart()
    // The shard is empty now: as soon as its key is its own again, the value is gone.
    while ((await client.request('GET', key)).toString() !== '$-1\r\n');
    await first.close()
    await ambassador.stop()
    for (const redis of redises) await redis.stop()
  })

  it('does not happen unless it is asked for', async () => {
    const redises = [await startRedis(), await startRedis()]
    const ambassador = await startAmbassadorFor(redises)
    const client = await ambassador.connect()
    const [key = ''] = keysOn(1, 2)
    await client.request('SET', key, 'there')
    await redises[1]?.kill()
    for (let i = 0; i < 20; i++) {
      expect((await client.request('SET', key, 'x')).toString()).to.match(
        /^-ERR ambassador: shard b /,
      )
    }
    await ambassador.stop()
    for (const redis of redises) await redis.stop()
  })
})
