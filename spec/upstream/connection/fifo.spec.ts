import { expect } from 'chai'
import { type Failure, shardFailures } from '../../../lib/failures.ts'
import { Fifo } from '../../../lib/upstream/connection/fifo.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import { latin1 } from '../../support/frames.ts'
import { createRandom, type Random, specSeed } from '../../support/random.ts'

const { timedOut, lost, unavailable } = shardFailures('a')
const NEVER = Number.POSITIVE_INFINITY

/** Writes down what it is told, as `ticket:text`; text in parentheses is only part of a reply. */
class Log implements ReplySink {
  readonly lines: string[] = []
  /** Called after each line. */
  react: () => void = () => {}

  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const text = bytes.toString('latin1', start, end)
    this.lines.push(last ? `${ticket}:${text}` : `${ticket}:(${text})`)
    this.react()
  }

  failed(ticket: number, error: Failure): void {
    this.lines.push(`${ticket}:${errorName(error)}`)
    this.react()
  }
}

function errorName(error: Failure): string {
  if (error === timedOut) return 'timed out'
  return error === lost ? 'lost' : 'unavailable'
}

function reply(fifo: Fifo, text: string, last = true): boolean {
  const bytes = latin1(`<${text}>`)
  return fifo.reply(bytes, 1, 1 + text.length, last)
}

