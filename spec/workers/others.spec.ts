import { expect } from 'chai'
import { WORKER_ANSWER_MS } from '../../lib/limits.ts'
import type { FromWorker } from '../../lib/workers/messages.ts'
import { Others } from '../../lib/workers/others.ts'
import { ManualTimers } from '../support/manual-timers.ts'

describe('Others', () => {
  const timers = new ManualTimers()
  let told: FromWorker[]
  let others: Others

  beforeEach(() => {
    timers.install(false)
    told = []
    others = new Others((message) => told.push(message))
  })

  afterEach(() => timers.restore())

  function ask(): unknown[] {
    const outcomes: unknown[] = []
    others.ask({ kind: 'lookout' }, (answers) => outcomes.push(answers))
    return outcomes
  }

  it('hand over what was answered, each answer to its question', () => {
    const [first, second] = [ask(), ask()]
    expect(told.map((message) => message.type === 'ask' && message.number)).to.deep.equal([1, 2])
    others.answered(2, ['b'])
    others.answered(1, ['a'])
    expect([first, second]).to.deep.equal([[['a']], [['b']]])
    others.answered(1, ['again'])
    expect(first).to.have.length(1)
  })

  it('are given up when nobody answers in time, the supervisor neither', () => {
    const outcomes = ask()
    timers.advance(WORKER_ANSWER_MS)
    expect(outcomes).to.deep.equal([undefined])
    others.answered(1, ['late'])
    expect(outcomes).to.have.length(1)
  })
})
