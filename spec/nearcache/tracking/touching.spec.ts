/** Which shards are told of hits, and of which keys. */
import { expect } from 'chai'
import { mergeLayers } from '../../../lib/config/schema.ts'
import { Entries } from '../../../lib/nearcache/memory/entries.ts'
import type { Source } from '../../../lib/nearcache/tracking/source.ts'
import { evictsByUse, Touching } from '../../../lib/nearcache/tracking/touching.ts'
import { requestFrame } from '../../../lib/resp/encode.ts'
import { NearCacheStats } from '../../../lib/stats/near-cache-stats.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import { ManualTurn } from '../../support/manual-turn.ts'

const info = (policy: string, max = 100) => {
  return `$9\r\nmaxmemory:${max}\r\nmaxmemory_human:1M\r\nmaxmemory_policy:${policy}\r\n`
}

/** A tracked connection that answers INFO as it is told to, and notes all else. */
class PretendedSource {
  readonly sent: string[] = []
  infos = 0
  answer = '+OK\r\n'
  /** Of a cluster's node. */
  ownership: object | undefined
  readonly number: number
  readonly info: string
  readonly connection = {
    send: (sink: ReplySink, tag: number, frame: Buffer): void => {
      const words = frame.toString('latin1').split('\r\n')
      const isInfo = words[2] === 'INFO'
      if (isInfo) this.infos++
      else this.sent.push(words.filter((_, at) => at > 0 && at % 2 === 0).join(' '))
      const reply = Buffer.from(isInfo ? this.info : this.answer)
      sink.reply(tag, reply, 0, reply.length, true)
    },
  }

  constructor(number: number, info: string) {
    this.number = number
    this.info = info
  }
}

class Scene {
  readonly entries = new Entries(64 * 1024)
  readonly stats = new NearCacheStats()
  readonly turn = new ManualTurn()
  readonly touching: Touching
  readonly tracked: readonly Source[]

  constructor(sources: readonly PretendedSource[], touchMs = 0) {
    const settings = { ...mergeLayers([{}]), nearCacheKeys: ['*'], nearCacheTouchMs: touchMs }
    const { entries, turn, stats } = this
    this.tracked = sources as unknown as readonly Source[]
    this.touching = new Touching({ settings, entries }, this, turn.turn, stats)
  }

  keep(source: number, ...request: string[]): number {
    const frame = requestFrame(request)
    this.entries.put(7, 9, source, 1000, frame, Buffer.from('+v\r\n'))
    return this.entries.find(7, source, frame, 0, frame.length)
  }

  /** Tells of all parts. */
  touchAll(): void {
    for (let part = 0; part < 16; part++) this.touching.touchPart()
  }
}

