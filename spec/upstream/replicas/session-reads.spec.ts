import { expect } from 'chai'
import { NEVER } from '../../../lib/upstream/replicas/coverage.ts'
import { SessionReads } from '../../../lib/upstream/replicas/session-reads.ts'

const BOUND_MS = 1000

describe('SessionReads', () => {
  let nowMs: number
  let inFlight: number
  let heard: [number, number][]
  let reads: SessionReads

  beforeEach(() => {
    nowMs = 5000
    inFlight = 0
    heard = []
    reads = new SessionReads({
      sessionId: 7,
      replied: { settled: (openedMs, sentMs) => heard.push([openedMs, sentMs]) },
      inFlight: () => inFlight,
      isClosed: () => false,
      now: () => nowMs,
    })
  })

  /** A request of the session; what it means is told before it is opened. */
  function open(meaning?: 'writes' | 'sees'): void {
    if (meaning !== undefined) reads[meaning]()
    inFlight++
  }

  function answer(): void {
    inFlight--
    reads.settled(1, 2)
  }

  it('lets a session that has done nothing read where it likes', () => {
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(true)
    expect(reads.floorMs(BOUND_MS)).to.equal(NEVER)
  })

  it('keeps a session at the master from its write until so long after the reply', () => {
    open('writes')
    nowMs += 10 * BOUND_MS
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
    expect(reads.mayLeaveMaster(0)).to.equal(false)
    answer()
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
    nowMs += BOUND_MS - 1
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
    nowMs += 1
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(true)
  })

  it('tells the replies of one request from those of others in the pipeline', () => {
    open()
    open('writes')
    open()
    answer()
    nowMs += BOUND_MS
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
    answer()
    const answeredMs = nowMs
    nowMs += BOUND_MS
    answer()
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(true)
    expect(reads.floorMs(BOUND_MS)).to.equal(answeredMs)
  })

  it('counts from the last of several writes', () => {
    open('writes')
    open('writes')
    answer()
    nowMs += BOUND_MS
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
    answer()
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
  })

  it('waits for the answer of what shows the master, and no longer', () => {
    open('sees')
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
    answer()
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(true)
    expect(reads.floorMs(BOUND_MS)).to.equal(nowMs)
  })

  it('asks a server to have the writes of the session, unless that was given up', () => {
    open('sees')
    answer()
    const seenMs = nowMs
    nowMs += 5
    open('writes')
    answer()
    expect(reads.floorMs(BOUND_MS)).to.equal(nowMs)
    expect(reads.floorMs(0)).to.equal(seenMs)
    expect(reads.mayLeaveMaster(0)).to.equal(true)
  })

  it('takes each request of a transaction for its EXEC', () => {
    open()
    reads.entersTransaction()
    open()
    open()
    answer()
    answer()
    nowMs += BOUND_MS
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
    answer()
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
    nowMs += BOUND_MS
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(true)
  })

  it('takes the last reply for that of EXEC when a transaction is over', () => {
    reads.entersTransaction()
    open()
    answer()
    const answeredMs = nowMs
    nowMs += 5
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
    expect(reads.floorMs(BOUND_MS)).to.equal(answeredMs)
    nowMs = answeredMs + BOUND_MS
    expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(true)
  })

  for (const underWay of [0, 1]) {
    it(`believes a session with a past to have written just now (${underWay} under way)`, () => {
      for (let i = 0; i < underWay; i++) open()
      reads.hasPast()
      const sinceMs = nowMs
      expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
      for (let i = 0; i < underWay; i++) answer()
      nowMs += BOUND_MS - 1
      expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(false)
      nowMs += 1
      expect(reads.mayLeaveMaster(BOUND_MS)).to.equal(true)
      expect(reads.floorMs(BOUND_MS)).to.equal(sinceMs)
    })
  }

  it('passes on what it hears of replies', () => {
    open()
    answer()
    expect(heard).to.deep.equal([[1, 2]])
  })
})
