import { expect } from 'chai'
import { createRandom, specSeed } from '../support/random.ts'
import { fuzzScanners } from './scanners.ts'
import { fuzzSockets } from './sockets.ts'

describe('row 17: fuzzing', () => {
  const seed = specSeed()

  it(`finds no bytes over which the scanners stumble (SPEC_SEED=${seed})`, () => {
    const counts = fuzzScanners(createRandom(seed), 50_000)
    // Streams that are all refused, or all fine, would prove little.
    expect(counts.understood).to.be.greaterThan(10_000)
    expect(counts.refused).to.be.greaterThan(5_000)
  })

  it(`finds no bytes by which one client harms others (SPEC_SEED=${seed})`, async () => {
    const counts = await fuzzSockets(createRandom(seed), { inputs: 2000, seconds: 20 })
    expect(counts.problems).to.deep.equal([])
    expect(counts.victimsLost).to.equal(0)
    expect(counts.victimReplies).to.be.greaterThan(100)
    expect(counts.answered).to.be.greaterThan(100)
  })
})
