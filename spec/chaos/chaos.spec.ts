import { expect } from 'chai'
import { specSeed } from '../support/random.ts'
import { runChaos } from './chaos.ts'

describe('chaos', () => {
  const seed = specSeed()

  it(`breaks no rule while shards die, stop and stutter (SPEC_SEED=${seed})`, async () => {
    const connections = 1 + (seed % 2)
    const { report, deeds, memory } = await runChaos({ seed, seconds: 6, clients: 8, connections })
    expect(report.violations).to.deep.equal([])
    // A run in which nothing happened would prove nothing.
    expect(report.outcomes.get('ok')).to.be.greaterThan(1000)
    expect(deeds.size).to.be.greaterThan(1)
    expect(memory.samples).to.be.greaterThan(0)
  })

  it(`breaks no rule while slots move and masters fail over (row 93, SPEC_SEED=${seed})`, async () => {
    const options = { seed, seconds: 12, clients: 8, connections: 1, topology: 'cluster' } as const
    const { report, deeds } = await runChaos(options)
    expect(report.violations).to.deep.equal([])
    expect(report.outcomes.get('ok')).to.be.greaterThan(1000)
    expect(deeds.size).to.be.greaterThan(1)
  })
})
