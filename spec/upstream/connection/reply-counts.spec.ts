import { expect } from 'chai'
import { InHand } from '../../../lib/stats/in-hand.ts'
import { ShardStats } from '../../../lib/stats/shard-stats.ts'
import { ReplyCounts } from '../../../lib/upstream/connection/reply-counts.ts'
import { latin1 } from '../../support/frames.ts'

const OK = latin1('+OK\r\n')

describe('ReplyCounts', () => {
  let stats: ShardStats
  let inHand: InHand

  beforeEach(() => {
    stats = new ShardStats()
    inHand = new InHand()
  })

  function counts(isTimed: boolean): ReplyCounts {
    return new ReplyCounts(stats, inHand, isTimed)
  }

  it('records how long each reply took, from its own moment of sending', () => {
    const all = counts(true)
    all.beginRead(20, 110)
    for (const sentMs of [100, 100, 105]) {
      all.count(OK, 0, true, { sentMs })
      expect(inHand.sentMs).to.equal(sentMs)
    }
    all.endRead()
    expect(inHand.sentMs).to.equal(0)
    expect(stats.bytesReceived).to.equal(20)
    expect(stats.latency.count).to.equal(3)
    expect(stats.latency.sumSeconds).to.equal(0.025)
  })

  it('records none where a request may wait as its client likes', () => {
    const leased = counts(false)
    leased.beginRead(5, 110)
    leased.count(OK, 0, true, { sentMs: 100 })
    leased.endRead()
    expect(stats.latency.count).to.equal(0)
  })

  it('counts errors by their first bytes, and no part that looks like one', () => {
    const all = counts(true)
    const error = latin1('-ERR\r\n')
    all.count(error, 0, true, { sentMs: 1 })
    all.count(OK, 0, false, { sentMs: 1 })
    all.count(error, 0, false, { sentMs: 1 })
    all.count(error, 0, true, { sentMs: 1 })
    expect(stats.errors.shard).to.equal(1)
    all.count(OK, 0, false, { sentMs: 1 })
    all.reset()
    all.count(error, 0, true, { sentMs: 1 })
    expect(stats.errors.shard).to.equal(2)
  })

  it('tells of errors, and of arrays on connections that one client has to itself', () => {
    const array = latin1('*1\r\n-READONLY\r\n')
    for (const [isTimed, bytes, tells] of [
      [true, latin1('-ERR\r\n'), true],
      [true, latin1('!3\r\nERR\r\n'), true],
      [true, array, false],
      [true, OK, false],
      [false, latin1('-ERR\r\n'), true],
      [false, array, true],
      [false, OK, false],
    ] as const) {
      expect(counts(isTimed).count(bytes, 0, true, { sentMs: 1 }), bytes.toString()).to.equal(tells)
    }
  })

  it('knows a whole reply that comes in one read behind another', () => {
    const all = counts(true)
    expect(all.followsAnother(true)).to.equal(false)
    all.count(OK, 0, true, { sentMs: 1 })
    expect([all.followsAnother(true), all.followsAnother(false)]).to.deep.equal([true, false])
    all.count(OK, 0, false, { sentMs: 1 })
    expect(all.followsAnother(true)).to.equal(false)
    all.count(OK, 0, true, { sentMs: 1 })
    all.endRead()
    expect(all.followsAnother(true)).to.equal(false)
  })
})