function filled(count: number, log: ReplySink, deadlineMs = NEVER): Fifo {
  const fifo = new Fifo()
  for (let ticket = 0; ticket < count; ticket += 1)
    fifo.push(log, ticket, { enteredMs: 0, deadlineMs, position: ticket })
  return fifo
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

describe('Fifo', () => {
  it('hastens those that may wait longer, and leaves the others', () => {
    const log = new Log()
    const fifo = new Fifo()
    for (const [ticket, deadlineMs] of [10, 20, 30, 400, NEVER].entries()) {
      fifo.push(log, ticket, { enteredMs: 0, deadlineMs, position: ticket })
    }
    fifo.expire(10, timedOut)
    fifo.hasten(30)
    expect(fifo.nextDeadlineMs).to.equal(20)
    expect(fifo.expire(29, timedOut)).to.equal(1)
    expect(fifo.expire(30, timedOut)).to.equal(3)
    fifo.hasten(1)
    expect(log.lines).to.deep.equal(range(0, 5).map((ticket) => `${ticket}:timed out`))
  })

  it('pairs replies with requests by their order alone', () => {
    const log = new Log()
    const fifo = filled(3, log)
    expect(fifo.length).to.equal(3)
    for (const text of ['a', 'b', 'c']) expect(reply(fifo, text)).to.equal(true)
    expect(log.lines).to.deep.equal(['0:a', '1:b', '2:c'])
    expect(fifo.length).to.equal(0)
  })

  it('knows when each was sent: as it was told, or by a later stamp', () => {
    const fifo = new Fifo()
    const log = new Log()
    fifo.push(log, 0, { enteredMs: 10, deadlineMs: NEVER, position: 0 })
    expect(fifo.headSentMs).to.equal(10)
    // More than it first has room for.
    for (let ticket = 1; ticket < 100; ticket++)
      fifo.push(log, ticket, { enteredMs: 10, deadlineMs: NEVER, position: ticket })
    reply(fifo, 'a')
    fifo.stamp(12)
    fifo.push(log, 100, { enteredMs: 20, deadlineMs: NEVER, position: 100 })
    const sent = new Set<number>()
    for (let ticket = 1; ticket < 100; ticket++) {
      sent.add(fifo.headSentMs)
      reply(fifo, 'b')
    }
    expect([...sent]).to.deep.equal([12])
    expect(fifo.headSentMs).to.equal(20)
    fifo.stamp(22)
    expect(fifo.failSent(0, lost, () => {})).to.equal(0)
    // It has waited since, whichever connection takes it in the end.
    fifo.stamp(30)
    expect(fifo.headSentMs).to.equal(22)
  })

  it('says when nobody asked', () => {
    const log = new Log()
    const fifo = filled(1, log)
    expect(reply(fifo, 'a')).to.equal(true)
    expect(reply(fifo, 'stray')).to.equal(false)
    expect(reply(fifo, 'stray', false)).to.equal(false)
    expect(log.lines).to.deep.equal(['0:a'])
    expect(fifo.length).to.equal(0)
  })

  it('keeps the head until the last part of its reply', () => {
    const log = new Log()
    const fifo = filled(2, log)
    reply(fifo, 'a', false)
    expect(fifo.length).to.equal(2)
    reply(fifo, 'b')
    expect(fifo.length).to.equal(1)
    reply(fifo, 'c')
    expect(log.lines).to.deep.equal(['0:(a)', '0:b', '1:c'])
  })

  it('grows, wherever in its ring it begins', () => {
    for (const offset of [0, 1, 63, 64]) {
      const log = new Log()
      const fifo = filled(offset, log)
      for (let i = 0; i < offset; i += 1) reply(fifo, 'x')
      log.lines.length = 0
      // One stays throughout, so that the numbers do not start again.
      for (let i = 0; i < 70; i += 1) {
        fifo.push(log, i, { enteredMs: 0, deadlineMs: NEVER, position: i })
        if (i > 0 && i <= 40) reply(fifo, String(i - 1))
      }
      for (let i = 70; i < 1000; i += 1)
        fifo.push(log, i, { enteredMs: 0, deadlineMs: NEVER, position: i })
      for (let i = 40; i < 1000; i += 1) reply(fifo, String(i))
      expect(log.lines, String(offset)).to.deep.equal(range(0, 1000).map((i) => `${i}:${i}`))
      expect(fifo.length).to.equal(0)
    }
  })

  describe('deadlines', () => {
    it('fail a request, whose place stays as a tombstone that swallows its reply', () => {
      const log = new Log()
      const fifo = new Fifo()
      fifo.push(log, 0, { enteredMs: 0, deadlineMs: 10, position: 0 })
      fifo.push(log, 1, { enteredMs: 0, deadlineMs: 20, position: 1 })
      expect(fifo.nextDeadlineMs).to.equal(10)
      expect(fifo.expire(9, timedOut)).to.equal(0)
      expect(fifo.expire(10, timedOut)).to.equal(1)
      expect(fifo.expire(10, timedOut)).to.equal(0)
      expect([fifo.length, fifo.tombstones, fifo.nextDeadlineMs]).to.deep.equal([2, 1, 20])
      expect(reply(fifo, 'late')).to.equal(true)
      expect([fifo.length, fifo.tombstones, fifo.nextDeadlineMs]).to.deep.equal([1, 0, 20])
      expect(reply(fifo, 'mine')).to.equal(true)
      expect(log.lines).to.deep.equal(['0:timed out', '1:mine'])
      expect(fifo.nextDeadlineMs).to.equal(NEVER)
    })

    it('swallow all the rest of a reply of which part has been passed on', () => {
      const log = new Log()
      const fifo = new Fifo()
      fifo.push(log, 0, { enteredMs: 0, deadlineMs: 10, position: 0 })
      fifo.push(log, 1, { enteredMs: 0, deadlineMs: 20, position: 1 })
      reply(fifo, 'begun', false)
      fifo.expire(15, timedOut)
      reply(fifo, 'more', false)
      expect([fifo.length, fifo.tombstones]).to.deep.equal([2, 1])
      reply(fifo, 'end')
      expect([fifo.length, fifo.tombstones]).to.deep.equal([1, 0])
      reply(fifo, 'mine')
      expect(log.lines).to.deep.equal(['0:(begun)', '0:timed out', '1:mine'])
    })

    it('may be met at the last moment, and by all', () => {
      const log = new Log()
      const fifo = filled(3, log, 10)
      reply(fifo, 'in time')
      expect(fifo.nextDeadlineMs).to.equal(10)
      expect(fifo.expire(10, timedOut)).to.equal(2)
      expect([fifo.length, fifo.tombstones]).to.deep.equal([2, 2])
      fifo.push(log, 3, { enteredMs: 0, deadlineMs: 30, position: 3 })
      expect(fifo.nextDeadlineMs).to.equal(30)
      for (const text of ['late', 'late', 'mine']) reply(fifo, text)
      expect(log.lines).to.deep.equal(['0:in time', '1:timed out', '2:timed out', '3:mine'])
      expect([fifo.length, fifo.tombstones]).to.deep.equal([0, 0])
    })

    it('may be none', () => {
      const fifo = filled(2, new Log())
      expect(fifo.nextDeadlineMs).to.equal(NEVER)
      expect(fifo.expire(Number.MAX_VALUE, timedOut)).to.equal(0)
    })

    it('survive growth', () => {
      const log = new Log()
      const fifo = new Fifo()
      for (let i = 0; i < 100; i += 1) {
        fifo.push(log, i, { enteredMs: 0, deadlineMs: i, position: i })
        if (i === 50) fifo.expire(30, timedOut)
      }
      expect([fifo.length, fifo.tombstones, fifo.nextDeadlineMs]).to.deep.equal([100, 31, 31])
      for (let i = 0; i < 100; i += 1) reply(fifo, String(i))
      const expected = range(0, 100).map((i) => `${i}:${i <= 30 ? 'timed out' : i}`)
      expect(log.lines).to.deep.equal(expected)
    })
  })

  describe('failAll', () => {
    it('tells those of which a byte was handed over from those of which none was', () => {
      const log = new Log()
      const fifo = new Fifo()
      for (const [ticket, position] of [0, 10, 20, 30].entries())
        fifo.push(log, ticket, { enteredMs: 0, deadlineMs: NEVER, position })
      // The third has its first byte at 20, so 20 bytes end before it and 21 end in it.
      fifo.failAll(21, lost, unavailable)
      expect(log.lines).to.deep.equal(['0:lost', '1:lost', '2:lost', '3:unavailable'])
      log.lines.length = 0
      for (const [ticket, position] of [0, 10, 20].entries())
        fifo.push(log, ticket, { enteredMs: 0, deadlineMs: NEVER, position })
      fifo.failAll(20, lost, unavailable)
      expect(log.lines).to.deep.equal(['0:lost', '1:lost', '2:unavailable'])
    })

    it('leaves nothing: no tombstones, no deadline', () => {
      const log = new Log()
      const fifo = filled(100, log, 10)
      reply(fifo, 'begun', false)
      fifo.expire(10, timedOut)
      log.lines.length = 0
      fifo.failAll(1000, lost, unavailable)
      expect(log.lines, 'nobody hears twice').to.deep.equal([])
      expect([fifo.length, fifo.tombstones, fifo.nextDeadlineMs]).to.deep.equal([0, 0, NEVER])
      fifo.push(log, 7, { enteredMs: 0, deadlineMs: 20, position: 0 })
      expect(fifo.expire(15, timedOut)).to.equal(0)
      reply(fifo, 'new')
      expect(log.lines).to.deep.equal(['7:new'])
    })
  })

  describe('failSent', () => {
    function keptFrom(fifo: Fifo, handedBytes: number): number {
      let kept = Number.NaN
      fifo.failSent(handedBytes, lost, (position) => {
        kept = position
      })
      return kept
    }

    it('keeps those of which nothing was handed over, in their order', () => {
      const log = new Log()
      const fifo = new Fifo()
      for (const [ticket, position] of [0, 10, 20, 35].entries())
        fifo.push(log, ticket, { enteredMs: 0, deadlineMs: 50, position })
      expect(fifo.oldestPosition).to.equal(0)
      expect(keptFrom(fifo, 11)).to.equal(20)
      expect(log.lines).to.deep.equal(['0:lost', '1:lost'])
      expect([fifo.length, fifo.oldestPosition, fifo.nextDeadlineMs]).to.deep.equal([2, 0, 50])
      // In the new stream the second of them begins at 15.
      expect(keptFrom(fifo, 1)).to.equal(15)
      expect(log.lines).to.deep.equal(['0:lost', '1:lost', '2:lost'])
      fifo.push(log, 4, { enteredMs: 0, deadlineMs: 60, position: 20 })
      for (const text of ['x', 'y']) reply(fifo, text)
      expect(log.lines.slice(3)).to.deep.equal(['3:x', '4:y'])
      expect(fifo.oldestPosition).to.equal(NEVER)
    })

    it('keeps all, or none', () => {
      const log = new Log()
      const fifo = filled(3, log)
      expect(keptFrom(fifo, 0)).to.equal(0)
      expect([fifo.length, log.lines]).to.deep.equal([3, []])
      expect(keptFrom(fifo, 3)).to.equal(NEVER)
      expect(log.lines).to.deep.equal(['0:lost', '1:lost', '2:lost'])
      expect(keptFrom(fifo, 0)).to.equal(NEVER)
    })

    it('does not keep what has expired: it is not sent any more, and no tombstone stays', () => {
      const log = new Log()
      const fifo = new Fifo()
      for (const [ticket, deadlineMs] of [10, 20, 30].entries())
        fifo.push(log, ticket, { enteredMs: 0, deadlineMs, position: ticket })
      fifo.expire(20, timedOut)
      expect(keptFrom(fifo, 1)).to.equal(2)
      expect([fifo.length, fifo.tombstones, fifo.nextDeadlineMs]).to.deep.equal([1, 0, 30])
      reply(fifo, 'mine')
      expect(log.lines).to.deep.equal(['0:timed out', '1:timed out', '2:mine'])
    })

    it('says where to keep from before anybody hears, and puts new ones behind those kept', () => {
      const log = new Log()
      const fifo = filled(3, log)
      log.react = () => {
        log.react = () => {}
        log.lines.push('sends')
        fifo.push(log, 9, { enteredMs: 0, deadlineMs: NEVER, position: 7 })
      }
      fifo.failSent(1, lost, (position) => log.lines.push(`keeps from ${position}`))
      for (const text of ['x', 'y', 'z']) reply(fifo, text)
      expect(log.lines).to.deep.equal(['keeps from 1', '0:lost', 'sends', '1:x', '2:y', '9:z'])
    })

    it('survives growth', () => {
      const log = new Log()
      const fifo = filled(300, log)
      expect(keptFrom(fifo, 100)).to.equal(100)
      for (let i = 100; i < 300; i += 1) reply(fifo, String(i))
      const expected = range(0, 300).map((i) => `${i}:${i < 100 ? 'lost' : i}`)
      expect(log.lines).to.deep.equal(expected)
    })
  })

  describe('a sink that sends again while it is told', () => {
    it('is behind all others after a reply', () => {
      const log = new Log()
      const fifo = filled(2, log)
      log.react = () => {
        log.react = () => {}
        fifo.push(log, 2, { enteredMs: 0, deadlineMs: NEVER, position: 2 })
      }
      for (const text of ['a', 'b', 'c']) expect(reply(fifo, text)).to.equal(true)
      expect(log.lines).to.deep.equal(['0:a', '1:b', '2:c'])
    })

    it('is behind all others after a deadline', () => {
      const log = new Log()
      const fifo = filled(64, log, 10)
      let next = 64
      log.react = () => {
        if (next < 128) fifo.push(log, next++, { enteredMs: 0, deadlineMs: 20, position: 0 })
      }
      expect(fifo.expire(10, timedOut)).to.equal(64)
      expect([fifo.length, fifo.tombstones, fifo.nextDeadlineMs]).to.deep.equal([128, 64, 20])
    })

    it('is not among those that failed with the connection', () => {
      const log = new Log()
      const fifo = filled(3, log)
      log.react = () => {
        log.react = () => {}
        fifo.push(log, 9, { enteredMs: 0, deadlineMs: NEVER, position: 0 })
      }
      fifo.failAll(1000, lost, unavailable)
      expect(log.lines).to.deep.equal(['0:lost', '1:lost', '2:lost'])
      expect(fifo.length).to.equal(1)
    })

    it('may close the connection in the midst of deadlines', () => {
      const log = new Log()
      const fifo = filled(3, log, 10)
      log.react = () => {
        log.react = () => {}
        fifo.failAll(1000, lost, unavailable)
      }
      expect(fifo.expire(10, timedOut)).to.equal(1)
      expect(log.lines).to.deep.equal(['0:timed out', '1:lost', '2:lost'])
      expect([fifo.length, fifo.tombstones]).to.deep.equal([0, 0])
    })
  })

  it('does what an obvious list does, whatever happens', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 200; round += 1) {
      const [log, expected] = [new Log(), new Log()]
      const fifo = new Fifo()
      const list = new ObviousFifo(expected)
      let nowMs = 0
      for (let step = 0; step < 300; step += 1) {
        nowMs += random.integer(0, 3)
        randomStep(random, nowMs, step, fifo, list, log)
        const message = `seed ${random.seed}, round ${round}, step ${step}`
        expect(log.lines, message).to.deep.equal(expected.lines)
        expect(fifo.length, message).to.equal(list.entries.length)
        expect(fifo.tombstones, message).to.equal(list.tombstones)
        expect(fifo.nextDeadlineMs, message).to.equal(list.nextDeadlineMs)
        const head = list.entries[0]
        if (head !== undefined) {
          const moments = [fifo.headEnteredMs, fifo.headSentMs]
          expect(moments, message).to.deep.equal([head.enteredMs, head.sentMs])
        }
        log.lines.length = 0
        expected.lines.length = 0
      }
    }
  })
})

