import { expect } from 'chai'
import type { Replica } from '../../../lib/upstream/replicas/replica.ts'
import { type Handover, ReplicaSet } from '../../../lib/upstream/replicas/replica-set.ts'
import { type FakeShardState, fakeReplica, WELL } from '../../support/fake-replica.ts'
import { LogLines } from '../../support/log-lines.ts'

describe('ReplicaSet', () => {
  let nowMs: number
  let log: LogLines
  let set: ReplicaSet
  let one: Replica
  let two: Replica
  let server: FakeShardState

  beforeEach(() => {
    nowMs = 1000
    log = new LogLines()
    set = new ReplicaSet({ name: 'a', now: () => nowMs, logger: log })
    ;[one, server] = fakeReplica('10.0.0.1:1')
    ;[two] = fakeReplica('10.0.0.1:2')
    set.use([one, two])
  })

  function handover(): Handover {
    return { isFlying: false, hold: () => {}, release: () => {} }
  }

  it('counts those that are read from', () => {
    expect(set.serving).to.equal(0)
    set.heard(one, WELL)
    set.heard(two, WELL)
    expect(set.serving).to.equal(2)
    set.unheard(two, 'it does not answer')
    expect(set.serving).to.equal(1)
  })

  it('counts what none of them has answered', () => {
    server.inFlight = 3
    expect(set.inFlight).to.equal(3)
  })

  it('does not read from a replica to which no connection of ours works, whatever that says', () => {
    server.up = false
    set.heard(one, WELL)
    expect([one.serves, one.ailment]).to.deep.equal([false, 'no connection to it works'])
    set.heard(one, { ...WELL, ailment: 'it is a master' })
    expect(one.ailment).to.equal('it is a master')
  })

  it('logs each change once, with the reason', () => {
    set.heard(one, WELL)
    set.heard(one, WELL)
    set.failed(one, 'LOADING')
    set.failed(one, 'MASTERDOWN')
    set.heard(one, WELL)
    nowMs += 60_000
    set.heard(one, WELL)
    set.unheard(one, 'it does not answer')
    const about = { shard: 'a', replica: '10.0.0.1:1' }
    expect(log.lines).to.deep.equal([
      { level: 'info', facts: about, message: 'replica is read from' },
      {
        level: 'warn',
        facts: { ...about, reason: 'LOADING' },
        message: 'replica is not read from',
      },
      { level: 'info', facts: about, message: 'replica is read from' },
      {
        level: 'warn',
        facts: { ...about, reason: 'it does not answer' },
        message: 'replica is not read from',
      },
    ])
  })

  it('covers a moment when a replica that serves does', () => {
    set.heard(one, { ...WELL, coveredMs: 100 })
    set.heard(two, { ...WELL, coveredMs: 200, ailment: 'it is copying its master' })
    expect([set.covers(100), set.covers(101)]).to.deep.equal([true, false])
    set.heard(two, { ...WELL, coveredMs: 200 })
    expect(set.covers(200)).to.equal(true)
  })

  it('gathers those that want to be handed over, each once, and says so', () => {
    let wanted = 0
    set.handOverBy(() => wanted++)
    const [first, second] = [handover(), handover()]
    for (const each of [first, second, first]) set.wants(each)
    expect([wanted, set.isWanted]).to.deep.equal([2, true])
    expect(set.takeWanting()).to.deep.equal([first, second])
    expect([set.isWanted, set.takeWanting()]).to.deep.equal([false, []])
    set.wants(first)
    expect(set.takeWanting()).to.deep.equal([first])
  })

  it('forgets with its master how far everybody was', () => {
    set.coverage.masterIs({ history: 'h', bytes: 100 }, 1)
    set.heard(one, WELL)
    set.masterHeard(4, 'z1')
    const { stay } = one
    set.masterMoved()
    expect(set.coverage.isKnown).to.equal(false)
    expect(set.masterRoundTripMs).to.equal(undefined)
    expect(set.covers(0)).to.equal(false)
    expect(one.stay).to.be.above(stay)
  })

  it('measures its master as it measures replicas', () => {
    set.masterHeard(8, 'z1')
    set.masterHeard(4, 'z2')
    expect([set.masterRoundTripMs, set.masterZone]).to.deep.equal([7, 'z2'])
  })
})
