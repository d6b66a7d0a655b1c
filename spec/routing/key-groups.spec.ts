import { expect } from 'chai'
import { KeyGroups } from '../../lib/routing/key-groups.ts'
import { createRandom, specSeed } from '../support/random.ts'

function group(groups: KeyGroups, keyShards: readonly number[], shardCount: number): void {
  groups.begin(keyShards.length, shardCount)
  for (const [key, shard] of keyShards.entries()) groups.add(key, shard)
}

describe('KeyGroups', () => {
  it('lists the shards in the order of their first key, with their keys', () => {
    const groups = new KeyGroups()
    group(groups, [2, 0, 2, 2, 1], 3)
    expect(groups.shards).to.deep.equal([2, 0, 1])
    expect(groups.counts).to.deep.equal([3, 1, 1])
    expect([...groups.owners.subarray(0, 5)]).to.deep.equal([0, 1, 0, 0, 2])
  })

  it('has no shards for a command without keys', () => {
    const groups = new KeyGroups()
    group(groups, [1], 2)
    group(groups, [], 2)
    expect([groups.shards, groups.counts]).to.deep.equal([[], []])
  })

  it('forgets the command before, with more or fewer keys and shards', () => {
    const random = createRandom(specSeed())
    const groups = new KeyGroups()
    for (let round = 0; round < 500; round += 1) {
      const shardCount = random.integer(1, 20)
      const keyCount = random.pick([0, 1, 2, 16, 17, 100, 1000])
      const keyShards = Array.from({ length: keyCount }, () => random.integer(0, shardCount))
      group(groups, keyShards, shardCount)
      const shards = [...new Set(keyShards)]
      const message = `seed ${random.seed}, round ${round}`
      expect(groups.shards, message).to.deep.equal(shards)
      const counts = shards.map((shard) => keyShards.filter((other) => other === shard).length)
      expect(groups.counts, message).to.deep.equal(counts)
      const owners = keyShards.map((shard) => shards.indexOf(shard))
      expect([...groups.owners.subarray(0, keyCount)], message).to.deep.equal(owners)
    }
  })
})
