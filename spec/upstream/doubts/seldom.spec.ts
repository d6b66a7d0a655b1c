import { expect } from 'chai'
import { DOUBT_MS } from '../../../lib/limits.ts'
import { Seldom } from '../../../lib/upstream/doubts/seldom.ts'
import { ManualTimers } from '../../support/manual-timers.ts'

describe('Seldom', () => {
  const timers = new ManualTimers()
  let nowMs: number
  let runs: number
  let seldom: Seldom

  beforeEach(() => {
    timers.install(false)
    nowMs = 0
    runs = 0
    seldom = new Seldom(
      () => runs++,
      () => nowMs,
    )
  })

  afterEach(() => timers.restore())

  function pass(ms: number): void {
    nowMs += ms
    timers.advance(ms)
  }

  it('runs at once when it is asked for the first time', () => {
    seldom.ask()
    expect(runs).to.equal(1)
  })

  it('runs once more for all that ask within the time', () => {
    for (let i = 0; i < 10; i++) seldom.ask()
    pass(DOUBT_MS - 1)
    seldom.ask()
    expect(runs).to.equal(1)
    pass(1)
    expect(runs).to.equal(2)
    pass(10 * DOUBT_MS)
    expect(runs).to.equal(2)
  })

  it('runs at once again when nobody has asked for a while', () => {
    seldom.ask()
    pass(DOUBT_MS)
    seldom.ask()
    expect(runs).to.equal(2)
  })

  it('runs no more when it is closed', () => {
    seldom.ask()
    seldom.ask()
    seldom.close()
    pass(DOUBT_MS)
    expect(runs).to.equal(1)
  })
})
