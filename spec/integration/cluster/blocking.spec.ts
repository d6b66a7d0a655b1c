/** Clients that are blocked on a slot of a real cluster, while it moves and its master fails over. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { CROSSSLOT_LINE } from '../../support/crossslot.ts'
import { type FakeCluster, type FakeNode, startFakeCluster } from '../../support/fake-cluster.ts'
import type { FakeRequest } from '../../support/fake-shard.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

const KEY = '{block}list'

describe('clients blocked on a slot that moves', () => {
  let cluster: Cluster
  let ambassador: AmbassadorUnderTest
  let client: RawClient
  let other: RawClient
  let slot: number

  before(async () => {
    cluster = await startCluster({ masters: 3, replicas: 1 })
    slot = await cluster.slotOf('{block}')
  })

  after(() => cluster.stop())

  beforeEach(async () => {
    ambassador = await startAmbassadorForCluster(cluster.addresses)
    client = await ambassador.connect()
    other = await ambassador.connect()
  })

  afterEach(() => ambassador.stop())

  async function elsewhere(): Promise<ClusterServer> {
    await cluster.settled()
    const owner = await cluster.ownerOf(slot)
    return (await cluster.masters()).find((each) => each !== owner) as ClusterServer
  }

  /** A client waits at this server. */
  async function isBlockedAt(server: ClusterServer): Promise<void> {
    await until(async () => (await server.text('INFO', 'clients')).includes('blocked_clients:1'))
  }

  it('wait for one slot only, and are told what helps', async () => {
    const blocks = ['BLMOVE', KEY, 'another', 'LEFT', 'LEFT', '0']
    expect(String(await client.request(...blocks))).to.equal(CROSSSLOT_LINE)
  })

  const POPPED = `*2\r\n$${KEY.length}\r\n${KEY}\r\n$1\r\nx\r\n`

  it('wait on at the new owner', async () => {
    const reply = client.request('BLPOP', KEY, '0')
    await isBlockedAt(await cluster.ownerOf(slot))
    const to = await elsewhere()
    await cluster.moveSlot(slot, to)
    await isBlockedAt(to)
    await other.request('RPUSH', KEY, 'x')
    expect((await reply).toString()).to.equal(POPPED)
  })

  it('wait at the importing node while the slot is open', async () => {
    const open = await cluster.openSlot(slot, await elsewhere())
    const reply = client.request('BLPOP', KEY, '0')
    await isBlockedAt(open.to)
    await other.request('RPUSH', KEY, 'x')
    expect((await reply).toString()).to.equal(POPPED)
    await open.finish()
  })

  it('wait no longer than they said, wherever', async () => {
    const reply = client.request('BLPOP', KEY, '1')
    await isBlockedAt(await cluster.ownerOf(slot))
    await cluster.moveSlot(slot, await elsewhere())
    expect((await reply).toString()).to.equal('*-1\r\n')
  })

  it('wait on at the heir of a master', async () => {
    await cluster.settled()
    const reply = client.request('BLMOVE', KEY, '{block}other', 'LEFT', 'RIGHT', '0')
    const owner = await cluster.ownerOf(slot)
    await isBlockedAt(owner)
    const heir = await cluster.failOver(owner)
    await isBlockedAt(heir)
    await other.request('RPUSH', KEY, 'x')
    expect((await reply).toString()).to.equal('$1\r\nx\r\n')
  })

  it('are unblocked by CLIENT UNBLOCK', async () => {
    await cluster.settled()
    const id = (await client.request('CLIENT', 'ID')).toString().slice(1).trim()
    const reply = client.request('BLPOP', KEY, '0')
    await isBlockedAt(await cluster.ownerOf(slot))
    expect((await other.request('CLIENT', 'UNBLOCK', id)).toString()).to.equal(':1\r\n')
    expect((await reply).toString()).to.equal('*-1\r\n')
  })

  it('are forgotten when they leave', async () => {
    await cluster.settled()
    client.write('*3\r\n$5\r\nBLPOP\r\n$11\r\n{block}list\r\n$1\r\n0\r\n')
    const owner = await cluster.ownerOf(slot)
    await isBlockedAt(owner)
    await client.close()
    await until(async () => (await owner.text('INFO', 'clients')).includes('blocked_clients:0'))
  })
})

describe('clients blocked at a master that hands over and says nothing', () => {
  /** Slot 866, of the first node. */
  const LIST = 'hello'
  const POPPED = '*2\r\n$5\r\nhello\r\n$1\r\nx\r\n'
  let cluster: FakeCluster
  let ambassador: AmbassadorUnderTest
  let waits: FakeRequest[]

  beforeEach(async () => {
    waits = []
    cluster = await startFakeCluster(2, (request) => {
      if (!request.text.startsWith('BLPOP')) return '+OK\r\n'
      waits.push(request)
      return undefined
    })
    await cluster.addReplica(0)
    ambassador = await startAmbassadorForCluster(cluster.seeds, { topologyRefreshMs: '1000' })
  })

  afterEach(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  async function block(): Promise<{ readonly reply: Promise<Buffer>; readonly at: FakeRequest }> {
    const client = await ambassador.connect()
    const reply = client.request('BLPOP', LIST, '0')
    await until(() => waits.length > 0)
    return { reply, at: waits[0] as FakeRequest }
  }

  it('wait on at its heir', async () => {
    const { reply, at } = await block()
    cluster.promote(0)
    await until(() => waits.length > 1)
    expect(at.connection.socket.readableEnded).to.equal(true)
    waits[1]?.reply(POPPED)
    expect(String(await reply)).to.equal(POPPED)
    expect(waits).to.have.length(2)
  })

  it('get what it had popped for them, and nothing from its heir', async () => {
    const { reply, at } = await block()
    // On its way when our FIN comes.
    at.connection.socket.prependListener('end', () => at.reply(POPPED))
    cluster.promote(0)
    expect(String(await reply)).to.equal(POPPED)
    expect(waits).to.have.length(1)
  })

  it('are told that it may have executed when it does not end the wait', async () => {
    const { reply, at } = await block()
    // It hangs, and what it has popped for them is not known.
    at.connection.socket.removeAllListeners('end')
    cluster.promote(0)
    expect(String(await reply)).to.contain('(may have executed)')
    expect(waits).to.have.length(1)
  })

  it('are told that it may have executed when the nodes call it failed', async () => {
    const { reply } = await block()
    cluster.failed.add(cluster.nodes[0] as FakeNode)
    cluster.promote(0)
    expect(String(await reply)).to.contain('(may have executed)')
    expect(waits).to.have.length(1)
  })
})
