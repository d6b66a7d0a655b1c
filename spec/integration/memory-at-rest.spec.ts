/** What a process holds that has nothing to do, beside a Node of the same version that does nothing at all. */
import { residentBytesOf, startAmbassadorProcess } from '../support/ambassador-process.ts'
import { startChild } from '../support/child.ts'
import { type RedisServer, startRedis } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

/** What keeps it from creeping back: it was 2.4 to 2.7 before memory was given back at rest, and is 1.7 to 1.9. */
const TIMES_BARE_MAX = 2
/** So much less than the most that it has held: it has collected. */
const GIVEN_BACK_BYTES = 5 * 1024 * 1024
const LOOK_AGAIN_MS = 200

describe('memory at rest', () => {
  let shards: RedisServer[]

  before(async () => {
    shards = await Promise.all([startRedis(), startRedis(), startRedis()])
  })

  after(async () => {
    for (const shard of shards) await shard.stop()
  })

  it(`is at most ${TIMES_BARE_MAX} times that of bare Node`, async function () {
    // It collects when it has had little to do, which on a busy machine comes late.
    this.timeout(60_000)
    const bare = await startChild({
      command: process.execPath,
      args: ['-e', 'setInterval(() => {}, 1e6); console.log("up")'],
      env: { PATH: process.env['PATH'] },
      ready: { log: 'up' },
    })
    const ambassador = await startAmbassadorProcess(shards)
    const times = () => ambassador.residentBytes() / residentBytesOf(bare.pid)
    const givenBack = () => ambassador.mostResidentBytes() - ambassador.residentBytes()
    await until(() => givenBack() > GIVEN_BACK_BYTES && times() <= TIMES_BARE_MAX, LOOK_AGAIN_MS)
    await ambassador.child.kill()
    await bare.kill()
  })
})
