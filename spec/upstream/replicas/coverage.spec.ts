import { expect } from 'chai'
import { Coverage, NEVER } from '../../../lib/upstream/replicas/coverage.ts'

const at = (bytes: number, history = 'h') => ({ history, bytes })

describe('Coverage', () => {
  it('says until when a replica has all that its master had', () => {
    const coverage = new Coverage()
    coverage.masterIs(at(100), 1)
    coverage.masterIs(at(100), 2)
    coverage.masterIs(at(200), 3)
    expect(coverage.until(at(99))).to.equal(NEVER)
    expect(coverage.until(at(100))).to.equal(2)
    expect(coverage.until(at(199))).to.equal(2)
    expect(coverage.until(at(200))).to.equal(3)
    expect(coverage.until(at(500))).to.equal(3)
  })

  it('says how many bytes it lacks', () => {
    const coverage = new Coverage()
    expect(coverage.isKnown).to.equal(false)
    expect(coverage.lagOf(at(1))).to.equal(undefined)
    coverage.masterIs(at(200), 1)
    expect(coverage.lagOf(at(150))).to.equal(50)
    expect(coverage.lagOf(at(250))).to.equal(0)
    expect(coverage.isKnown).to.equal(true)
  })

  it('compares nothing across histories', () => {
    const coverage = new Coverage()
    coverage.masterIs(at(200), 1)
    expect(coverage.until(at(900, 'other'))).to.equal(NEVER)
    expect(coverage.lagOf(at(900, 'other'))).to.equal(undefined)
    coverage.masterIs(at(10, 'other'), 2)
    expect(coverage.until(at(900))).to.equal(NEVER)
    expect(coverage.until(at(10, 'other'))).to.equal(2)
  })

  it('begins again when the master has less than before, or is another one', () => {
    const coverage = new Coverage()
    coverage.masterIs(at(200), 1)
    coverage.masterIs(at(100), 2)
    expect(coverage.until(at(150))).to.equal(2)
    coverage.clear()
    expect(coverage.until(at(150))).to.equal(NEVER)
  })

  it('remembers a minute and no more', () => {
    const coverage = new Coverage()
    for (let i = 1; i <= 1000; i++) coverage.masterIs(at(i), i)
    expect(coverage.until(at(900))).to.equal(NEVER)
    expect(coverage.until(at(950))).to.equal(950)
  })
})
