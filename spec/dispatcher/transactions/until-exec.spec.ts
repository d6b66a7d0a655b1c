/** Transactions that are kept until EXEC, as in a cluster, and those that are too large for that. */
import { expect } from 'chai'
import { TRANSACTION_KEPT_MAX } from '../../../lib/limits.ts'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import { type FakeCluster, startFakeCluster } from '../../support/fake-cluster.ts'
import { send } from '../../support/pipeline.ts'
import { GOOD } from '../../support/queueing-shard.ts'
import type { RawClient } from '../../support/raw-client.ts'

/** Of the first node. */
const KEY = 'hello'
const SET = `SET ${KEY} 1`

describe('UntilExec', () => {
  let cluster: FakeCluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient

  beforeEach(async () => {
    cluster = await startFakeCluster(2, GOOD)
    ambassador = await startAmbassadorForCluster(cluster.seeds)
    client = await ambassador.connect()
  })

  afterEach(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  it('sends nothing before EXEC, and then all of it', async () => {
    await send(client, 'MULTI', SET, SET)
    expect(cluster.asked(0)).to.deep.equal([])
    await send(client, 'EXEC')
    expect(cluster.asked(0)).to.deep.equal(['MULTI', SET, SET, 'EXEC'])
  })

  it('forgets what is watched when it is discarded', async () => {
    expect(await send(client, `WATCH ${KEY}`, 'MULTI', SET, 'DISCARD')).to.deep.equal([
      '+OK\r\n',
      '+OK\r\n',
      '+QUEUED\r\n',
      '+OK\r\n',
    ])
    await ambassador.quiet()
    expect(cluster.asked(0)).to.deep.equal([`WATCH ${KEY}`, 'UNWATCH'])
  })

  it('sends what is too large to be kept, and then each command as it comes', async () => {
    const all = Array.from({ length: TRANSACTION_KEPT_MAX + 2 }, () => SET)
    const answers = await send(client, 'MULTI', ...all)
    expect(new Set(answers.slice(1))).to.deep.equal(new Set(['+QUEUED\r\n']))
    expect(cluster.asked(0)).to.deep.equal(['MULTI', ...all])
    expect(await send(client, 'EXEC')).to.deep.equal(['*1\r\n+DONE\r\n'])
  })
})
