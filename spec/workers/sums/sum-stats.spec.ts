import { expect } from 'chai'
import type { Statistics } from '../../../lib/workers/messages.ts'
import { countsOfStats, sumStats } from '../../../lib/workers/sums/sum-stats.ts'

/** What a worker tells of which everything countable is `n`. */
function statsOf(n: number): Statistics {
  const errors = { unavailable: n, lost: n, timedOut: n, overloaded: n, shard: n }
  const quantiles = { p50: n, p99: n, p999: n, max: n }
  return {
    version: '1',
    environment: { name: 'test', source: 'spec' },
    notes: [],
    startedAt: '2026-12-01T00:00:00.000Z',
    uptimeSeconds: n,
    ready: true,
    draining: false,
    clientsMax: 100,
    ...{ clients: n, inFlight: n, leases: n, topics: n, lanes: n, requests: n, pauses: n },
    errors: { ...errors, refused: n },
    bytes: { fromClients: n, toClients: n, toShards: n, fromShards: n },
    reloads: { succeeded: 0, failed: 0 },
    window: {
      ...{ seconds: n, requestsPerSecond: n, errorsPerSecond: n },
      latencySeconds: { total: quantiles, shard: quantiles, own: quantiles },
    },
    history: Array.from({ length: n }, (_, at) => ({
      at: `${at}`,
      ...{ requests: n, errors: n, p50Seconds: n, p99Seconds: n },
    })),
    commands: [{ name: n === 1 ? 'get' : 'set', requests: n, errors: n }],
    nearCache: null,
    mirrors: [],
    cluster: null,
    shards: [
      {
        name: 'a',
        pool: 'default',
        address: '10.0.0.1:6379',
        state: 'up',
        ringShare: 1,
        ...{ inFlight: n, leases: n, topics: n, requests: n, bytesSent: n, bytesReceived: n },
        ...{ connections: n, reconnects: n, unsentBytes: n, replicaReads: n },
        errors,
        logins: { succeeded: n, refused: n },
        window: { requestsPerSecond: n, errorsPerSecond: n, p50Seconds: n, p99Seconds: n },
        usedMemoryBytes: null,
        since: '2026-12-01T00:00:00.000Z',
        lastMove: null,
        replicas: null,
        credentials: null,
      },
    ],
    process: {
      ...{ residentBytes: n, heapUsedBytes: n, heapTotalBytes: n, externalBytes: n },
      cpuSeconds: n,
      lagSeconds: { p50: n, p99: n, max: n },
    },
  }
}

describe('sumStats', () => {
  it('is what one worker tells, if there is one', () => {
    expect(sumStats([statsOf(2)])).to.deep.equal(statsOf(2))
  })

  it('adds counts, and takes the highest of quantiles', () => {
    const sum = sumStats([statsOf(1), statsOf(2)])
    expect(sum).to.deep.include({ clients: 3, requests: 3, lanes: 3, clientsMax: 100 })
    expect(sum.errors.refused).to.equal(3)
    expect(sum.bytes.toShards).to.equal(3)
    expect(sum.window.requestsPerSecond).to.equal(3)
    expect(sum.window.latencySeconds.total.p99).to.equal(2)
    expect(sum.shards[0]).to.deep.include({ requests: 3, connections: 3, ringShare: 1 })
    expect(sum.process).to.deep.include({
      residentBytes: 3,
      lagSeconds: { p50: 2, p99: 2, max: 2 },
    })
    expect(sum.commands).to.deep.equal([
      { name: 'set', requests: 2, errors: 2 },
      { name: 'get', requests: 1, errors: 1 },
    ])
  })

  it('adds the newest seconds to the newest', () => {
    const { history } = sumStats([statsOf(1), statsOf(3)])
    expect(history.map(({ requests }) => requests)).to.deep.equal([3, 3, 4])
    expect(history.map(({ p99Seconds }) => p99Seconds)).to.deep.equal([3, 3, 3])
  })

  it('says of a shard that it is up if it is up for all', () => {
    const down = statsOf(1)
    const parts = [{ ...down, shards: down.shards.map((shard) => ({ ...shard, state: 'down' })) }]
    expect(sumStats([statsOf(1), ...parts]).shards[0]?.state).to.equal('down')
    expect(sumStats([...parts, statsOf(1)] as never).shards[0]?.state).to.equal('down')
  })
})

describe('countsOfStats', () => {
  it('keeps what has been, and nothing that is', () => {
    const sum = sumStats([statsOf(1), countsOfStats(statsOf(5))])
    expect(sum).to.deep.include({ clients: 1, inFlight: 1, requests: 6, ready: true })
    expect(sum.shards[0]).to.deep.include({ connections: 1, requests: 6, state: 'up' })
    expect(sum.window.requestsPerSecond).to.equal(1)
    expect(sum.window.latencySeconds.total.max).to.equal(1)
    expect(sum.process).to.deep.include({ residentBytes: 1, cpuSeconds: 6 })
    expect(sum.history).to.have.length(1)
  })
})
