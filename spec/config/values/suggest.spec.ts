/** Suggestions for mistyped names. */
import { expect } from 'chai'
import { didYouMean, editDistance, nearest } from '../../../lib/config/values/suggest.ts'

describe('editDistance', () => {
  for (const [from, to, distance] of [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['shards', 'shards', 0],
    ['shard', 'shards', 1],
    ['shrads', 'shards', 1],
    ['kitten', 'sitting', 3],
    ['ab', 'ba', 1],
  ] as const) {
    it(`counts ${distance} between "${from}" and "${to}"`, () => {
      expect(editDistance(from, to)).to.equal(distance)
      expect(editDistance(to, from)).to.equal(distance)
    })
  }
})

describe('nearest', () => {
  const names = ['development', 'production', 'staging', 'test']

  it('finds the name behind a slip, an abbreviation and the wrong case', () => {
    expect(nearest('prodcution', names)).to.equal('production')
    expect(nearest('prod', names)).to.equal('production')
    expect(nearest('STAGING', names)).to.equal('staging')
  })

  it('does not count case and joints', () => {
    expect(nearest('max-clients', ['listen', 'maxClients'])).to.equal('maxClients')
    expect(nearest('fnv1a64', ['fnv1_64', 'fnv1a_64'])).to.equal('fnv1a_64')
  })

  it('finds nothing where nothing is near', () => {
    expect(nearest('qa', names)).to.equal(undefined)
    expect(nearest('completely-different', names)).to.equal(undefined)
    expect(nearest('x', [])).to.equal(undefined)
  })

  it('does not offer a name that would have to be rewritten entirely', () => {
    expect(nearest('ab', ['xy'])).to.equal(undefined)
  })
})

describe('didYouMean', () => {
  it('is a clause, or nothing', () => {
    expect(didYouMean('shrads', ['shards'])).to.equal('; did you mean "shards"?')
    expect(didYouMean('zzz', ['shards'])).to.equal('')
  })

  it('looks at the first 64 characters of whatever it is given', () => {
    expect(didYouMean('s'.repeat(1_000_000), ['shards'])).to.equal('')
  })
})
