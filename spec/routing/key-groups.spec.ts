import { expect } from 'chai'
import { KeyGroups } from '../../lib/routing/key-groups.ts'
import { createRandom, specSeed } from '../support/random.ts'

function group(groups: KeyGroups, keyPlaces: readonly number[], placeCount: number): void {
  groups.begin(keyPlaces.length, placeCount)
  for (const [key, place] of keyPlaces.entries()) groups.add(key, place, 100 + key)
}

describe('KeyGroups', () => {
  it('lists the places in the order of their first key, with their keys', () => {
    const groups = new KeyGroups()
    group(groups, [2, 0, 2, 2, 1], 3)
    expect(groups.places).to.deep.equal([2, 0, 1])
    expect([...groups.counts.subarray(0, 3)]).to.deep.equal([3, 1, 1])
    expect([...groups.groupOf.subarray(0, 5)]).to.deep.equal([0, 1, 0, 0, 2])
    expect([...groups.firstKeys.subarray(0, 3)]).to.deep.equal([0, 1, 4])
    expect([...groups.firstHashes.subarray(0, 3)]).to.deep.equal([100, 101, 104])
  })

  it('has no places for a command without keys', () => {
    const groups = new KeyGroups()
    group(groups, [1], 2)
    group(groups, [], 2)
    expect(groups.places).to.deep.equal([])
  })

  it('forgets the command before, with more or fewer keys and places', () => {
    const random = createRandom(specSeed())
    const groups = new KeyGroups()
    for (let round = 0; round < 500; round += 1) {
      const placeCount = random.integer(1, 20)
      const keyCount = random.pick([0, 1, 2, 16, 17, 100, 1000])
      const keyPlaces = Array.from({ length: keyCount }, () => random.integer(0, placeCount))
      group(groups, keyPlaces, placeCount)
      const places = [...new Set(keyPlaces)]
      const message = `seed ${random.seed}, round ${round}`
      expect(groups.places, message).to.deep.equal(places)
      const counts = places.map((place) => keyPlaces.filter((other) => other === place).length)
      expect([...groups.counts.subarray(0, places.length)], message).to.deep.equal(counts)
      const groupOf = keyPlaces.map((place) => places.indexOf(place))
      expect([...groups.groupOf.subarray(0, keyCount)], message).to.deep.equal(groupOf)
    }
  })
})
