import { expect } from 'chai'
import { Doorkeeper } from '../../../lib/nearcache/memory/doorkeeper.ts'
import { hashBytes } from '../../../lib/nearcache/memory/hash.ts'

const MB = 1024 * 1024
/** Things that a doorkeeper of 64 MB remembers. */
const REMEMBERED = 32 * 1024

function numberOf(text: string): number {
  const bytes = Buffer.from(text)
  return hashBytes(bytes, 0, bytes.length)
}

describe('Doorkeeper', () => {
  it('knows what came before', () => {
    const doorkeeper = new Doorkeeper(MB)
    const known = ['a', 'b', 'a', 'b', 'a'].map((text) => doorkeeper.knows(numberOf(text)))
    expect(known).to.deep.equal([false, false, true, true, true])
  })

  it('takes one in two thousand at most of those that come once for another, however many come', () => {
    const doorkeeper = new Doorkeeper(64 * MB)
    let mistaken = 0
    for (let i = 0; i < 1_000_000; i++) if (doorkeeper.knows(numberOf(`k${i}`))) mistaken++
    expect(mistaken).to.be.lessThan(500)
  })

  it('knows again four fifths of what comes twice within half of what it remembers', () => {
    const doorkeeper = new Doorkeeper(64 * MB)
    const before = REMEMBERED / 2
    let known = 0
    for (let i = 0; i < 200_000; i++) {
      doorkeeper.knows(numberOf(`k${i}`))
      if (i % 10 === 0 && doorkeeper.knows(numberOf(`k${Math.max(0, i - before)}`))) known++
    }
    expect(known).to.be.greaterThan(16_000)
  })

  it('forgets what is long ago', () => {
    const doorkeeper = new Doorkeeper(64 * MB)
    doorkeeper.knows(numberOf('a'))
    for (let i = 0; i < 10 * REMEMBERED; i++) doorkeeper.knows(numberOf(`k${i}`))
    expect(doorkeeper.knows(numberOf('a'))).to.equal(false)
  })

  it('takes a hundredth of the memory at most, and a thousandth of much', () => {
    const bytes = [1024, MB, 64 * MB, 4096 * MB].map((memory) => new Doorkeeper(memory).bytes)
    expect(bytes).to.deep.equal([16, 8192, 64 * 1024, 4096 * 1024])
  })
})
