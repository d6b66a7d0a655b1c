/** What repeats in the log: how much of it passes, and what is said of the rest. */
import { expect } from 'chai'
import { LOG_BURST_LINES, LOG_SUM_MS } from '../lib/limits.ts'
import { LimitedLogger } from '../lib/log-limit.ts'
import type { LogMethod } from '../lib/logger.ts'
import { ManualTimers } from './support/manual-timers.ts'

describe('LimitedLogger', () => {
  const timers = new ManualTimers()
  let lines: string[]
  let logger: LimitedLogger

  beforeEach(() => {
    timers.install(false)
    lines = []
    const write =
      (level: string): LogMethod =>
      (facts, message) =>
        lines.push(`${level} ${message} ${JSON.stringify(facts)}`)
    logger = new LimitedLogger({
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    })
  })

  afterEach(() => timers.restore())

  function flap(shard: string, times: number): void {
    for (let i = 0; i < times; i++) {
      logger.warn({ shard, reason: `${i}` }, 'shard down')
      logger.info({ shard }, 'shard up')
    }
  }

  /** What is written from now on while `ms` pass. */
  function writtenWithin(ms: number): string[] {
    lines.length = 0
    timers.advance(ms)
    return [...lines]
  }

  it('lets the first lines about a subject pass, as they are', () => {
    logger.warn({ shard: 'a', reason: 'x' }, 'shard down')
    logger.info({ shard: 'a' }, 'shard up')
    logger.error({}, 'other')
    expect(lines).to.deep.equal([
      'warn shard down {"shard":"a","reason":"x"}',
      'info shard up {"shard":"a"}',
      'error other {}',
    ])
  })

  it('sums up the others: one line for each message, with its last facts and how often', () => {
    flap('a', LOG_BURST_LINES / 2 + 100)
    expect(lines).to.have.length(LOG_BURST_LINES)
    expect(writtenWithin(LOG_SUM_MS - 1)).to.deep.equal([])
    const last = LOG_BURST_LINES / 2 + 99
    expect(writtenWithin(1)).to.deep.equal([
      `warn shard down {"shard":"a","reason":"${last}","times":100}`,
      'info shard up {"shard":"a","times":100}',
    ])
  })

  it('ends with what is true: the last line of a shard is the last thing that happened', () => {
    flap('a', LOG_BURST_LINES)
    logger.warn({ shard: 'a', reason: 'gone' }, 'shard down')
    const written = writtenWithin(LOG_SUM_MS)
    expect(written.at(-1)).to.include('shard down {"shard":"a","reason":"gone"')
    // Also when a line might pass again, and an older one waits.
    flap('a', 1)
    logger.warn({ shard: 'a', reason: 'gone again' }, 'shard down')
    expect(writtenWithin(LOG_SUM_MS).at(-1)).to.include('shard down')
  })

  it('writes no more than the sums while it goes on', () => {
    flap('a', LOG_BURST_LINES)
    timers.advance(LOG_SUM_MS)
    for (let i = 0; i < 10; i++) {
      flap('a', 20)
      expect(writtenWithin(LOG_SUM_MS)).to.have.length(2)
    }
  })

  it('does not make one shard wait for another, or one message for another', () => {
    flap('a', LOG_BURST_LINES)
    for (let i = 0; i < 2 * LOG_BURST_LINES; i++) logger.warn({}, 'some message')
    lines.length = 0
    logger.warn({ shard: 'b' }, 'shard down')
    logger.warn({}, 'another message')
    expect(lines).to.have.length(2)
  })

  it('lets lines pass again when it has been quiet', () => {
    flap('a', LOG_BURST_LINES)
    timers.advance(LOG_SUM_MS)
    timers.advance(LOG_SUM_MS)
    expect(timers.delaysMs).to.deep.equal([])
    lines.length = 0
    flap('a', 1)
    expect(lines).to.have.length(2)
  })

  it('tells at the end what waits, and holds nothing back from then on', () => {
    flap('a', LOG_BURST_LINES)
    lines.length = 0
    logger.close()
    expect(lines).to.have.length(2)
    expect(timers.delaysMs).to.deep.equal([])
    flap('a', LOG_BURST_LINES)
    expect(lines).to.have.length(2 + 2 * LOG_BURST_LINES)
    expect(timers.delaysMs).to.deep.equal([])
  })
})
