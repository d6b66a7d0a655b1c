import { expect } from 'chai'
import { Window, windowAfterReply } from '../../lib/downstream/window.ts'
import { LARGE_BYTES } from '../../lib/io/outbox.ts'
import {
  WINDOW_BYTES,
  WINDOW_NEAR_MS,
  WINDOW_REQUEST_BYTES,
  WINDOW_REQUESTS_FIRST,
  WINDOW_REQUESTS_MAX,
  WINDOW_REQUESTS_NEAR_MAX,
} from '../../lib/limits.ts'

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
  /** As many answers as let any window grow to its bound. */
  function grow(window: Window): void {
    for (let i = 0; i < WINDOW_REQUESTS_MAX; i++) window.settled(i, 5)
  }

  it('starts small, and is full when so many requests are in flight', () => {
    const window = new Window()
    expect(window.isFull(WINDOW_REQUESTS_FIRST - 1)).to.equal(false)
    expect(window.isFull(WINDOW_REQUESTS_FIRST)).to.equal(true)
  })

  it('is wide for a client that is alone, until it is not', () => {
    const window = new Window()
    window.bound(true)
    grow(window)
    expect(window.requests).to.equal(WINDOW_REQUESTS_MAX)
    window.bound(false)
    expect(window.requests).to.equal(WINDOW_REQUESTS_NEAR_MAX)
  })

  it('is wide for a client whose last wait was long, as its shards are far', () => {
    const window = new Window()
    const wait = (ms: number): void => {
      window.waits(1000)
      window.goesOn(1000 + ms)
      window.bound(false)
      grow(window)
    }
    wait(WINDOW_NEAR_MS)
    expect(window.requests).to.equal(WINDOW_REQUESTS_NEAR_MAX)
    wait(WINDOW_NEAR_MS + 1)
    expect(window.requests).to.equal(WINDOW_REQUESTS_MAX)
    wait(WINDOW_NEAR_MS)
    expect(window.requests).to.equal(WINDOW_REQUESTS_NEAR_MAX)
  })

  it('is full when the large requests in flight are too many bytes, whatever the small ones are', () => {
    const window = new Window()
    window.opened(1, LARGE_BYTES - 1)
    window.opened(2, WINDOW_REQUEST_BYTES - LARGE_BYTES)
    window.opened(3, LARGE_BYTES)
    expect(window.isFull(3)).to.equal(false)
    window.opened(4, LARGE_BYTES)
    expect(window.isFull(4)).to.equal(true)
    window.settled(1, 5)
    expect(window.isFull(3)).to.equal(true)
    window.settled(3, 5)
    expect(window.isFull(2)).to.equal(false)
    window.opened(5, LARGE_BYTES)
    expect(window.isFull(3)).to.equal(true)
    window.left(5)
    expect(window.isFull(2)).to.equal(false)
    expect(window.requests).to.equal(WINDOW_REQUESTS_FIRST + 2)
  })
})
