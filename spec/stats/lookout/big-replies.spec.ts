/** The largest replies of late. */
import { expect } from 'chai'
import { BIG_REPLIES_LENGTH, BIG_REPLY_MS } from '../../../lib/limits.ts'
import { BigReplies } from '../../../lib/stats/lookout/big-replies.ts'

function reply(keyHash: number, bytes: number, atMs = 0) {
  return { atMs, command: 'get', keyHash, key: undefined, shard: 'a', bytes }
}

describe('BigReplies', () => {
  it('has one entry for each command and key: its largest, its last, how often', () => {
    const replies = new BigReplies()
    replies.add(reply(1, 50, 10))
    replies.add(reply(1, 70, 20))
    replies.add(reply(1, 60, 30))
    replies.add({ ...reply(1, 40, 40), command: 'dump' })
    expect(replies.largest(40)).to.deep.equal([
      { ...reply(1, 70, 30), id: 0, times: 3 },
      { ...reply(1, 40, 40), command: 'dump', id: 1, times: 1 },
    ])
  })

  it('leaves out the smallest when there is no room', () => {
    const replies = new BigReplies()
    for (let i = 0; i < BIG_REPLIES_LENGTH; i++) replies.add(reply(i, 100 + i))
    replies.add(reply(1000, 100))
    replies.add(reply(1001, 101))
    const bytes = replies.largest(0).map((each) => each.bytes)
    expect(bytes.length).to.equal(BIG_REPLIES_LENGTH)
    expect(bytes.at(-1)).to.equal(101)
    expect(replies.largest(0).map(({ keyHash }) => keyHash)).to.include(1001)
    expect(replies.largest(0).map(({ keyHash }) => keyHash)).not.to.include.members([0])
  })

  it('tells of the last hour, and of nothing after a reset', () => {
    const replies = new BigReplies()
    for (let i = 0; i < BIG_REPLIES_LENGTH; i++) replies.add(reply(i, 1_000_000, 0))
    replies.add(reply(1000, 5, BIG_REPLY_MS + 1))
    expect(replies.largest(BIG_REPLY_MS + 1).map(({ keyHash }) => keyHash)).to.deep.equal([1000])
    replies.reset()
    expect(replies.largest(BIG_REPLY_MS + 1)).to.deep.equal([])
  })
})
