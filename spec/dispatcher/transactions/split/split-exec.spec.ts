import { expect } from 'chai'
import { type Outcome, verdict } from '../../../../lib/dispatcher/transactions/split/split-exec.ts'
import {
  type Failure,
  PARTLY_EXECUTED,
  shardFailures,
  UNEXPECTED_REPLIES,
} from '../../../../lib/failures.ts'

const { unavailable, lost, timedOut } = shardFailures('b')
const DONE = Buffer.from('*1\r\n:1\r\n')
const NOTHING = Buffer.from('*0\r\n')
const ABORTED = Buffer.from('-EXECABORT no\r\n')
const NIL = Buffer.from('*-1\r\n')
const ALL = Buffer.from('all')

describe('the verdict on a transaction over several shards', () => {
  function of(...outcomes: readonly Outcome[]): Outcome {
    return verdict(outcomes, () => ALL)
  }

  /** Its words and its label. */
  function line(failure: Failure): string {
    return failure.frame.toString()
  }

  it('is the merged reply when all have executed their parts', () => {
    expect(of(DONE, NOTHING, DONE)).to.equal(ALL)
  })

  it('is uncertain when the replies do not fit together', () => {
    expect(verdict([DONE, DONE], () => undefined)).to.equal(UNEXPECTED_REPLIES)
  })

  it('is uncertain when it is for one part', () => {
    expect(of(DONE, lost)).to.equal(lost)
    expect(of(ABORTED, timedOut)).to.equal(timedOut)
    expect(of(unavailable, lost)).to.equal(lost)
  })

  it('is uncertain when some have executed theirs and others have not', () => {
    expect(of(DONE, ABORTED)).to.equal(PARTLY_EXECUTED)
    expect(of(NIL, DONE)).to.equal(PARTLY_EXECUTED)
    expect(line(of(DONE, unavailable) as Failure)).to.equal(line(unavailable.partly))
  })

  it('is what the first says when none has executed its part', () => {
    expect(of(ABORTED, unavailable)).to.equal(ABORTED)
    expect(of(unavailable, ABORTED)).to.equal(unavailable)
  })
})
