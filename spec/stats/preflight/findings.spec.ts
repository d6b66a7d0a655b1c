import { expect } from 'chai'
import { REHEARSED_FIRST, REHEARSED_PATTERNS_MAX } from '../../../lib/limits.ts'
import { Findings } from '../../../lib/stats/preflight/findings.ts'

describe('Findings', () => {
  it('count everything, and keep a bounded number of patterns', () => {
    const findings = new Findings('clear')
    const requests = 3 * REHEARSED_PATTERNS_MAX
    const nameOf = (number: number) =>
      [...`${number}`].map((digit) => 'abcdefghij'[+digit]).join('')
    for (let number = 0; number < requests; number++) {
      for (let command = 0; command < 4; command++) {
        const finding = findings.count('crossslot', command)
        if (finding !== undefined) findings.note(finding, [nameOf(number), `${command}x`])
      }
    }
    const all = findings.all()
    expect(all.map(({ count }) => count)).to.deep.equal(Array(4).fill(requests))
    const kept = all.reduce((sum, { patterns }) => sum + patterns.size, 0)
    expect(kept).to.equal(REHEARSED_PATTERNS_MAX)
  })

  it('look at the first requests of a command, and at few of those behind them', () => {
    const findings = new Findings('hashed')
    let looked = 0
    for (let i = 0; i < 10 * REHEARSED_FIRST; i++) {
      if (findings.count('split', 1) !== undefined) looked++
    }
    expect(looked).to.be.within(REHEARSED_FIRST, REHEARSED_FIRST + 20)
  })

  it('take no pattern where keys are not shown at all', () => {
    expect(new Findings('off').count('split', 1)).to.equal(undefined)
  })

  it('have what is refused first, and of one kind the most frequent command', () => {
    const findings = new Findings('off')
    for (const command of [1, 2, 2]) findings.count('split', command)
    findings.count('select', 3)
    const order = findings.all().map(({ kind, command }) => `${kind} ${command}`)
    expect(order).to.deep.equal(['select 3', 'split 2', 'split 1'])
  })
})
