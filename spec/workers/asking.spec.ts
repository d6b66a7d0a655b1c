import { expect } from 'chai'
import { WORKER_ANSWER_MS } from '../../lib/limits.ts'
import { Asking } from '../../lib/workers/asking.ts'
import type { Member } from '../../lib/workers/crew/member.ts'
import type { ToWorker } from '../../lib/workers/messages.ts'
import { ManualTimers } from '../support/manual-timers.ts'

/** A worker that notes what it is told. */
class FakeMember {
  readonly told: ToWorker[] = []

  tell(message: ToWorker): void {
    this.told.push(message)
  }

  /** The number of the question that it was asked last. */
  get number(): number {
    const last = this.told.at(-1)
    return last?.type === 'question' ? last.number : 0
  }
}

describe('Asking', () => {
  function members(count: number): { fakes: FakeMember[]; all: Member[] } {
    const fakes = Array.from({ length: count }, () => new FakeMember())
    return { fakes, all: fakes as unknown as Member[] }
  }

  function ask(asking: Asking, all: readonly Member[]): unknown[] {
    const outcomes: unknown[] = []
    asking.ask(all, { kind: 'ready' }, (answers) => outcomes.push(answers))
    return outcomes
  }

  it('calls back once, when all have answered', () => {
    const asking = new Asking()
    const { fakes, all } = members(2)
    const outcomes = ask(asking, all)
    const number = fakes[0]?.number ?? 0
    asking.answered(all[0] as Member, number, 'one')
    asking.answered(all[0] as Member, number, 'one again')
    expect(outcomes).to.deep.equal([])
    asking.answered(all[1] as Member, number, 'two')
    asking.answered(all[1] as Member, number, 'two again')
    expect(outcomes).to.deep.equal([['one', 'two']])
  })

  it('calls back at once if there is nobody to ask', () => {
    expect(ask(new Asking(), [])).to.deep.equal([[]])
  })

  it('does without a worker that is gone', () => {
    const asking = new Asking()
    const { fakes, all } = members(2)
    const outcomes = ask(asking, all)
    asking.answered(all[0] as Member, fakes[0]?.number ?? 0, 'one')
    asking.gone(all[1] as Member)
    expect(outcomes).to.deep.equal([['one']])
  })

  it('tells apart what it asks at a time', () => {
    const asking = new Asking()
    const { fakes, all } = members(1)
    const first = ask(asking, all)
    const firstNumber = fakes[0]?.number ?? 0
    const second = ask(asking, all)
    asking.answered(all[0] as Member, fakes[0]?.number ?? 0, 'second')
    asking.answered(all[0] as Member, firstNumber, 'first')
    expect([first, second]).to.deep.equal([[['first']], [['second']]])
  })

  it('gives up on a worker that lives and is silent', () => {
    const timers = new ManualTimers()
    timers.install(false)
    try {
      const asking = new Asking()
      const { fakes, all } = members(2)
      const outcomes = ask(asking, all)
      asking.answered(all[0] as Member, fakes[0]?.number ?? 0, 'one')
      timers.advance(WORKER_ANSWER_MS)
      expect(outcomes).to.deep.equal([undefined])
      asking.answered(all[1] as Member, fakes[0]?.number ?? 0, 'late')
      expect(outcomes).to.have.length(1)
    } finally {
      timers.restore()
    }
  })
})
