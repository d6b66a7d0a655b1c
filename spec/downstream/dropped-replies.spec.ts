import { expect } from 'chai'
import { DroppedReplies } from '../../lib/downstream/dropped-replies.ts'

describe('DroppedReplies', () => {
  it('drops the replies of so many requests, and of no other', () => {
    const dropped = new DroppedReplies()
    dropped.opened(1)
    dropped.dropNext(2)
    expect(dropped.dropsNext).to.equal(true)
    for (const tag of [2, 3, 4]) dropped.opened(tag)
    expect([1, 2, 3, 4].map((tag) => dropped.has(tag))).to.deep.equal([false, true, true, false])
    expect(dropped.dropsNext).to.equal(false)
  })

  it('drops until told otherwise, and still those of requests before that', () => {
    const dropped = new DroppedReplies()
    dropped.dropNext(Number.POSITIVE_INFINITY)
    for (let tag = 0; tag < 100; tag++) dropped.opened(tag)
    dropped.dropNext(0)
    dropped.opened(100)
    expect([dropped.has(99), dropped.has(100)]).to.deep.equal([true, false])
  })

  it('knows which have begun, and forgets each once', () => {
    const dropped = new DroppedReplies()
    expect([dropped.hasBegun(1), dropped.delete(1)]).to.deep.equal([undefined, false])
    dropped.dropNext(1)
    dropped.opened(1)
    expect(dropped.hasBegun(1)).to.equal(false)
    dropped.begin(1)
    expect(dropped.hasBegun(1)).to.equal(true)
    expect([dropped.delete(1), dropped.delete(1), dropped.has(1)]).to.deep.equal([
      true,
      false,
      false,
    ])
  })
})
