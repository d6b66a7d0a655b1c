/** How many requests a client may have in flight. */
import { expect } from 'chai'
import { SoleClient } from '../../../lib/downstream/flow/sole-client.ts'
import { Window, windowAfterReply } from '../../../lib/downstream/flow/window.ts'
import {
  WINDOW_ALONE_MS,
  WINDOW_BYTES,
  WINDOW_NEAR_MS,
  WINDOW_REQUESTS_MAX,
  WINDOW_REQUESTS_NEAR_MAX,
} from '../../../lib/limits.ts'

describe('windowAfterReply', () => {
  it('grows by one with each answer, to its bound', () => {
    expect(windowAfterReply(8, 256, 5)).to.equal(9)
    expect(windowAfterReply(256, 256, 5)).to.equal(256)
    expect(windowAfterReply(1000, 256, 5)).to.equal(256)
  })

  it('is no wider than recent replies allow, and lets one request through whatever they were', () => {
    expect(windowAfterReply(100, 256, WINDOW_BYTES / 8)).to.equal(8)
    expect(windowAfterReply(100, 256, 10 * WINDOW_BYTES)).to.equal(1)
  })
})

describe('Window', () => {
  const FAR_MS = WINDOW_NEAR_MS + 1
  const ALONE_MS = WINDOW_ALONE_MS

  function answered(window: Window, times: number): number {
    for (let i = 0; i < times; i++) window.answered(5)
    return window.requests
  }

  it('is wide for a client that nobody waits behind, and narrow again when somebody does', () => {
    const soleClient = new SoleClient()
    const window = new Window(soleClient)
    soleClient.heard(1, 0)
    window.bound(ALONE_MS)
    expect(answered(window, WINDOW_REQUESTS_MAX)).to.equal(WINDOW_REQUESTS_MAX)
    soleClient.heard(2, ALONE_MS)
    window.bound(ALONE_MS)
    expect(window.requests).to.equal(WINDOW_REQUESTS_NEAR_MAX)
  })

  it('is wide for a client that has had to wait for long, until it waits for less', () => {
    const soleClient = new SoleClient()
    soleClient.heard(1, 0)
    const window = new Window(soleClient)
    window.waits(0)
    soleClient.heard(2, FAR_MS)
    window.goesOn(FAR_MS)
    expect(answered(window, WINDOW_REQUESTS_MAX)).to.equal(WINDOW_REQUESTS_MAX)
    window.waits(FAR_MS)
    window.goesOn(FAR_MS)
    expect(window.requests).to.equal(WINDOW_REQUESTS_NEAR_MAX)
  })
})
