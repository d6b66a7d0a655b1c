/** No read of a cluster's keys is older than it may be, while slots move and replicas take over. */
import { expect } from 'chai'
import { ClusterHistory } from '../../support/near-cache/cluster-history.ts'

const SEED = Number(process.env['SEED'] ?? Date.now() % 1e6)

describe('history of reads through near-caches over a cluster', () => {
  it('has no lie while slots move and replicas take over', async () => {
    const history = new ClusterHistory({ seed: SEED, reads: 10_000, moves: 8, staleMs: 400 })
    await history.run()
    expect(history.lies.slice(0, 5), `SEED=${SEED}`).to.deep.equal([])
    expect(history.hits).to.be.greaterThan(0)
    expect(history.writes).to.be.greaterThan(30)
  })
})
