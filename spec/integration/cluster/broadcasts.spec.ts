/** Commands for all masters, and WATCH, while a master is away: they wait for its heir, as others do. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { startFakeCluster } from '../../support/fake-cluster.ts'
import type { FakeShard } from '../../support/fake-shard.ts'
import { encodeRequest } from '../../support/frames.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

/** Of node 1 of two that share the slots. */
const ON_SECOND = 'foo'

async function pipelined(
  client: RawClient,
  ...requests: readonly (readonly string[])[]
): Promise<string[]> {
  client.write(Buffer.concat(requests.map((words) => encodeRequest(...words))))
  const replies = await Promise.all(requests.map(() => client.reply()))
  return replies.map(String)
}

describe('commands for all masters', () => {
  describe('of which one has died', () => {
    let cluster: Cluster
    let ambassador: AmbassadorUnderTest
    let client: RawClient
    let victim: ClusterServer
    let key: string

    before(async () => {
      cluster = await startCluster({ masters: 3, replicas: 1, nodeTimeoutMs: 1500 })
    })

    beforeEach(async () => {
      await cluster.settled()
      ambassador = await startAmbassadorForCluster(cluster.addresses, { requestTimeoutMs: '10000' })
      client = await ambassador.connect()
      victim = await masterWithHeir()
      key = await cluster.keyOn(victim)
      await client.request('SET', key, '1')
      await victim.kill('SIGKILL')
      await until(async () => {
        return (await client.request('AMBASSADOR', 'SHARDS')).toString().includes('down')
      })
    })

    /** An heir of the spec before has none itself. */
    async function masterWithHeir(): Promise<ClusterServer> {
      for (const master of await cluster.masters()) {
        if ((await cluster.replicasOf(master)).length > 0) return master
      }
      throw new Error('no master has a replica')
    }

    afterEach(async () => {
      await ambassador.stop()
    })

    after(async () => {
      await cluster.stop()
    })

    it('wait for its heir, and the later requests of their client wait behind them (row 102)', async () => {
      const script = 'return 1'
      const replies = await pipelined(
        client,
        ['FLUSHALL'],
        ['SET', key, 'new'],
        ['DBSIZE'],
        ['KEYS', '*'],
        ['SCRIPT', 'LOAD', script],
        ['GET', key],
      )
      const [flushed, set, size, keys, loaded, value] = replies
      expect([flushed, set, size]).to.deep.equal(['+OK\r\n', '+OK\r\n', ':1\r\n'])
      expect(keys).to.contain(key)
      expect(loaded).to.match(/^\$40\r\n/)
      expect(value).to.contain('new')
    })

    it('and WATCH wait for it alike', async () => {
      const replies = await pipelined(
        client,
        ['WATCH', key],
        ['MULTI'],
        ['SET', key, 'watched'],
        ['EXEC'],
      )
      expect(replies).to.deep.equal(['+OK\r\n', '+OK\r\n', '+QUEUED\r\n', '*1\r\n+OK\r\n'])
    })
  })

  it('are refused when none comes in time', async () => {
    const cluster = await startFakeCluster(2, () => ':1\r\n')
    const ambassador = await startAmbassadorForCluster(cluster.seeds, { requestTimeoutMs: '300' })
    const client = await ambassador.connect()
    expect((await client.request('DBSIZE')).toString()).to.equal(':2\r\n')
    await cluster.nodes[1]?.shard.stop()
    const gone = /^-ERR ambassador: shard \S+ unavailable \(not sent\)\r\n$/
    await until(async () => gone.test((await client.request('GET', ON_SECOND)).toString()))
    expect((await client.request('DBSIZE')).toString()).to.match(gone)
    expect((await client.request('WATCH', ON_SECOND)).toString()).to.match(gone)
    await ambassador.stop()
    await cluster.stop()
  })

  it('and WATCH gets another connection where the first cannot be made', async () => {
    const cluster = await startFakeCluster(2, () => '+OK\r\n')
    const ambassador = await startAmbassadorForCluster(cluster.seeds)
    const client = await ambassador.connect()
    await client.request('GET', ON_SECOND)
    const shard = cluster.nodes[1]?.shard as FakeShard
    const before = shard.connections.length
    client.write(encodeRequest('WATCH', ON_SECOND))
    const dying = await shard.connection(before + 1)
    dying.reset()
    expect((await client.reply()).toString()).to.equal('+OK\r\n')
    expect(cluster.asked(1).filter((text) => text.startsWith('WATCH'))).to.have.length(1)
    await ambassador.stop()
    await cluster.stop()
  })

  it('are sent again to a master that has refused them, and nothing overtakes them', async () => {
    let refusals = 3
    const cluster = await startFakeCluster(2, ({ text }, node) => {
      const refuses = text === 'FLUSHALL' && node === cluster.nodes[1] && refusals-- > 0
      return refuses ? "-READONLY You can't write against a read only replica.\r\n" : '+OK\r\n'
    })
    const ambassador = await startAmbassadorForCluster(cluster.seeds)
    const client = await ambassador.connect()
    const replies = await pipelined(client, ['FLUSHALL'], ['SET', ON_SECOND, '1'])
    expect(replies).to.deep.equal(['+OK\r\n', '+OK\r\n'])
    const asked = cluster.asked(1).filter((text) => /^(?:FLUSHALL|SET)/.test(text))
    expect(asked).to.deep.equal([...Array(4).fill('FLUSHALL'), `SET ${ON_SECOND} 1`])
    expect(cluster.asked(0).filter((text) => text === 'FLUSHALL')).to.have.length(1)
    await ambassador.stop()
    await cluster.stop()
  })
})
