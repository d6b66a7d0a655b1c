/** Transactions that shards queue: where they begin, and what ends them. */
import { expect } from 'chai'
import { type AmbassadorUnderTest, keysOn, startAmbassadorFor } from '../../support/ambassador.ts'
import { type FakeShard, startFakeShard } from '../../support/fake-shard.ts'
import { send } from '../../support/pipeline.ts'
import { GOOD } from '../../support/queueing-shard.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

const [[KEY_A = ''], [KEY_B = '']] = [keysOn(0, 2), keysOn(1, 2)]
const EXECABORT = '-EXECABORT Transaction discarded because of previous errors.\r\n'

describe('AtShards', () => {
  let a: FakeShard
  let b: FakeShard
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  beforeEach(async () => {
    a = await startFakeShard(GOOD)
    b = await startFakeShard(GOOD)
    ambassador = await startAmbassadorFor([a, b])
    client = await ambassador.connect()
  })

  afterEach(async () => {
    await ambassador.stop()
    await a.stop()
    await b.stop()
  })

  const asked = (shard: FakeShard) => shard.requests.map(({ text }) => text)

  it('begin at the shard of the first key, with what was kept until then', async () => {
    await send(client, 'MULTI', 'PUBLISH channel message', `SET ${KEY_B} 1`, 'EXEC')
    expect(asked(a)).to.deep.equal([])
    expect(asked(b)).to.deep.equal(['MULTI', 'PUBLISH channel message', `SET ${KEY_B} 1`, 'EXEC'])
  })

  it('refuse a key of another shard, and are discarded at EXEC', async () => {
    const answers = await send(client, 'MULTI', `SET ${KEY_A} 1`, `SET ${KEY_B} 1`, 'EXEC')
    expect(answers[2]).to.match(/^-CROSSSLOT/)
    expect(answers[3]).to.equal(EXECABORT)
    await ambassador.quiet()
    expect(asked(a)).to.deep.equal(['MULTI', `SET ${KEY_A} 1`, 'DISCARD'])
    expect(asked(b)).to.deep.equal([])
  })

  it('are discarded without a shard when their connection is lost', async () => {
    await send(client, 'MULTI', `SET ${KEY_A} 1`)
    a.requests[0]?.connection.reset()
    await until(() => ambassador.gauges.leases === 0)
    expect(await send(client, 'DISCARD', 'EXEC')).to.deep.equal([
      '+OK\r\n',
      '-ERR EXEC without MULTI\r\n',
    ])
    expect(asked(a)).to.deep.equal(['MULTI', `SET ${KEY_A} 1`])
  })
})
