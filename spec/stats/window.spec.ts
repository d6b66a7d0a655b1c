import { expect } from 'chai'
import { STATS_HISTORY_SECONDS, STATS_WINDOW_SECONDS } from '../../lib/limits.ts'
import { Histogram } from '../../lib/stats/histogram.ts'
import { Stats } from '../../lib/stats/stats.ts'
import { CounterWindow, HistogramWindow } from '../../lib/stats/window.ts'
import { ManualTurn } from '../support/manual-turn.ts'

describe('CounterWindow', () => {
  it('is the mean rate of the seconds it has seen, ten at most', () => {
    const window = new CounterWindow()
    expect(window.perSecond).to.equal(0)
    window.look(6)
    window.look(10)
    expect(window.perSecond).to.equal(5)
    for (let second = 0; second < STATS_WINDOW_SECONDS; second++) window.look(10 + 3 * second)
    expect(window.perSecond).to.be.closeTo((9 * 3) / STATS_WINDOW_SECONDS, 1e-9)
    for (let second = 0; second < STATS_WINDOW_SECONDS; second++) window.look(37)
    expect(window.perSecond).to.equal(0)
  })
})

describe('HistogramWindow', () => {
  it('forgets what is older than its seconds', () => {
    const histogram = new Histogram()
    const window = new HistogramWindow(histogram)
    histogram.record(1000)
    window.look()
    histogram.record(1, 99)
    window.look()
    expect(window.quantiles.max).to.equal(1)
    expect(window.quantiles.p50).to.be.closeTo(0.001, 0.001 / 32)
    expect(window.quantiles.p999).to.be.closeTo(1, 1 / 32)
    expect(window.lastQuantiles.max).to.equal(0.001)
    for (let second = 2; second < STATS_WINDOW_SECONDS; second++) window.look()
    expect(window.quantiles.max).to.equal(1)
    window.look()
    expect(window.quantiles.max).to.equal(0.001)
    window.look()
    expect(window.quantiles).to.deep.equal({ p50: 0, p99: 0, p999: 0, max: 0 })
  })

  it('never gives a quantile above the longest', () => {
    const histogram = new Histogram()
    const window = new HistogramWindow(histogram)
    histogram.record(64)
    window.look()
    expect(window.quantiles).to.deep.equal({ p50: 0.064, p99: 0.064, p999: 0.064, max: 0.064 })
  })
})

describe('Stats', () => {
  it('keeps a sample of each of the last seconds', () => {
    const { turn } = new ManualTurn()
    const stats = new Stats(turn)
    stats.commands.addRequest(3)
    stats.commands.addRequest(-1)
    stats.latencies.total.record(5, 2)
    stats.addError(3, 'shard')
    stats.look(1000)
    stats.look(2000)
    const [first, second] = stats.history.samples
    expect(first).to.include({ atMs: 1000, requests: 2, errors: 1 })
    expect(first?.p50Seconds).to.be.closeTo(0.005, 0.005 / 32)
    expect(second).to.deep.equal({
      atMs: 2000,
      requests: 0,
      errors: 0,
      p50Seconds: 0,
      p99Seconds: 0,
    })
    expect(stats.window).to.deep.include({ seconds: 2, requestsPerSecond: 1, errorsPerSecond: 0.5 })
    for (let second = 0; second < STATS_HISTORY_SECONDS; second++) stats.look(second)
    expect(stats.history.samples).to.have.lengthOf(STATS_HISTORY_SECONDS)
    expect(stats.window.seconds).to.equal(STATS_WINDOW_SECONDS)
  })

  it('counts commands by row, more rows than there were at first, and none', () => {
    const { turn } = new ManualTurn()
    const { commands } = new Stats(turn)
    commands.addRequest(-1)
    for (let i = 0; i < 3; i++) commands.addRequest(5000)
    commands.addError(5000)
    expect(commands.requests).to.equal(4)
    expect(commands.used()).to.deep.equal([
      { command: 5000, requests: 3, errors: 1 },
      { command: -1, requests: 1, errors: 0 },
    ])
  })

  it('goes on counting a shard by its name, until it is no longer configured', () => {
    const { turn } = new ManualTurn()
    const stats = new Stats(turn)
    const shard = stats.shard('a')
    stats.keepShards(new Set(['a']))
    expect(stats.shard('a')).to.equal(shard)
    stats.keepShards(new Set(['b']))
    expect(stats.shard('a')).not.to.equal(shard)
  })
})
