/** What the commands say of a Redis Cluster: `check`, `route` and `doctor` in front of a real one. */
import { expect } from 'chai'
import { runBin } from '../support/bin.ts'
import { type Cluster, startCluster } from '../support/cluster.ts'
import { freePort } from '../support/ports.ts'

describe('commands in front of a Redis Cluster', () => {
  let cluster: Cluster
  let env: NodeJS.ProcessEnv

  before(async () => {
    cluster = await startCluster({ replicas: 1, password: 'hunter2' })
    env = { AMBASSADOR_SHARDS: `redis+cluster://:hunter2@${cluster.addresses}` }
  })
  after(() => cluster.stop())

  it('check shows its seeds, and what a ring has is not there', async () => {
    const { code, stdout } = await runBin(['check'], env)
    expect(code).to.equal(0)
    expect(stdout).to.include(`redis+cluster://${cluster.addresses}`)
    expect(stdout).to.include('(from AMBASSADOR_SHARDS)')
    expect(stdout).to.not.match(/hunter2|weight|share/)
  })

  it('route tells slot, node and replicas', async () => {
    const { stdout } = await runBin(['route', 'foo', '{user}:1'], env)
    const owner = await cluster.ownerOf(12_182)
    const [replica] = await cluster.replicasOf(owner)
    const [header, first, second] = stdout.split('\n').map((line) => line.trim().split(/ {2,}/))
    expect(header).to.deep.equal(['key', 'node', 'replicas', 'hashed', 'slot'])
    expect(first).to.deep.equal(['foo', owner.address, replica?.address, 'foo', '12182'])
    expect(second?.slice(3)).to.deep.equal(['user', '5474'])
  })

  it('route tells the slot when no node answers, and says so', async () => {
    const nowhere = `redis+cluster://127.0.0.1:${await freePort()}`
    const { code, stdout } = await runBin(['route', 'foo'], { AMBASSADOR_SHARDS: nowhere })
    expect(code).to.equal(0)
    expect(stdout).to.match(/^foo +- +- +foo +12182$/m)
    expect(stdout).to.match(/^note: no node of the cluster answers: .*ECONNREFUSED/m)
  })

  it('doctor says what it is and how it is', async () => {
    const { stdout } = await runBin(['doctor'], env)
    expect(stdout).to.match(/^ok +config +environment .*; a Redis Cluster from AMBASSADOR_SHARDS$/m)
    expect(stdout).to.match(/^ok +cluster +3 masters have all 16384 slots$/m)
    expect(stdout).to.not.include('hunter2')
  })
})
