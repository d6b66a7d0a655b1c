/** Which shard is which after a change, and what moves. */
import { expect } from 'chai'
import { matchShards, movementOf, ownersOf } from '../../../lib/cli/diff/movement.ts'
import { shardList } from '../../../lib/config/values/lists/shard-list.ts'

function shards(list: string) {
  const parsed = shardList.parse(list)
  if (!('value' in parsed)) throw new Error(list)
  return ownersOf(parsed.value)
}

describe('matchShards', () => {
  const cases: readonly (readonly [string, string, string, (number | undefined)[]])[] = [
    ['by place', 'a=h:1,b=h:2', 'b=h:1,a=h:2', [0, 1]],
    ['by name where the place is another', 'a=h:1,b=h:2', 'a=i:1,b=i:2', [0, 1]],
    ['by place first', 'a=h:1,b=h:2', 'a=h:2,b=i:9', [1, undefined]],
    ['by database as well', 'a=redis://h:1/0', 'b=redis://h:1/1', [undefined]],
    ['with TLS or without', 'a=h:1', 'b=rediss://h:1', [0]],
    ['only once', 'a=h:1', 'a=h:1,b=h:1', [0, undefined]],
  ]
  for (const [how, before, after, expected] of cases) {
    it(`finds the old shard ${how}`, () => {
      expect(matchShards(shards(before), shards(after))).to.deep.equal(expected)
    })
  }
})

describe('movementOf', () => {
  it('adds up what goes where, and what stays in spite of another name', () => {
    const movement = movementOf(shards('a=h:1,b=h:2'), shards('one=h:1,c=h:3'), [
      [4, 1],
      [2, 3],
    ])
    expect(movement).to.deep.equal({
      total: 10,
      moved: 6,
      moves: [
        { from: 'b', to: 'c', amount: 3 },
        { from: 'b', to: 'one', amount: 2 },
        { from: 'a', to: 'c', amount: 1 },
      ],
      shards: [
        { name: 'a = one', before: 5, after: 6 },
        { name: 'b', before: 5, after: undefined },
        { name: 'c', before: undefined, after: 4 },
      ],
    })
  })
})
