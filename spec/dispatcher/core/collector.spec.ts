import { expect } from 'chai'
import { Collector, type Finish } from '../../../lib/dispatcher/core/collector.ts'
import { type Merge, merged } from '../../../lib/dispatcher/core/finish.ts'
import { type Failure, shardFailures } from '../../../lib/failures.ts'
import { latin1 } from '../../support/frames.ts'
import { watchPools } from '../../support/lent-chunks.ts'
import { createRandom, specSeed } from '../../support/random.ts'
import { GARBAGE } from '../../support/scan.ts'

const A = shardFailures('a')
const B = shardFailures('b')

const joined: Merge = (replies) => Buffer.concat(replies)

class Rig {
  readonly answers: string[] = []
  readonly collector: Collector

  constructor(fragments: number, options: { readonly?: boolean; merge?: Merge } = {}) {
    const target = {
      reply: (ticket: number, bytes: Buffer, start: number, end: number, last: boolean) => {
        expect(last).to.equal(true)
        this.answers.push(`${ticket}:${bytes.toString('latin1', start, end)}`)
      },
      failed: (ticket: number, { frame }: Failure) => this.answers.push(`${ticket}:${frame}`),
    }
    const { readonly = false, merge = joined } = options
    this.collector = new Collector(fragments, merged(target, 7, readonly, merge))
  }

  /** A reply that comes in a read buffer which is overwritten after the call. */
  reply(fragment: number, text: string, last = true): void {
    const readBuffer = latin1(`<${text}>`)
    this.collector.reply(fragment, readBuffer, 1, 1 + text.length, last)
    readBuffer.fill(GARBAGE)
  }

  fail(fragment: number, error: Failure): void {
    this.collector.failed(fragment, error)
  }
}

function line(error: Failure): string {
  return `7:${error.frame}`
}

describe('Collector', () => {
  watchPools()

  it('answers once, when the last reply has come, in the order of the fragments', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      const rig = new Rig(3)
      for (const fragment of order) {
        expect(rig.answers).to.deep.equal([])
        rig.reply(fragment, `${fragment}`)
      }
      expect(rig.answers).to.deep.equal(['7:012'])
    }
  })

  it('puts replies that come in parts together', () => {
    const rig = new Rig(2)
    rig.reply(1, 'b', false)
    rig.reply(0, 'a', false)
    rig.reply(1, 'bb', false)
    rig.reply(1, 'bbb')
    rig.reply(0, 'aa')
    expect(rig.answers).to.deep.equal(['7:aaabbbbbb'])
  })

  it('holds nothing any more once its budget is spent, though it waits for all parts', () => {
    let taken = 0
    const overspent = A.unavailable
    const budget = {
      take: (bytes: number) => {
        if (taken + bytes > 10) return overspent
        taken += bytes
        return undefined
      },
      release: () => {
        taken = 0
      },
    }
    const answers: string[] = []
    const finish: Finish = (collected) => {
      const pieces = collected.pieces(0).length + collected.pieces(1).length
      answers.push(`${collected.failures} failed, ${pieces} pieces: ${collected.error?.frame}`)
    }
    const collector = new Collector(3, finish, budget)
    collector.reply(0, latin1('whole'), 0, 5, true)
    collector.reply(1, latin1('half'), 0, 4, false)
    collector.reply(1, latin1('more'), 0, 4, false)
    expect(taken).to.equal(0)
    collector.reply(1, latin1('rest'), 0, 4, true)
    expect(answers).to.deep.equal([])
    collector.reply(2, latin1('late'), 0, 4, true)
    expect(answers).to.deep.equal([`2 failed, 0 pieces: ${overspent.frame}`])
    expect(taken).to.equal(0)
  })

  it('says so when the replies do not fit together', () => {
    const rig = new Rig(2, { merge: () => undefined })
    rig.reply(0, 'a')
    rig.reply(1, 'b')
    expect(rig.answers).to.deep.equal([
      '7:-ERR ambassador: shards gave unexpected replies (may have executed)\r\n',
    ])
  })

  it('answers with one error, after all others have been heard', () => {
    const rig = new Rig(3)
    rig.fail(1, A.timedOut)
    rig.reply(0, 'a')
    expect(rig.answers).to.deep.equal([])
    rig.reply(2, 'c')
    expect(rig.answers).to.deep.equal([line(A.timedOut)])
  })

  it('drops parts of a reply whose rest does not come', () => {
    const rig = new Rig(2)
    rig.reply(0, 'half', false)
    rig.fail(0, A.lost)
    rig.reply(1, 'b')
    expect(rig.answers).to.deep.equal([line(A.lost)])
  })

  it('admits what may have happened: of several errors the one that says most', () => {
    for (const [first, second, expected] of [
      [A.unavailable, B.lost, B.lost],
      [A.lost, B.unavailable, A.lost],
      [A.unavailable, B.unavailable, A.unavailable],
    ] as const) {
      const rig = new Rig(2)
      rig.fail(0, first)
      rig.fail(1, second)
      expect(rig.answers).to.deep.equal([line(expected)])
    }
  })

  it('does not claim that a write was not sent when others did their part', () => {
    const rig = new Rig(2)
    rig.reply(0, 'a')
    rig.fail(1, A.unavailable)
    expect(rig.answers).to.deep.equal([
      '7:-ERR ambassador: shard a unavailable (may have executed)\r\n',
    ])
    // The shard's own line is as it was.
    expect(A.unavailable.frame.toString()).to.match(/\(not sent\)\r\n$/)
  })

  it('may claim it of a command that changes nothing', () => {
    const rig = new Rig(2, { readonly: true })
    rig.reply(0, 'a')
    rig.fail(1, A.unavailable)
    expect(rig.answers).to.deep.equal([line(A.unavailable)])
  })

  it('answers exactly once whatever the order of parts, replies and failures', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 500; round += 1) {
      const fragments = random.integer(1, 6)
      const rig = new Rig(fragments)
      const open = new Map(Array.from({ length: fragments }, (_, i) => [i, '']))
      const replies: string[] = []
      let failed = false
      while (open.size > 0) {
        expect(rig.answers, `seed ${random.seed}`).to.deep.equal([])
        const fragment = random.pick([...open.keys()])
        const event = random.pick(['part', 'last', 'last', 'last', 'failure'])
        if (event === 'failure') {
          rig.fail(fragment, A.lost)
          failed = true
        } else {
          const text = String(fragment).repeat(random.integer(1, 4))
          replies[fragment] = (open.get(fragment) ?? '') + text
          open.set(fragment, replies[fragment])
          rig.reply(fragment, text, event === 'last')
        }
        if (event !== 'part') open.delete(fragment)
      }
      const expected = failed ? line(A.lost) : `7:${replies.join('')}`
      expect(rig.answers, `seed ${random.seed}`).to.deep.equal([expected])
    }
  })
})
