/** What operators see of a Redis Cluster: pages, metrics, AMBASSADOR SHARDS. */
import { expect } from 'chai'
import { type Ambassador, startAmbassador } from '../../../lib/ambassador.ts'
import { configFor, SILENT } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { readExposition } from '../../support/exposition.ts'
import { http } from '../../support/http.ts'
import { connectRaw } from '../../support/raw-client.ts'
import { decodeFrames } from '../../support/redis-parser.ts'
import { until } from '../../support/until.ts'

describe('a cluster as operators see it', () => {
  let cluster: Cluster
  let ambassador: Ambassador
  const flags = () => ({
    shards: `redis+cluster://:hunter2@${cluster.addresses}`,
    adminListen: '127.0.0.1:0',
  })

  before(async () => {
    cluster = await startCluster({ replicas: 1, nodeTimeoutMs: 1500, password: 'hunter2' })
    ambassador = await startAmbassador(configFor([], flags()), SILENT)
  })
  after(async () => {
    await ambassador.stop()
    await cluster.stop()
  })

  async function page(path: string): Promise<string> {
    const address = ambassador.adminAddress
    const port = typeof address === 'object' ? address.port : 0
    const answer = await http({ port, path })
    expect(answer.body).to.not.include('hunter2')
    return answer.body
  }

  async function ask(...words: string[]): Promise<unknown> {
    const [address] = ambassador.addresses
    const client = await connectRaw(typeof address === 'object' ? address.port : 0)
    const [reply] = decodeFrames(await client.request(...words))
    await client.close()
    return reply
  }

  async function metric(name: string, labels: Readonly<Record<string, string>> = {}) {
    const family = readExposition(await page('/metrics')).get(`ambassador_cluster_${name}`)
    return family?.samples.find((sample) => {
      return Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
    })?.value
  }

  it('has slots, replicas and counts of its nodes', async () => {
    const { cluster: seen } = JSON.parse(await page('/stats'))
    const slots = seen.nodes.map((node: { slots: number }) => node.slots)
    expect(slots).to.have.members([5461, 5461, 5462])
    for (const { replicas } of seen.nodes) expect(replicas).to.have.length(1)
    expect(seen).to.include({ uncoveredSlots: 0, failovers: 0, resent: 0, waiting: 0 })
    expect(seen.refreshes.start).to.be.at.least(1)
    const [first] = await cluster.masters()
    expect(await metric('slots', { shard: first?.address ?? '' })).to.be.within(5461, 5462)
    expect(await metric('slots_uncovered')).to.equal(0)
    expect(await metric('config_epoch')).to.be.at.least(3)
  })

  it('is told with its seeds and without its password, and by slots', async () => {
    const config = JSON.parse(await page('/config'))
    expect(config.shards.list).to.deep.equal([])
    expect(config.cluster).to.deep.equal({
      address: `redis+cluster://${cluster.addresses}`,
      user: null,
      password: '***',
    })
    const route = JSON.parse(await page('/route?key=foo'))
    const owner = await cluster.ownerOfKey('foo')
    expect(route).to.include({ shard: owner.address, hash: 'crc16', hashValue: 12_182 })
    const shards = (await ask('AMBASSADOR', 'SHARDS')) as unknown[][]
    const told = shards.map((fields) => fields.map(String))
    expect(told.map((fields) => fields[1])).to.have.members(
      (await cluster.masters()).map(({ address }) => address),
    )
    for (const fields of told) expect(Number(fields[fields.indexOf('slots') + 1])).to.be.above(5000)
  })

  it('counts redirects, and what was sent again', async () => {
    const slot = await cluster.slotOf('foo')
    const from = await cluster.ownerOf(slot)
    const to = (await cluster.masters()).find((each) => each !== from)
    if (to === undefined) throw new Error('there is one master only')
    await cluster.moveSlot(slot, to)
    expect(String(await ask('SET', 'foo', 'bar'))).to.equal('OK')
    expect(await metric('redirects_total', { code: 'moved' })).to.equal(1)
    expect(await metric('resends_total')).to.equal(1)
    await until(async () => (await metric('refreshes_total', { cause: 'moved' })) === 1, 20)
  })

  it('counts failovers and how long they took, through a reload', async () => {
    await cluster.settled()
    const master = await cluster.ownerOf(0)
    const replicas = await cluster.replicasOf(master)
    await master.kill()
    await cluster.untilReplaced(master, replicas)
    await until(async () => (await metric('failovers_total')) === 1, 50)
    expect(await metric('failover_seconds_total')).to.be.above(0)
    ambassador.reload(configFor([], { ...flags(), requestTimeoutMs: '9000' }))
    expect(await metric('failovers_total')).to.equal(1)
    await master.start()
    await cluster.settled()
  })
})
