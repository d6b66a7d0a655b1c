import { expect } from 'chai'
import { hashBytes } from '../../../lib/nearcache/memory/hash.ts'
import { Sightings } from '../../../lib/nearcache/memory/sightings.ts'

const BYTES = 2 ** 17

function numberOf(text: string): number {
  const bytes = Buffer.from(text)
  return hashBytes(bytes, 0, bytes.length)
}

describe('Sightings', () => {
  it('counts what it sees again', () => {
    const sightings = new Sightings(BYTES)
    const seen = Array.from({ length: 17 }, () => sightings.see(numberOf('a')))
    expect(seen.slice(0, 4)).to.deep.equal([0, 1, 2, 3])
    expect(seen[16]).to.equal(15)
    expect(sightings.count(numberOf('a'))).to.equal(15)
    expect(sightings.count(numberOf('b'))).to.equal(0)
  })

  it('takes one in five hundred at most of those that come once for another, however many come', () => {
    const sightings = new Sightings(BYTES)
    let mistaken = 0
    for (let i = 0; i < 2_000_000; i++) if (sightings.see(numberOf(`k${i}`)) > 0) mistaken++
    expect(mistaken).to.be.lessThan(4000)
  })

  it('knows again nearly all of what comes twice within its memory', () => {
    const sightings = new Sightings(BYTES)
    let known = 0
    for (let i = 0; i < 1_000_000; i++) {
      sightings.see(numberOf(`k${i}`))
      if (i % 4 === 0 && sightings.see(numberOf(`k${Math.max(0, i - 2000)}`)) > 0) known++
    }
    expect(known).to.be.greaterThan(200_000)
  })

  it('keeps what is seen often when what is seen once takes its set', () => {
    const sightings = new Sightings(32)
    for (let i = 0; i < 5; i++) sightings.see(numberOf('a'))
    // Of two sets: with one sighting of each no more than all places are taken.
    for (let i = 0; i < 6; i++) sightings.see(numberOf(`k${i}`))
    expect(sightings.count(numberOf('a'))).to.be.greaterThan(0)
  })

  it('finds a place for what is new in a set that is full', () => {
    const sightings = new Sightings(32)
    for (let i = 0; i < 1000; i++) sightings.see(numberOf(`k${i}`))
    sightings.see(numberOf('new'))
    expect(sightings.see(numberOf('new'))).to.be.greaterThan(0)
  })

  it('forgets what is long ago', () => {
    const sightings = new Sightings(BYTES)
    sightings.see(numberOf('a'))
    for (let i = 0; i < 3_000_000; i++) sightings.see(Math.imul(i, 0x9e3779b1))
    expect(sightings.see(numberOf('a'))).to.equal(0)
  })
})
