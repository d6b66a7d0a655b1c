/** The clusters that other specs build on. @needs redis-server */
import { expect } from 'chai'
import { type Cluster, startCluster } from './cluster.ts'

describe('spec/support: a cluster', () => {
  let cluster: Cluster

  before(async () => {
    cluster = await startCluster({ replicas: 1, nodeTimeoutMs: 1500, password: 'secret' })
  })
  after(() => cluster.stop())

  it('has its slots on its masters, and a replica for each', async () => {
    const masters = await cluster.masters()
    expect(masters).to.have.members(cluster.servers.slice(0, 3))
    for (const master of masters) expect(await cluster.replicasOf(master)).to.have.length(1)
    expect(await cluster.ownerOf(0)).to.equal(cluster.servers[0])
    expect(await cluster.ownerOf(16_383)).to.equal(cluster.servers[2])
  })

  it('moves a slot with its keys, and can stop half way', async () => {
    const slot = await cluster.slotOf('{move}')
    const from = await cluster.ownerOf(slot)
    const to = (await cluster.masters()).find((each) => each !== from)
    if (to === undefined) throw new Error('there is one master only')
    for (const name of ['a', 'b', 'c']) await from.ask('SET', `{move}${name}`, name)
    const open = await cluster.openSlot(slot, to)
    await open.moveKeys(1)
    const left = await from.text('CLUSTER', 'COUNTKEYSINSLOT', String(slot))
    expect(left).to.equal('2')
    await open.finish()
    expect(await to.text('CLUSTER', 'COUNTKEYSINSLOT', String(slot))).to.equal('3')
    await cluster.settled()
    expect(await cluster.ownerOf(slot)).to.equal(to)
    const key = await cluster.keyOn(to)
    expect(await to.text('SET', key, 'x')).to.equal('OK')
  })

  it('hands a master over to its replica', async () => {
    const [master] = await cluster.masters()
    if (master === undefined) throw new Error('there is no master')
    const heir = await cluster.failOver(master)
    await cluster.settled()
    expect(await cluster.replicasOf(heir)).to.deep.equal([master])
  })

  it('replaces a master that is killed, and takes it back as a replica', async () => {
    const [master] = await cluster.masters()
    if (master === undefined) throw new Error('there is no master')
    const replicas = await cluster.replicasOf(master)
    await master.kill()
    const heir = await cluster.untilReplaced(master, replicas)
    await master.start()
    await cluster.settled()
    expect(await cluster.replicasOf(heir)).to.deep.equal([master])
  })

  it('grows by a master and shrinks again', async () => {
    const [first] = await cluster.masters()
    if (first === undefined) throw new Error('there is no master')
    const joined = await cluster.addMaster()
    const slot = await cluster.slotOf('{move}')
    await cluster.moveSlots(slot, slot + 3, joined)
    await cluster.settled()
    expect(await cluster.masters()).to.include(joined)
    expect(await joined.text('GET', '{move}a')).to.equal('a')
    await cluster.removeMaster(joined, first)
    await cluster.settled()
    expect(await cluster.masters()).to.have.length(3)
    expect(await first.text('GET', '{move}a')).to.equal('a')
  })
})
