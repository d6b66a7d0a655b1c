/** What clients hear through several shards, held against what one Redis says to the same requests. */
import { expect } from 'chai'
import { send } from './pipeline.ts'
import { connectRaw } from './raw-client.ts'
import { type RedisServer, startRedis } from './redis-server.ts'
import type { Shared, TopologyUnderTest } from './shared-shards.ts'

/** For a `describe`: a spec for each conversation and protocol, with a Redis of their own that is emptied before each. */
export function sayWhatOneRedisSays(
  shards: Shared<TopologyUnderTest>,
  conversations: Readonly<Record<string, readonly string[]>>,
): void {
  let alone: RedisServer

  before(async () => {
    alone = await startRedis()
  })

  after(() => alone.stop())

  for (const protocol of [2, 3] as const) {
    for (const [what, lines] of Object.entries(conversations)) {
      it(`${what}: as one Redis says it, in RESP${protocol}`, async () => {
        const plain = await connectRaw(alone.port)
        await plain.request('FLUSHALL')
        await plain.request('HELLO', `${protocol}`)
        const expected = await send(plain, ...lines)
        await plain.close()
        const client = await shards.ambassador.connect(protocol)
        expect(await send(client, ...lines)).to.deep.equal(expected)
      })
    }
  }
}
