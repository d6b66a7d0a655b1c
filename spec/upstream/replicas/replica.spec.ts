import { expect } from 'chai'
import { REPLICA_OUT_MS } from '../../../lib/limits.ts'
import { Lanes } from '../../../lib/upstream/lane.ts'
import { NEVER } from '../../../lib/upstream/replicas/coverage.ts'
import { type Replica, smoothed } from '../../../lib/upstream/replicas/replica.ts'
import { type FakeShardState, fakeReplica, WELL } from '../../support/fake-replica.ts'

describe('Replica', () => {
  let replica: Replica
  let server: FakeShardState

  beforeEach(() => {
    ;[replica, server] = fakeReplica()
  })

  it('is not read from until it has told that it is well', () => {
    expect(replica.serves).to.equal(false)
    expect(replica.heard({ ...WELL, ailment: 'it is copying its master' }, 0)).to.equal(false)
    expect(replica.serves).to.equal(false)
    expect(replica.heard(WELL, 0)).to.equal(true)
    expect(replica.serves).to.equal(true)
  })

  it('tells of each change once', () => {
    replica.heard(WELL, 0)
    expect(replica.heard(WELL, 1)).to.equal(false)
    expect(replica.unheard('it does not answer')).to.equal(true)
    expect(replica.unheard('its connection was lost')).to.equal(false)
    expect([replica.serves, replica.ailment]).to.deep.equal([false, 'its connection was lost'])
  })

  it('is left alone for a while after it has failed a read, however well it says that it is', () => {
    replica.heard(WELL, 0)
    expect(replica.failed('LOADING', 10)).to.equal(true)
    expect(replica.heard(WELL, 10 + REPLICA_OUT_MS - 1)).to.equal(false)
    expect(replica.serves).to.equal(false)
    expect(replica.heard(WELL, 10 + REPLICA_OUT_MS)).to.equal(true)
    expect(replica.serves).to.equal(true)
  })

  it('keeps its stay as long as it serves', () => {
    replica.heard(WELL, 0)
    const { stay } = replica
    replica.heard({ ...WELL, coveredMs: 200, zone: 'z2', lagBytes: 5 }, 1)
    expect(replica.stay).to.equal(stay)
    expect([replica.coveredMs, replica.zone, replica.lagBytes]).to.deep.equal([200, 'z2', 5])
  })

  const ends: Readonly<Record<string, () => void>> = {
    'it ceases to serve': () => replica.unheard('it does not answer'),
    'it fails a read': () => replica.failed('LOADING', 1),
    'it has forgotten something': () => replica.heard({ ...WELL, coveredMs: 99 }, 1),
    'its master is another one': () => replica.masterMoved(),
    'its connections were made again': () => {
      server.stats.reconnects++
      replica.heard(WELL, 1)
    },
  }
  for (const [when, happens] of Object.entries(ends)) {
    it(`ends its stay when ${when}`, () => {
      replica.heard(WELL, 0)
      const { stay } = replica
      happens()
      expect(replica.stay).to.be.above(stay)
    })
  }

  it('has no stay in common with another replica', () => {
    const [other] = fakeReplica()
    const stays = [replica, other].flatMap((each) => {
      each.heard(WELL, 0)
      return each.stay
    })
    expect(new Set(stays).size).to.equal(2)
  })

  it('does not serve over connections that were made again, until it is heard', () => {
    replica.heard(WELL, 0)
    server.stats.reconnects++
    expect(replica.serves).to.equal(false)
    replica.heard(WELL, 1)
    expect(replica.serves).to.equal(true)
  })

  it('is known to have nothing of another master', () => {
    replica.heard(WELL, 0)
    replica.masterMoved()
    expect([replica.coveredMs, replica.lagBytes]).to.deep.equal([NEVER, undefined])
  })

  it('may be sent to over a connection that is there, or is made for the first time', () => {
    const lane = new Lanes(() => {}).first
    const may = (state: FakeShardState['state'], incarnation: number): boolean => {
      Object.assign(server, { state, incarnation })
      return replica.isConnected(lane, 1)
    }
    expect(may('ready', 3)).to.equal(true)
    expect(may('connecting', 1)).to.equal(true)
    expect(may('connecting', 2)).to.equal(false)
    expect(may('down', 1)).to.equal(false)
  })

  it('smooths how long its answers take', () => {
    expect(smoothed(undefined, 8)).to.equal(8)
    expect(smoothed(8, 4)).to.equal(7)
    replica.heard({ ...WELL, roundTripMs: 8 }, 0)
    replica.heard({ ...WELL, roundTripMs: 4 }, 1)
    expect(replica.roundTripMs).to.equal(7)
  })
})