describe('Touching', () => {
  it('tells of keys that were hit, once for all hits since the last time', () => {
    const source = new PretendedSource(1, info('allkeys-lru'))
    const scene = new Scene([source])
    const hot = scene.keep(1, 'GET', 'hot')
    scene.keep(1, 'GET', 'cold')
    scene.touchAll()
    scene.entries.hit(hot)
    scene.entries.hit(hot)
    scene.touchAll()
    expect(source.sent).to.deep.equal(['TOUCH hot'])
    scene.touchAll()
    expect(source.sent).to.have.length(1)
    scene.entries.hit(hot)
    scene.touchAll()
    expect(source.sent).to.have.length(2)
    expect(scene.stats.touches).to.equal(2)
  })

  it('finds the key of every request, whatever is in it', () => {
    const source = new PretendedSource(1, info('volatile-lfu'))
    const scene = new Scene([source])
    for (const key of ['', 'x'.repeat(300)]) scene.entries.hit(scene.keep(1, 'HGET', key, 'field'))
    scene.touchAll()
    scene.touchAll()
    expect(source.sent).to.deep.equal([`TOUCH  ${'x'.repeat(300)}`])
  })

  it('tells the source over which the key was read, and none that has ended', () => {
    const [one, other] = [1, 2].map((number) => new PretendedSource(number, info('allkeys-lfu')))
    const scene = new Scene([one as PretendedSource, other as PretendedSource])
    scene.entries.hit(scene.keep(2, 'GET', 'second'))
    scene.entries.hit(scene.keep(3, 'GET', 'third'))
    scene.touchAll()
    expect(one?.sent).to.deep.equal([])
    expect(other?.sent).to.deep.equal(['TOUCH second'])
  })

  it('tells a node of a cluster of each key by itself, and goes on when one has moved', () => {
    const source = new PretendedSource(1, info('allkeys-lru'))
    source.ownership = {}
    source.answer = '-MOVED 1 10.0.0.2:6379\r\n'
    const scene = new Scene([source])
    scene.touching.touchPart()
    for (const key of ['a', 'b']) scene.entries.hit(scene.keep(1, 'GET', key))
    scene.touchAll()
    expect(source.sent.toSorted()).to.deep.equal(['TOUCH a', 'TOUCH b'])
    scene.entries.hit(scene.keep(1, 'GET', 'c'))
    scene.touchAll()
    expect(source.sent).to.have.length(3)
  })

  it('tells of a hundred keys at most in one command', () => {
    const source = new PretendedSource(1, info('allkeys-lru'))
    const scene = new Scene([source])
    scene.touching.touchPart()
    for (let key = 0; key < 390; key++) scene.entries.hit(scene.keep(1, 'GET', `${key}`))
    scene.touchAll()
    const counts = source.sent.map((command) => command.split(' ').length - 1)
    expect(counts.reduce((sum, count) => sum + count)).to.equal(390)
    expect(Math.max(...counts)).to.be.at.most(100)
  })

  it('leaves a shard alone that evicts nothing by use, and asks it again after a minute', () => {
    const source = new PretendedSource(1, info('noeviction'))
    const scene = new Scene([source])
    scene.entries.hit(scene.keep(1, 'GET', 'a'))
    scene.touchAll()
    scene.touchAll()
    expect([source.sent, source.infos]).to.deep.equal([[], 1])
    scene.turn.end()
    scene.turn.nowMs = 60_000
    scene.touchAll()
    expect(source.infos).to.equal(2)
  })

  it('goes on no more with a shard that refuses', () => {
    const source = new PretendedSource(1, info('allkeys-lru'))
    source.answer = '-NOPERM\r\n'
    const scene = new Scene([source])
    const entry = scene.keep(1, 'GET', 'a')
    for (let round = 0; round < 3; round++) {
      scene.entries.hit(entry)
      scene.touchAll()
    }
    expect(source.sent).to.have.length(1)
  })

  it('goes on with an entry that had to make room for others', () => {
    const source = new PretendedSource(1, info('allkeys-lru'))
    const scene = new Scene([source])
    scene.touchAll()
    scene.entries.hit(scene.keep(1, 'GET', 'hot'))
    // Each is kept by the hand once, since it was hit.
    for (let key = 0; scene.entries.evictions === 0; key++) scene.keep(1, 'GET', `${key}`)
    scene.touchAll()
    expect(source.sent).to.deep.equal(['TOUCH hot'])
  })
})

describe('evictsByUse', () => {
  it('is so by LRU and LFU, where there is a bound', () => {
    for (const policy of ['allkeys-lru', 'volatile-lru', 'allkeys-lfu', 'volatile-lfu']) {
      expect(evictsByUse(info(policy)), policy).to.equal(true)
    }
    for (const policy of ['noeviction', 'allkeys-random', 'volatile-ttl']) {
      expect(evictsByUse(info(policy)), policy).to.equal(false)
    }
    expect(evictsByUse(info('allkeys-lru', 0))).to.equal(false)
  })

  it('is taken to be so where the server does not tell', () => {
    expect(evictsByUse("-NOPERM this user has no permissions to run the 'info' command")).to.equal(
      true,
    )
  })
})
