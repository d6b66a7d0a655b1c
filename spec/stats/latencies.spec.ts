import { expect } from 'chai'
import { NOT_SENT, UNANSWERED } from '../../lib/stats/in-hand.ts'
import { Latencies, UNTIMED } from '../../lib/stats/latencies.ts'
import { ManualTurn } from '../support/manual-turn.ts'

describe('Latencies', () => {
  let manual: ManualTurn
  let latencies: Latencies

  beforeEach(() => {
    manual = new ManualTurn()
    latencies = new Latencies(manual.turn)
  })

  /** Settles these in a turn that begins and ends at these moments. */
  function turn(startMs: number, endMs: number, settled: readonly (readonly [number, number])[]) {
    manual.nowMs = startMs
    manual.turn.now()
    for (const [openedMs, sentMs] of settled) latencies.settled(openedMs, sentMs)
    manual.nowMs = endMs
    manual.end()
  }

  function sums() {
    const { total, shard, own } = latencies
    return [total, shard, own].map(({ count, sumSeconds }) => [count, Math.round(1e3 * sumSeconds)])
  }

  it('tells the time of shards from our own', () => {
    // In at 10, sent at 12, answered in the turn from 40 to 43: 2 + 3 ours, 28 the shard's.
    turn(40, 43, [[10, 12]])
    expect(sums()).to.deep.equal([
      [1, 33],
      [1, 28],
      [1, 5],
    ])
  })

  it('counts requests of the same moments together, and no others', () => {
    turn(40, 43, [
      [10, 12],
      [10, 12],
      [20, 22],
      [10, 12],
    ])
    expect(sums()).to.deep.equal([
      [4, 3 * 33 + 23],
      [4, 3 * 28 + 18],
      [4, 4 * 5],
    ])
    turn(50, 50, [])
    expect(sums()[0]).to.deep.equal([4, 3 * 33 + 23])
  })

  it('says of what no shard was asked that all the time was ours', () => {
    turn(40, 43, [[40, NOT_SENT]])
    expect(sums()).to.deep.equal([
      [1, 3],
      [0, 0],
      [1, 3],
    ])
  })

  it('says of what a shard did not answer that the wait was for it', () => {
    turn(1040, 1043, [[40, UNANSWERED]])
    expect(sums()).to.deep.equal([
      [1, 1003],
      [1, 1000],
      [1, 3],
    ])
  })

  it('leaves out those whose clients chose how long they take', () => {
    turn(9000, 9000, [
      [UNTIMED, 10],
      [UNTIMED, 10],
    ])
    expect(sums()[0]).to.deep.equal([0, 0])
  })

  it('takes any number of different ones in one turn', () => {
    turn(
      2000,
      2000,
      Array.from({ length: 1000 }, (_, at) => [at + 1, at + 1] as const),
    )
    expect(sums()[0]).to.deep.equal([1000, 1000 * 2000 - 500_500])
  })
})