interface Entry {
  readonly ticket: number
  readonly deadlineMs: number
  readonly enteredMs: number
  position: number
  expired: boolean
  sentMs: number
  stamped: boolean
}

/** The same promises, kept in the plainest way. */
class ObviousFifo {
  entries: Entry[] = []
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  get tombstones(): number {
    return this.entries.filter((entry) => entry.expired).length
  }

  get nextDeadlineMs(): number {
    return this.entries.find((entry) => !entry.expired)?.deadlineMs ?? NEVER
  }

  reply(text: string, last: boolean): boolean {
    const head = this.entries[0]
    if (head === undefined) return false
    if (last) this.entries.shift()
    if (!head.expired) this.#log.reply(head.ticket, latin1(text), 0, text.length, last)
    return true
  }

  expire(nowMs: number): void {
    for (const entry of this.entries) {
      if (entry.expired || entry.deadlineMs > nowMs) continue
      entry.expired = true
      this.#log.failed(entry.ticket, timedOut)
    }
  }

  stamp(nowMs: number): void {
    for (const entry of this.entries) {
      if (entry.stamped) continue
      entry.sentMs = nowMs
      entry.stamped = true
    }
  }

  failAll(handedBytes: number): void {
    const entries = this.entries
    this.entries = []
    for (const { ticket, position, expired } of entries) {
      if (!expired) this.#log.failed(ticket, position < handedBytes ? lost : unavailable)
    }
  }

