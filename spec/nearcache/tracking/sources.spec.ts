import { expect } from 'chai'
import { hashBytes } from '../../../lib/nearcache/memory/hash.ts'
import type { Source } from '../../../lib/nearcache/tracking/source.ts'
import { Sources } from '../../../lib/nearcache/tracking/sources.ts'
import { NearCacheStats } from '../../../lib/stats/near-cache-stats.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { SILENT } from '../../support/ambassador.ts'
import {
  HELLO_REPLY,
  PretendedConnection,
  trackingInfo,
} from '../../support/near-cache/pretended-connection.ts'

const KEY_CHANGED = '>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n'
const ALL_CHANGED = '>2\r\n$10\r\ninvalidate\r\n_\r\n'
const KEY = Buffer.from('k')
const KEY_HASH = hashBytes(KEY, 0, 1)

class Scene {
  nowMs = 100
  readonly stats = new NearCacheStats()
  readonly feeds: PretendedConnection[] = []
  readonly changes: [number, Source | undefined][] = []
  readonly warnings: object[] = []
  readonly shard: Shard
  readonly sources: Sources

  constructor() {
    const openAside = () => {
      const connection = new PretendedConnection()
      this.feeds.push(connection)
      return connection
    }
    this.shard = { name: 'a', openAside } as unknown as Shard
    this.sources = new Sources({
      now: () => this.nowMs,
      stats: this.stats,
      logger: { ...SILENT, warn: (facts) => this.warnings.push(facts as object) },
      slots: () => undefined,
      changed: (keyHash, from) => this.changes.push([keyHash, from]),
    })
  }

  get feed(): PretendedConnection {
    return this.feeds.at(-1) as PretendedConnection
  }

  /** A source that is tracked, and its connection. */
  begin(protocol: 2 | 3): readonly [Source, PretendedConnection] {
    const connection = new PretendedConnection()
    const source = this.sources.of(this.shard, connection.asConnection, protocol)
    const feedsBefore = this.feeds.length
    source.current()
    if (this.feeds.length > feedsBefore) {
      this.feed.answer(HELLO_REPLY, ':17\r\n')
      source.current()
    }
    if (protocol === 3) connection.answer(HELLO_REPLY)
    connection.answer('+OK\r\n', trackingInfo(protocol === 3 ? 0 : 17))
    return [source, connection]
  }
}

describe('Sources', () => {
  let scene: Scene

  beforeEach(() => {
    scene = new Scene()
  })

  it('has one source for each connection, and one feed for those of a shard that speak RESP2', () => {
    const [one, connection] = scene.begin(2)
    const [other] = scene.begin(2)
    scene.begin(3)
    expect(scene.sources.of(scene.shard, connection.asConnection, 2)).to.equal(one)
    expect(other).not.to.equal(one)
    expect(scene.feeds).to.have.length(1)
    expect(scene.sources.standing).to.deep.equal({ connections: 3, untracked: 0 })
    expect(scene.sources.tracked).to.have.length(3)
  })

  it('tells which key has changed, and over whose connection that was announced', () => {
    const [, resp3] = scene.begin(3)
    const [inBand] = [scene.sources.tracked[0]]
    scene.begin(2)
    resp3.push(KEY_CHANGED)
    scene.feed.push(KEY_CHANGED)
    expect(scene.changes).to.deep.equal([
      [KEY_HASH, inBand],
      [KEY_HASH, undefined],
    ])
  })

  it('drops all that a feed answers for when it says that all keys are concerned, and no more', () => {
    const [one] = scene.begin(2)
    const [other] = scene.begin(3)
    const before = [one.number, other.number]
    scene.feed.push(ALL_CHANGED)
    expect(one.current()).to.be.greaterThan(Math.max(...before))
    expect(other.current()).to.equal(before[1])
    expect(scene.stats.sourcesEnded.flushed).to.equal(1)
  })

  it('relies on a feed no more that says what is not understood, or in parts', () => {
    for (const [text, last] of [
      ['>2\r\n$10\r\ninvalidate\r\n*1\r\n:1\r\n', true],
      ['>2\r\n$10\r\ninvalidate\r\n*1\r\n', false],
    ] as const) {
      scene = new Scene()
      const [source] = scene.begin(2)
      scene.feed.push(text, last)
      expect(source.number).to.equal(0)
      expect(scene.feed.state).to.equal('closed')
      expect(scene.stats.sourcesEnded.broken).to.equal(1)
    }
  })

  it('closes a feed when nobody needs it any more', () => {
    const [, connection] = scene.begin(2)
    scene.sources.refresh(0)
    expect(scene.feed.state).to.equal('ready')
    connection.close()
    scene.sources.refresh(0)
    expect(scene.feed.state).to.equal('closed')
    expect(scene.sources.standing.connections).to.equal(0)
  })

  it('says once why a shard cannot be tracked', () => {
    const connection = new PretendedConnection()
    const source = scene.sources.of(scene.shard, connection.asConnection, 3)
    for (let round = 0; round < 2; round++) {
      source.current()
      connection.answer(HELLO_REPLY, '-NOPERM no\r\n', '-NOPERM no\r\n')
      scene.nowMs += 5000
    }
    expect(scene.warnings).to.deep.equal([{ shard: 'a', reason: 'NOPERM no' }])
  })

  it('says how long ago each shard was certain that nothing had changed', () => {
    const [source] = scene.begin(3)
    scene.nowMs = 400
    expect([...scene.sources.confirmedAges()]).to.deep.equal([['a', 300]])
    source.confirm(350)
    expect([...scene.sources.confirmedAges()]).to.deep.equal([['a', 50]])
  })

  it('gives each source another number when all is to be forgotten, and none when it is closed', () => {
    const [source] = scene.begin(2)
    const before = source.number
    scene.sources.renumberAll('cleared')
    expect(source.number).to.be.greaterThan(before)
    scene.sources.close()
    expect([source.number, scene.feed.state]).to.deep.equal([0, 'closed'])
  })
})
