import { expect } from 'chai'
import { RECONNECT_MS_MIN, RECOVERED_AFTER_MS } from '../../../../lib/limits.ts'
import { Attempts } from '../../../../lib/upstream/connection/making/attempts.ts'

describe('Attempts', () => {
  /** So many failures in a row come to a wait of half to all of this. */
  function expectFailures(attempts: Attempts, failures: number): void {
    const longestMs = RECONNECT_MS_MIN * 2 ** (failures - 1)
    expect(attempts.delayMs(false)).to.be.within(longestMs / 2, longestMs)
  }

  it('are due later with each failure in a row', () => {
    const attempts = new Attempts()
    for (const failures of [1, 2, 3]) {
      attempts.failed(1000)
      expectFailures(attempts, failures)
    }
  })

  it('are worth one at once while nothing has failed, or not since the connection was ready', () => {
    const attempts = new Attempts()
    attempts.succeeded(1)
    expect(attempts.isFirstFailure(1)).to.equal(true)
    attempts.failed(1)
    attempts.succeeded(10)
    expect(attempts.isFirstFailure(10 + RECOVERED_AFTER_MS - 1)).to.equal(false)
    expect(attempts.isFirstFailure(10 + RECOVERED_AFTER_MS)).to.equal(true)
  })

  it('forget failures before a connection that has lasted, and none before one that has not', () => {
    const attempts = new Attempts()
    attempts.failed(1)
    attempts.succeeded(10)
    attempts.failed(10 + RECOVERED_AFTER_MS - 1)
    expectFailures(attempts, 2)
    attempts.succeeded(20)
    attempts.failed(20 + RECOVERED_AFTER_MS)
    expectFailures(attempts, 1)
    // It has not been ready since.
    attempts.failed(20 + 9 * RECOVERED_AFTER_MS)
    expectFailures(attempts, 2)
  })
})
