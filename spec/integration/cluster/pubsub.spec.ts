/** Publish and subscribe over a real cluster: every message once, and shard channels wherever their slots are. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

describe('messages in a cluster', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest
  let subscriber: RawClient
  let client: RawClient

  before(async () => {
    cluster = await startCluster({ masters: 3 })
    for (const server of cluster.servers) {
      await server.ask('CONFIG', 'SET', 'notify-keyspace-events', 'K$')
    }
  })

  after(() => cluster.stop())

  beforeEach(async () => {
    ambassador = await startAmbassadorForCluster(cluster.addresses)
    subscriber = await ambassador.connect()
    client = await ambassador.connect()
  })

  afterEach(() => ambassador.stop())

  async function ask(...words: string[]): Promise<string> {
    return (await client.request(...words)).toString()
  }

  it('come once, on whichever node they were published', async () => {
    await subscriber.request('SUBSCRIBE', 'news')
    await subscriber.request('PSUBSCRIBE', 'new*')
    for (const server of cluster.servers) await server.ask('PUBLISH', 'news', server.address)
    expect(await ask('PUBLISH', 'news', 'last')).to.equal(':2\r\n')
    const messages: string[] = []
    while (!messages.some((text) => text.startsWith('*4') && text.includes('last'))) {
      messages.push((await subscriber.reply()).toString())
    }
    expect(messages).to.have.length(8)
  })

  it('of keys come from all nodes, also through a pattern for everything', async () => {
    await subscriber.request('PSUBSCRIBE', '__keyspace@0__:key:*')
    const all = await ambassador.connect()
    await all.request('PSUBSCRIBE', '*')
    const keys = await Promise.all(cluster.servers.map((server) => cluster.keyOn(server)))
    for (const key of keys) await ask('SET', key, '1')
    await ask('PUBLISH', 'other', 'x')
    // Each node has a connection of its own: between nodes there is no order.
    const events = (await subscriber.replies(keys.length)).map(String)
    for (const key of keys) {
      expect(events.filter((text) => text.includes(`__keyspace@0__:${key}\r\n`))).to.have.length(1)
    }
    const seen = [await all.reply(), await all.reply(), await all.reply(), await all.reply()]
    const texts = seen.map((frame) => frame.toString())
    for (const key of keys)
      expect(texts.filter((text) => text.includes(`:${key}\r\n`))).to.have.length(1)
    expect(texts.filter((text) => text.includes('other'))).to.have.length(1)
  })

  it('of shard channels are heard wherever their slots are', async () => {
    for (const name of ['{a}', '{b}', '{c}', '{d}', '{e}']) {
      await subscriber.request('SSUBSCRIBE', name)
      expect(await ask('SPUBLISH', name, 'x')).to.equal(':1\r\n')
      expect((await subscriber.reply()).toString()).to.contain('smessage')
    }
  })

  it('of a shard channel come from the new owner when its slot has moved, and no client is closed', async () => {
    const slot = await cluster.slotOf('{a}')
    await subscriber.request('SSUBSCRIBE', '{a}')
    const channels = await ambassador.connect()
    await channels.request('SUBSCRIBE', 'news')
    for (let move = 0; move < 3; move++) {
      const owner = await cluster.ownerOf(slot)
      const to = cluster.servers.find((server) => server !== owner) as ClusterServer
      // Nobody sends anything for this slot: the node itself says that the channel is gone.
      await cluster.moveSlot(slot, to)
      await cluster.settled()
      await until(async () => Number(await to.ask('SPUBLISH', '{a}', `${move}`)) > 0)
      expect((await subscriber.reply()).toString()).to.contain(
        `smessage\r\n$3\r\n{a}\r\n$1\r\n${move}`,
      )
    }
    await ask('PUBLISH', 'news', 'x')
    expect((await channels.reply()).toString()).to.contain('news')
    expect((await subscriber.request('SUNSUBSCRIBE', '{a}')).toString()).to.contain('sunsubscribe')
  })
})
