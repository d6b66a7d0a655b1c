import { expect } from 'chai'
import type { Replication } from '../../lib/control/replication.ts'
import { lookAtReplicas, replicaFindings, type Told } from '../../lib/doctor/replicas.ts'
import { configFor } from '../support/ambassador.ts'
import { startFakeServer } from '../support/fake-replication.ts'

const MASTER: Replication = {
  isMaster: true,
  history: 'h',
  offset: 500,
  ailment: undefined,
  replicas: 1,
}
const WELL: Replication = { ...MASTER, isMaster: false, replicas: 0 }

function found(
  told: Readonly<Record<string, Told>>,
  readFrom: 'replica' | 'nearest' = 'nearest',
): string[] {
  const options = { readFrom, replicaMaxLagBytes: 100 }
  const findings = replicaFindings('a', options, MASTER, Object.entries(told))
  return findings.map(({ level, saw }) => `${level}: ${saw}`)
}

describe('what doctor finds of replicas', () => {
  it('is nothing to do when all can be read from', () => {
    expect(found({ 'r:1': WELL, 'r:2': { ...WELL, offset: 400 } })).to.deep.equal([
      'ok: 2 of 2 can be read from',
    ])
  })

  it('says which cannot, and why', () => {
    const all = {
      'r:1': WELL,
      'r:2': { ...WELL, offset: 399 },
      'r:3': { ...WELL, history: 'other' },
      'r:4': MASTER,
      'r:5': 'connect ECONNREFUSED',
      'r:6': { ...WELL, ailment: 'its link to the master is down' },
    }
    expect(found(all)).to.deep.equal([
      'ok: 1 of 6 can be read from',
      'note: nothing is read from r:2: it is 101 bytes behind, more than replicaMaxLagBytes (100)',
      'note: nothing is read from r:3: its master is not the one of this shard',
      'note: nothing is read from r:4: it is a master',
      'note: nothing is read from r:5: connect ECONNREFUSED',
      'note: nothing is read from r:6: its link to the master is down',
    ])
  })

  it('is a problem where only replicas may be read', () => {
    expect(found({})).to.deep.equal(['note: no replica is known, and readFrom is nearest'])
    expect(found({}, 'replica')).to.deep.equal([
      'problem: no replica is known, and readFrom is replica',
    ])
    expect(found({ 'r:1': MASTER }, 'replica').at(-1)).to.equal(
      'problem: none can be read from: reads fail',
    )
    expect(found({ 'r:1': MASTER }).at(-1)).to.equal(
      'note: none can be read from: all is read from the master',
    )
  })

  it('is asked of the servers themselves', async () => {
    const master = await startFakeServer('master', 'master', { offset: 500 })
    const replica = await startFakeServer('one', 'slave', { offset: 500, linkUp: false })
    try {
      const shard = `redis://127.0.0.1:${master.port}?replica=127.0.0.1:${replica.port}`
      const [pool] = configFor([shard], { readFrom: 'prefer-replica' }).pools
      const findings = await lookAtReplicas(pool.shards, pool)
      expect(findings.map(({ saw }) => saw)).to.deep.equal([
        `nothing is read from 127.0.0.1:${replica.port}: its link to the master is down`,
        'none can be read from: all is read from the master',
      ])
      const [off] = configFor([shard]).pools
      expect(await lookAtReplicas(off.shards, off)).to.deep.equal([])
    } finally {
      await master.stop()
      await replica.stop()
    }
  })
})
