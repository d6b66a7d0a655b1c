import { expect } from 'chai'
import type { Feed } from '../../../lib/nearcache/tracking/feed.ts'
import type { Ownership, Told } from '../../../lib/nearcache/tracking/ownership.ts'
import { Source, UNTRACKED } from '../../../lib/nearcache/tracking/source.ts'
import { NearCacheStats } from '../../../lib/stats/near-cache-stats.ts'
import {
  HELLO_REPLY,
  OLD_HELLO_REPLY,
  PretendedConnection,
  trackingInfo,
} from '../../support/near-cache/pretended-connection.ts'

class PretendedFeed {
  number = 1
  clientId = '17'
  confirmedMs = 100

  current(): number {
    return this.number
  }
}

class Scene {
  nowMs = 100
  readonly stats = new NearCacheStats()
  readonly connection = new PretendedConnection()
  readonly refusals: string[] = []
  readonly feed: PretendedFeed | undefined
  readonly source: Source
  #last = 0

  constructor(protocol: 2 | 3, ownership?: Ownership) {
    this.feed = protocol === 2 ? new PretendedFeed() : undefined
    const feed = this.feed as unknown as Feed | undefined
    const owner = {
      nextNumber: () => ++this.#last,
      now: () => this.nowMs,
      stats: this.stats,
      refused: (_source: Source, words: string) => this.refusals.push(words),
      began: () => {},
    }
    this.source = new Source(this.connection.asConnection, feed, 'a', owner, ownership)
  }

  begin(): void {
    this.source.current()
    if (this.feed === undefined) this.connection.answer(HELLO_REPLY)
    this.connection.answer('+OK\r\n', trackingInfo(this.feed === undefined ? 0 : 17))
  }
}

describe('Source', () => {
  it('is tracked in RESP2 by way of the feed, and begins when the shard says that it tracks', () => {
    const scene = new Scene(2)
    expect(scene.source.current()).to.equal(UNTRACKED)
    const asked = ['CLIENT TRACKING ON REDIRECT 17 OPTIN', 'CLIENT TRACKINGINFO']
    expect(scene.connection.sent).to.deep.equal(asked)
    scene.connection.answer('+OK\r\n')
    expect(scene.source.current()).to.equal(UNTRACKED)
    scene.connection.answer(trackingInfo(17))
    expect(scene.source.current()).to.equal(1)
    expect(scene.connection.sent).to.have.length(2)
  })

  it('is tracked in RESP3 itself, if the server is new enough', () => {
    const scene = new Scene(3)
    scene.begin()
    const asked = ['HELLO', 'CLIENT TRACKING ON OPTIN', 'CLIENT TRACKINGINFO']
    expect([scene.connection.sent, scene.source.current()]).to.deep.equal([asked, 1])
  })

  it('asks for nothing while there is no feed', () => {
    const scene = new Scene(2)
    ;(scene.feed as PretendedFeed).number = 0
    expect([scene.source.current(), scene.connection.sent]).to.deep.equal([UNTRACKED, []])
  })

  it('ends with its connection and with its feed, and begins anew under another number', () => {
    const scene = new Scene(2)
    scene.begin()
    scene.connection.lose()
    expect(scene.source.current()).to.equal(UNTRACKED)
    scene.begin()
    expect(scene.source.current()).to.equal(2)
    ;(scene.feed as PretendedFeed).number = 9
    expect(scene.source.current()).to.equal(UNTRACKED)
    expect(scene.stats.sourcesEnded).to.include({ lost: 1, feedLost: 1 })
  })

  it('does not begin by an answer that belongs to the feed before', () => {
    const scene = new Scene(2)
    scene.source.current()
    scene.connection.answer('+OK\r\n')
    ;(scene.feed as PretendedFeed).number = 2
    scene.connection.answer(trackingInfo(17))
    expect(scene.source.number).to.equal(UNTRACKED)
  })

  it('says why it is refused, and asks again after five seconds', () => {
    const scene = new Scene(3)
    scene.source.current()
    scene.connection.answer(OLD_HELLO_REPLY, '-NOPERM no\r\n', trackingInfo(0))
    expect(scene.refusals).to.have.length(1)
    expect(scene.refusals[0]).to.include('Redis 7.0.5 is not relied on')
    scene.nowMs += 4999
    scene.source.current()
    expect(scene.connection.sent).to.have.length(3)
    scene.nowMs += 1
    scene.begin()
    expect(scene.source.current()).to.equal(1)
  })

  it('is refused by a shard that does not track though it says OK', () => {
    const scene = new Scene(2)
    scene.source.current()
    scene.connection.answer('+OK\r\n', trackingInfo(18))
    expect(scene.refusals).to.have.length(1)
    expect(scene.source.number).to.equal(UNTRACKED)
  })

  it('is confirmed as far as both its connection and its feed are', () => {
    const scene = new Scene(2)
    scene.begin()
    scene.source.confirm(300)
    expect(scene.source.confirmedMs).to.equal(100)
    ;(scene.feed as PretendedFeed).confirmedMs = 400
    expect(scene.source.confirmedMs).to.equal(300)
    scene.source.confirm(200)
    expect(scene.source.confirmedMs).to.equal(300)
  })

  it('asks for a sign of life, one at a time, and counts from when it asked', () => {
    const scene = new Scene(3)
    scene.begin()
    scene.source.refresh(100)
    expect(scene.connection.sent).to.have.length(3)
    scene.nowMs = 300
    scene.source.refresh(200)
    scene.source.refresh(200)
    expect(scene.connection.sent.slice(3)).to.deep.equal(['PING'])
    scene.nowMs = 400
    scene.connection.answer('+PONG\r\n')
    expect(scene.source.confirmedMs).to.equal(300)
  })

  it('relies on a node of a cluster as far as that says that it serves its slots', () => {
    const asked: Told[] = []
    const scene = new Scene(3, { ask: (_: object, told: Told) => asked.push(told) } as never)
    scene.source.current()
    asked[0]?.(undefined)
    scene.connection.answer(HELLO_REPLY, '+OK\r\n', trackingInfo(0))
    expect(scene.source.current()).to.equal(1)
    // A reply tells of one slot only.
    scene.source.confirm(200)
    expect(scene.source.confirmedMs).to.equal(100)
    scene.nowMs = 300
    scene.source.refresh(300)
    scene.connection.answer('+PONG\r\n')
    expect(scene.source.confirmedMs).to.equal(100)
    asked[1]?.(undefined)
    expect(scene.source.confirmedMs).to.equal(300)
    scene.nowMs = 400
    scene.source.refresh(400)
    asked[2]?.('it serves none')
    expect([scene.refusals, scene.source.current()]).to.deep.equal([['it serves none'], UNTRACKED])
    expect(scene.stats.sourcesEnded.refused).to.equal(1)
  })

  it('does not begin at a node that serves no slots', () => {
    const asked: Told[] = []
    const scene = new Scene(2, { ask: (_: object, told: Told) => asked.push(told) } as never)
    scene.source.current()
    asked[0]?.('it serves none')
    scene.connection.answer('+OK\r\n', trackingInfo(17))
    expect([scene.refusals, scene.source.number]).to.deep.equal([['it serves none'], UNTRACKED])
  })

  it('goes on under another number when all that was read is to be dropped', () => {
    const scene = new Scene(3)
    scene.source.renumber('flushed')
    expect(scene.source.number).to.equal(UNTRACKED)
    scene.begin()
    scene.source.renumber('flushed')
    expect([scene.source.current(), scene.stats.sourcesEnded.flushed]).to.deep.equal([2, 1])
  })
})
