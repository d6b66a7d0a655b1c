/** When a connection's requests run out of time, by a clock and timers that the spec moves. */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect } from 'chai'
import { shardFailures } from '../../../lib/failures.ts'
import { TIMER_MS_MAX } from '../../../lib/limits.ts'
import { Deadlines } from '../../../lib/upstream/connection/deadlines.ts'
import { Fifo } from '../../../lib/upstream/connection/fifo.ts'
import { ManualTimers } from '../../support/manual-timers.ts'
import { ManualTurn } from '../../support/manual-turn.ts'

const DAY_MS = 24 * 3_600_000

describe('Deadlines', () => {
  const timers = new ManualTimers()
  let manual: ManualTurn
  let fifo: Fifo
  let deadlines: Deadlines
  /** When each request was told that it is late. */
  let lateAtMs: number[]

  beforeEach(() => {
    manual = new ManualTurn()
    timers.install(false)
    fifo = new Fifo()
    lateAtMs = []
    deadlines = new Deadlines(fifo, manual.turn, {
      // The shard speaks all the time, and is never given up.
      get lastReadMs() {
        return manual.nowMs
      },
      deadlinePassed: (nowMs) => {
        fifo.expire(nowMs, shardFailures('a').timedOut)
      },
      stalled: () => expect.fail('not silent'),
    })
  })

  afterEach(() => timers.restore())

  function enter(timeoutMs: number): void {
    const sink = { reply: () => {}, failed: () => lateAtMs.push(manual.nowMs) }
    const deadlineMs = manual.nowMs + timeoutMs
    fifo.push(sink, 0, { enteredMs: manual.nowMs, deadlineMs, position: 0 })
    deadlines.entered({ deadlineMs })
  }

  function endTurns(): void {
    while (manual.scheduled > 0) manual.end()
  }

  async function pass(ms: number): Promise<void> {
    endTurns()
    manual.nowMs += ms
    timers.advance(ms)
    // A deadline that passes gives the replies that lie there the rest of the turn.
    await nextTurn()
    endTurns()
  }

  function answer(): void {
    const reply = Buffer.from('+OK\r\n')
    fifo.reply(reply, 0, reply.length, true)
  }

  for (const timeoutMs of [TIMER_MS_MAX + 1, 1000 * TIMER_MS_MAX, Number.MAX_SAFE_INTEGER]) {
    it(`row 79: no timer is set for longer than Node can hold (${timeoutMs} ms)`, () => {
      enter(timeoutMs)
      expect(timers.delaysMs.length).to.equal(1)
      expect(Math.max(...timers.delaysMs)).to.be.at.most(TIMER_MS_MAX)
    })
  }

  it('row 79: a deadline beyond what a timer can hold comes neither early nor late', async () => {
    const timeoutMs = 2 * TIMER_MS_MAX + DAY_MS
    enter(timeoutMs)
    await pass(TIMER_MS_MAX)
    await pass(TIMER_MS_MAX)
    await pass(DAY_MS - 1)
    expect(lateAtMs).to.deep.equal([])
    await pass(1)
    expect(lateAtMs).to.deep.equal([timeoutMs])
  })

  it('sets none for what may take for ever', () => {
    enter(Number.POSITIVE_INFINITY)
    expect(timers.delaysMs).to.deep.equal([])
  })

  it('notices a short deadline after a long one that was met', async () => {
    enter(DAY_MS)
    answer()
    enter(1000)
    await pass(999)
    expect(lateAtMs).to.deep.equal([])
    await pass(1)
    expect(lateAtMs).to.deep.equal([1000])
  })

  it('notices the later of two deadlines at its own time', async () => {
    enter(1000)
    await pass(400)
    enter(1000)
    await pass(600)
    await pass(400)
    expect(lateAtMs).to.deep.equal([1000, 1400])
  })
})
