/** The doctor in front of a real Redis Cluster; holds doctor/cluster/ and control/cluster/first-map.ts. */
import { expect } from 'chai'
import { loadConfig } from '../../../lib/config/sources/load.ts'
import { examine } from '../../../lib/doctor/doctor.ts'
import type { Finding } from '../../../lib/doctor/finding.ts'
import { configFor } from '../../support/ambassador.ts'
import { type Cluster, startCluster } from '../../support/cluster.ts'
import { freePort } from '../../support/ports.ts'
import { startRedis } from '../../support/redis-server.ts'

describe('doctor in front of a Redis Cluster', () => {
  let cluster: Cluster

  before(async () => {
    const serverArgs = ['--cluster-require-full-coverage', 'no']
    cluster = await startCluster({
      replicas: 1,
      nodeTimeoutMs: 1500,
      password: 'secret',
      serverArgs,
    })
  })
  after(() => cluster.stop())

  async function findings(list: string, flags: Readonly<Record<string, string>> = {}) {
    const nowhere = { environmentDirectory: '/nonexistent', namespaceFile: '/nonexistent' }
    const { pools } = loadConfig({ env: {}, flags: { ...nowhere, ...flags, shards: list } })
    return examine(pools[0], [])
  }

  async function seen(
    list = `redis+cluster://:secret@${cluster.addresses}`,
    flags: Readonly<Record<string, string>> = { requestTimeoutMs: '4000' },
  ): Promise<string[]> {
    const found = (await findings(list, flags)).filter(isBad)
    for (const { advice } of found) expect(advice).to.match(/[.?]$/)
    return found.map(({ level, check, saw }) => `${level} ${check}: ${saw}`)
  }

  it('finds nothing to complain about where nothing is wrong', async () => {
    expect(await seen()).to.deep.equal([])
    const found = await findings(`redis+cluster://:secret@${cluster.addresses}`)
    const saw = found.filter(({ check }) => check === 'cluster').map((each) => each.saw)
    expect(saw[0]).to.equal('3 masters have all 16384 slots')
    expect(found.filter(({ check }) => check === 'reach')).to.have.length(3)
  })

  it('compares the time that a failover takes with that of a request', async () => {
    expect(await seen(undefined, { requestTimeoutMs: '1000' })).to.deep.equal([
      'note cluster: with cluster-node-timeout 1500 a failover takes up to 3250 ms, and a request may take 1000 ms',
    ])
  })

  it('says what cluster-require-full-coverage does', async () => {
    for (const server of cluster.servers) {
      await server.ask('CONFIG', 'SET', 'cluster-require-full-coverage', 'yes')
    }
    expect(await seen()).to.deep.equal([
      'note cluster: cluster-require-full-coverage is yes: while one master is away, no key is served',
    ])
    for (const server of cluster.servers) {
      await server.ask('CONFIG', 'SET', 'cluster-require-full-coverage', 'no')
    }
  })

  it('sees slots on their way', async () => {
    const [from, to] = await cluster.masters()
    if (from === undefined || to === undefined) throw new Error('there are no masters')
    const [slot] = [0]
    const open = await cluster.openSlot(slot, to === (await cluster.ownerOf(slot)) ? from : to)
    const about = (await seen()).join('\n')
    expect(about).to.match(/^note cluster: 1 slots are on their way from or to it$/m)
    await open.abandon()
  })

  it('sees seeds that are away, and what is behind no address from here', async () => {
    const [first, second] = await cluster.masters()
    const port = await freePort()
    const flags = {
      requestTimeoutMs: '4000',
      addressMap: `${first?.address}=127.0.0.1:${port}`,
    }
    const list = `redis+cluster://:secret@127.0.0.1:${port},${second?.address}`
    const about = await seen(list, flags)
    expect(about).to.have.length(3)
    expect(about[0]).to.match(/^note cluster: seeds that do not answer: .*ECONNREFUSED/)
    expect(about[1]).to.match(/^problem cluster: a master cannot be asked from here/)
    expect(about[2]).to.match(/^problem reach: .* refuses connections/)
  })

  it('tells a password that is wrong from a server that is no cluster', async () => {
    const [wrong] = await seen(`redis+cluster://:hunter2@${cluster.addresses}`)
    expect(wrong).to.match(/^problem cluster: no seed answers: .*(?:WRONGPASS|NOAUTH)/)
    expect(wrong).to.not.include('hunter2')
    const plain = await startRedis()
    const found = await seen(`redis+cluster://127.0.0.1:${plain.port}`)
    expect(found.join()).to.match(/^problem cluster: no seed is a node of a Redis Cluster/)
    await plain.stop()
  })

  it('says of a node in a list of shards how the cluster is written', async () => {
    const [node] = cluster.servers
    const found = await examine(configFor([`redis://:secret@${node?.address}`]).pools[0], [1])
    const [mode] = found.filter(({ check }) => check === 'mode')
    expect(mode?.saw).to.include('runs in cluster mode')
    expect(mode?.advice).to.include('redis+cluster://host:port')
  })

  it('sees slots without an owner, and masters without a replica', async () => {
    const lonely = await startCluster({
      masters: 1,
      serverArgs: ['--cluster-require-full-coverage', 'no'],
    })
    await lonely.servers[0]?.ask('CLUSTER', 'DELSLOTS', '5', '6')
    const about = await seen(`redis+cluster://${lonely.addresses}`, { requestTimeoutMs: '0' })
    expect(about).to.deep.equal([
      'problem cluster: 2 of 16384 slots have no owner: requests for their keys fail',
      `note cluster: masters without a replica: ${lonely.addresses}`,
    ])
    await lonely.stop()
  })
})

function isBad({ level }: Finding): boolean {
  return level !== 'ok'
}
