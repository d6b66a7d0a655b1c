/** Shards that all specs of a `describe` share, emptied before each. */
import { type AmbassadorUnderTest, type ShardsUnderTest, startShards } from './ambassador.ts'

/**
 * For a `describe`: starts so many Redis servers and an ambassador in front of them before its specs
 * and stops them after. Fails a spec that leaves something under way.
 */
export function shareShards(count: number): () => AmbassadorUnderTest {
  let shards: ShardsUnderTest

  before(async () => {
    shards = await startShards(count)
  })

  beforeEach(async () => {
    const client = await shards.ambassador.connect()
    await client.request('FLUSHALL')
    await client.close()
  })

  afterEach(() => shards.ambassador.quiet())
  after(() => shards.stop())
  return () => shards.ambassador
}
