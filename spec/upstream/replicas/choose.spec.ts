import { expect } from 'chai'
import { type Candidate, choose, type MasterFacts } from '../../../lib/upstream/replicas/choose.ts'

function replica(facts: Partial<Candidate> & { readonly stay: number }): Candidate {
  const known = { serves: true, coveredMs: 100, offset: 1, zone: undefined, roundTripMs: 1 }
  return { ...known, ...facts }
}

const UP: MasterFacts = { up: true, zone: undefined, roundTripMs: 1 }
const FRESH = { stay: 0, floorMs: 0, spread: 0 }
const one = replica({ stay: 1 })
const two = replica({ stay: 2 })

describe('choose', () => {
  it('spreads sessions over the replicas that serve', () => {
    const gone = replica({ stay: 3, serves: false })
    const chosen = [0, 1, 2, 3].map((spread) => {
      return choose('replica', undefined, [one, gone, two], UP, { ...FRESH, spread })
    })
    expect(chosen).to.deep.equal([one, two, one, two])
  })

  it('stays with the replica of before, wherever others are', () => {
    const past = { stay: 2, floorMs: 0, spread: 0 }
    expect(choose('prefer-replica', undefined, [one, two], UP, past)).to.equal(two)
  })

  it('takes no replica that is not known to have what the session has seen', () => {
    const past = { ...FRESH, floorMs: 100 }
    const ahead = replica({ stay: 3, coveredMs: 101 })
    for (const policy of ['prefer-replica', 'replica', 'nearest'] as const) {
      const candidates =
        policy === 'nearest' ? [replica({ stay: 4, roundTripMs: 0.1 })] : [one, two]
      expect(choose(policy, undefined, candidates, UP, past)).to.equal('behind')
    }
    expect(choose('replica', undefined, [one, two, ahead], UP, past)).to.equal(ahead)
    // Another that is as far does not count, as long as the session's own serves.
    expect(choose('replica', undefined, [one, ahead], UP, { ...past, stay: 1 })).to.equal('behind')
  })

  it('falls back to the master, or to nobody, when no replica serves', () => {
    const gone = [replica({ stay: 1, serves: false })]
    expect(choose('prefer-replica', undefined, gone, UP, FRESH)).to.equal('master')
    expect(choose('nearest', undefined, gone, UP, FRESH)).to.equal('master')
    expect(choose('replica', undefined, gone, UP, FRESH)).to.equal('nobody')
  })

  it('prefers the master as long as that is up, and then the replica that is furthest', () => {
    const far = replica({ stay: 3, offset: 9, coveredMs: 5 })
    const down = { ...UP, up: false }
    const past = { ...FRESH, floorMs: 1000 }
    expect(choose('prefer-master', undefined, [one, far], UP, past)).to.equal('master')
    expect(choose('prefer-master', undefined, [one, far], down, past)).to.equal(far)
    expect(choose('prefer-master', undefined, [one, far], down, { ...past, stay: 1 })).to.equal(one)
    expect(choose('prefer-master', undefined, [one, far], UP, past, 'master')).to.equal(far)
    expect(choose('prefer-master', undefined, [], down, past)).to.equal('master')
  })

  it('takes the one that answers soonest, the master among them, as nearest', () => {
    const quick = replica({ stay: 3, roundTripMs: 0.2 })
    const unmeasured = replica({ stay: 4, roundTripMs: undefined })
    expect(choose('nearest', undefined, [one, quick, unmeasured], UP, FRESH)).to.equal(quick)
    const close = { ...UP, roundTripMs: 0.1 }
    expect(choose('nearest', undefined, [one, quick], close, FRESH)).to.equal('master')
  })

  it('looks at the zone before that', () => {
    const here = replica({ stay: 3, zone: 'z1', roundTripMs: 5 })
    const there = replica({ stay: 4, zone: 'z2', roundTripMs: 0.1 })
    expect(choose('nearest', 'z1', [here, there], UP, FRESH)).to.equal(here)
    const master = { ...UP, zone: 'z1', roundTripMs: 1 }
    expect(choose('nearest', 'z1', [here, there], master, FRESH)).to.equal('master')
  })

  it('does not choose again what has failed the read', () => {
    expect(choose('replica', undefined, [one, two], UP, { ...FRESH, stay: 1 }, one)).to.equal(two)
    expect(choose('replica', undefined, [one], UP, FRESH, one)).to.equal('nobody')
    expect(choose('prefer-replica', undefined, [one], UP, FRESH, one)).to.equal('master')
  })
})
