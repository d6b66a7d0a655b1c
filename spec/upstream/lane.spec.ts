/** Which lanes there are: in use, kept for the next client, or closed. */
import { expect } from 'chai'
import { LANES_MAX, LANES_UNUSED_MAX } from '../../lib/limits.ts'
import { type Lane, type LaneSettings, Lanes } from '../../lib/upstream/lane.ts'

function settings(changes: Partial<LaneSettings> = {}): LaneSettings {
  return { protocol: 2, database: undefined, credentials: undefined, ...changes }
}

describe('Lanes', () => {
  let closed: Lane[]
  let lanes: Lanes

  beforeEach(() => {
    closed = []
    lanes = new Lanes((lane) => closed.push(lane))
  })

  function enter(changes: Partial<LaneSettings>): Lane {
    const lane = lanes.enter(settings(changes))
    if (lane === undefined) throw new Error('no lane')
    return lane
  }

  /** A lane that has served a client, which has left. */
  function used(changes: Partial<LaneSettings>): Lane {
    const lane = enter(changes)
    lanes.prove(lane)
    lanes.leave(lane)
    return lane
  }

  it('gives clients with the same settings the same lane', () => {
    expect(enter({ database: 1 })).to.equal(enter({ database: 1 }))
    expect(enter({ database: 1 })).to.not.equal(enter({ database: 1, protocol: 3 }))
    expect(enter({})).to.equal(lanes.first)
  })

  it('keeps a proven lane for the next client', () => {
    const lane = used({ protocol: 3 })
    expect(closed).to.deep.equal([])
    expect(enter({ protocol: 3 })).to.equal(lane)
    expect(lanes.isProven(lane)).to.equal(true)
  })

  it('closes at once a lane that was never proven, or that holds a password', () => {
    const unproven = enter({ database: 99 })
    lanes.leave(unproven)
    const secret = used({ credentials: { username: 'a', password: 'b' } })
    expect(closed).to.deep.equal([unproven, secret])
    expect(lanes.isProven(secret)).to.equal(false)
  })

  it('does not close a lane that others still use', () => {
    const lane = enter({ database: 99 })
    enter({ database: 99 })
    lanes.leave(lane)
    expect(closed).to.deep.equal([])
    lanes.leave(lane)
    expect(closed).to.deep.equal([lane])
  })

  it('keeps a number of unused lanes and closes first the one left first', () => {
    const kept = Array.from({ length: LANES_UNUSED_MAX }, (_, i) => used({ database: i + 1 }))
    used({ database: 1 })
    expect(closed).to.deep.equal([])
    used({ database: 1000 })
    expect(closed).to.deep.equal([kept[1]])
  })

  it('makes room for a new lane by closing an unused one, and refuses it when there is none', () => {
    const unused = used({ protocol: 3 })
    for (let database = 1; database <= LANES_MAX - 2; database++) enter({ database })
    expect(closed).to.deep.equal([])
    enter({ database: LANES_MAX })
    expect(closed).to.deep.equal([unused])
    expect(lanes.enter(settings({ database: LANES_MAX + 1 }))).to.equal(undefined)
    expect(lanes.enter(settings({ database: LANES_MAX }))).to.not.equal(undefined)
  })

  it('gives every lane that is open a number of its own', () => {
    const first = used({ credentials: { username: undefined, password: 'a' } })
    const ids = [lanes.first, enter({ database: 1 }), enter({ database: 2 })].map(({ id }) => id)
    expect(new Set(ids).size).to.equal(3)
    expect(ids).to.include(first.id)
    expect(Math.max(...ids)).to.equal(2)
  })
})