  failSent(handedBytes: number): void {
    const entries = this.entries.filter((entry) => !entry.expired)
    const sent = entries.filter(({ position }) => position < handedBytes)
    this.entries = entries.filter(({ position }) => position >= handedBytes)
    const start = this.entries[0]?.position ?? NEVER
    for (const entry of this.entries) {
      entry.position -= start
      entry.stamped = true
    }
    this.#log.lines.push(`from ${start}`)
    for (const { ticket } of sent) this.#log.failed(ticket, lost)
  }
}

function randomStep(
  random: Random,
  nowMs: number,
  step: number,
  fifo: Fifo,
  list: ObviousFifo,
  log: Log,
): void {
  const choice = random.integer(0, 100)
  if (choice < 50) {
    for (let i = random.pick([1, 1, 1, 30]); i > 0; i -= 1) {
      const position = (list.entries.at(-1)?.position ?? 0) + random.integer(1, 4)
      const moments = { deadlineMs: nowMs + 20, enteredMs: nowMs, sentMs: nowMs }
      const entry = { ...moments, ticket: step, position, expired: false, stamped: false }
      list.entries.push(entry)
      fifo.push(log, entry.ticket, {
        enteredMs: entry.enteredMs,
        deadlineMs: entry.deadlineMs,
        position: entry.position,
      })
    }
  } else if (choice < 60) {
    fifo.stamp(nowMs)
    list.stamp(nowMs)
  } else if (choice < 85) {
    const last = random.pick([true, true, false])
    expect(reply(fifo, String(step), last)).to.equal(list.reply(String(step), last))
  } else if (choice < 98) {
    fifo.expire(nowMs, timedOut)
    list.expire(nowMs)
  } else {
    const handedBytes = random.integer(0, (list.entries.at(-1)?.position ?? 0) + 2)
    if (random.pick([true, false])) {
      fifo.failSent(handedBytes, lost, (position) => log.lines.push(`from ${position}`))
      list.failSent(handedBytes)
    } else {
      fifo.failAll(handedBytes, lost, unavailable)
      list.failAll(handedBytes)
    }
  }
}
