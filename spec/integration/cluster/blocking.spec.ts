/** Clients that are blocked on a slot of a real cluster, while it moves and its master fails over. */
import { expect } from 'chai'
import type { AmbassadorUnderTest } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { startAmbassadorForCluster } from '../../support/cluster-ambassador.ts'
import type { ClusterServer } from '../../support/cluster-server.ts'
import { CROSSSLOT_LINE } from '../../support/crossslot.ts'
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
    expect(String(await client.request('BLPOP', KEY, 'another', '0'))).to.equal(CROSSSLOT_LINE)
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
