import { EventEmitter, once } from 'node:events'
import { expect } from 'chai'
import { Placement } from '../../lib/routing/placement/placement.ts'
import { placeOf } from '../../lib/routing/places.ts'
import { Ejecting, inGoodStanding, type Standing } from '../../lib/topology/ejecting.ts'

const NAMES = ['a', 'b', 'c']

function placementOf(live: readonly number[]): Placement {
  return new Placement({
    servers: live.map((index) => ({ name: NAMES[index] ?? '', weight: 1 })),
    hash: 'fnv1a_64',
    distribution: 'ketama',
    hashTag: '{}',
    byteSign: 'signed',
  })
}

interface Harness {
  readonly ring: Ejecting<string>
  /** `changed` with the shard and whether it was ejected; `probed` with the shard. */
  readonly events: EventEmitter
  answers: boolean
}

function startRing(failureLimit: number): Harness {
  const events = new EventEmitter()
  const harness: Harness = {
    events,
    answers: true,
    ring: new Ejecting({
      shards: NAMES,
      standings: NAMES.map(inGoodStanding),
      ringOf: placementOf,
      failureLimit,
      retryMs: 1,
      probe: async (shard) => {
        events.emit('probed', shard)
        return harness.answers
      },
      onChange: (shard, ejected) => events.emit('changed', shard, ejected),
    }),
  }
  return harness
}

function ownersOf(ring: Ejecting<string>): number[] {
  return Array.from({ length: 300 }, (_, i) => {
    const key = Buffer.from(`key:${i}`)
    return placeOf(ring, key, 0, key.length)
  })
}

describe('Ejecting', () => {
  it('moves the keys of an ejected shard only, and back when it answers', async () => {
    const { ring, events } = startRing(2)
    const before = ownersOf(ring)
    ring.failed(1, false)
    expect(ownersOf(ring)).to.deep.equal(before)
    ring.failed(1, false)
    const during = ownersOf(ring)
    expect(during).to.not.include(1)
    for (const [i, owner] of before.entries()) if (owner !== 1) expect(during[i]).to.equal(owner)
    expect(await once(events, 'changed')).to.deep.equal(['b', false])
    expect(ownersOf(ring)).to.deep.equal(before)
    expect(ring.placeCount).to.equal(3)
  })

  it('counts failures in a row: an answer between two starts the count again', () => {
    const { ring } = startRing(2)
    ring.failed(0, false)
    ring.failed(0, true)
    expect(ownersOf(ring)).to.include(0)
    ring.stop()
  })

  it('never ejects the last shard', () => {
    const { ring } = startRing(1)
    for (const shard of [0, 1, 2, 2, 1]) ring.failed(shard, false)
    expect(new Set(ownersOf(ring))).to.deep.equal(new Set([2]))
    ring.stop()
  })

  it('leaves a shard out as long as it does not answer', async () => {
    const harness = startRing(1)
    const { ring, events } = harness
    harness.answers = false
    ring.failed(0, false)
    await once(events, 'probed')
    expect(ownersOf(ring)).to.not.include(0)
    await once(events, 'probed')
    harness.answers = true
    expect(await once(events, 'changed')).to.deep.equal(['a', false])
  })

  describe('in the place of another', () => {
    const next = (standings: readonly Standing[], retryMs: number, nowMs: number) => {
      const events = new EventEmitter()
      const ring = new Ejecting({
        shards: NAMES.slice(-standings.length),
        standings,
        ringOf: placementOf,
        failureLimit: 2,
        retryMs,
        probe: async () => true,
        onChange: (shard, ejected) => events.emit('changed', shard, ejected),
        now: () => nowMs,
      })
      return { ring, events }
    }

    it('keeps a shard out that is ejected, and has it back when that was due', async () => {
      const standings = NAMES.map(inGoodStanding)
      const first = next(standings, 60_000, 1000).ring
      first.failed(1, false)
      first.failed(1, false)
      first.stop()
      const second = next(standings, 60_000, 60_999)
      expect(second.ring.live).to.deep.equal([0, 2])
      expect(ownersOf(second.ring)).to.not.include(1)
      expect(await once(second.events, 'changed')).to.deep.equal(['b', false])
      expect(second.ring.live).to.deep.equal([0, 1, 2])
    })

    it('waits no longer than it is told now', async () => {
      const standings = NAMES.map(inGoodStanding)
      const first = next(standings, 2_000_000_000, 0).ring
      first.failed(1, false)
      first.failed(1, false)
      first.stop()
      const { events } = next(standings, 1, 0)
      expect(await once(events, 'changed')).to.deep.equal(['b', false])
    })

    it('goes on counting failures', () => {
      const standings = NAMES.map(inGoodStanding)
      const first = next(standings, 60_000, 0).ring
      first.failed(1, false)
      first.stop()
      const { ring } = next(standings, 60_000, 0)
      ring.failed(1, false)
      expect(ring.live).to.deep.equal([0, 2])
      ring.stop()
    })

    it('takes shards that are all ejected for live: it needs one', () => {
      const standings = NAMES.map(inGoodStanding)
      const first = next(standings, 60_000, 0).ring
      for (const shard of [1, 1, 2, 2]) first.failed(shard, false)
      first.stop()
      const { ring } = next(standings.slice(1), 60_000, 0)
      expect(ring.live).to.deep.equal([0, 1])
    })
  })

  it('tells people and patterns of the shards that live, by their usual numbers', () => {
    const { ring } = startRing(1)
    ring.failed(0, false)
    const key = Buffer.from('{tag}:1')
    const pattern = Buffer.from('{tag}:*')
    const owner = placeOf(ring, key, 0, key.length)
    expect(ring.explain(key).shard).to.equal(owner)
    expect(ring.placeOfPattern(pattern, 0, pattern.length)).to.equal(owner)
    expect(ring.placeOfPattern(Buffer.from('x*'), 0, 2)).to.equal(undefined)
    expect(ring.shardAt(owner)).to.equal(NAMES[owner])
    ring.stop()
  })
})
