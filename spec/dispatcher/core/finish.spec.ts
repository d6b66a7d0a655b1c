import { expect } from 'chai'
import { Collector } from '../../../lib/dispatcher/core/collector.ts'
import { interleaved } from '../../../lib/dispatcher/core/finish.ts'
import { type Failure, shardFailures } from '../../../lib/failures.ts'
import { bulk, latin1 } from '../../support/frames.ts'
import { watchPools } from '../../support/lent-chunks.ts'
import { GARBAGE } from '../../support/scan.ts'

const A = shardFailures('a')
const B = shardFailures('b')

class Rig {
  readonly answers: string[] = []
  #parts = ''
  readonly read: Collector

  constructor(owners: readonly number[], fragments: number, isReadonly = true) {
    const groupOf = Int32Array.from(owners)
    this.read = new Collector(fragments, interleaved(this, 7, isReadonly, groupOf))
  }

  /** Of the target. */
  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#parts += bytes.toString('latin1', start, end)
    if (last) this.answers.push(`${ticket}:${this.#parts}`)
  }

  /** Of the target. */
  failed(ticket: number, { frame }: Failure): void {
    this.answers.push(`${ticket}:${frame}`)
  }

  /** A reply that comes in a read buffer which is overwritten after the call. */
  come(fragment: number, text: string, last = true): void {
    const readBuffer = latin1(`<${text}>`)
    this.read.reply(fragment, readBuffer, 1, 1 + text.length, last)
    readBuffer.fill(GARBAGE)
  }
}

describe('interleaved', () => {
  watchPools()

  it('answers once, in the order of the keys, when the last reply has come', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const rig = new Rig([1, 0, 1], 2)
      const replies = ['*1\r\n$1\r\na\r\n', '*2\r\n:1\r\n$-1\r\n']
      for (const fragment of order) {
        expect(rig.answers).to.deep.equal([])
        rig.come(fragment, replies[fragment] ?? '')
      }
      expect(rig.answers).to.deep.equal(['7:*3\r\n:1\r\n$1\r\na\r\n$-1\r\n'])
    }
  })

  it('puts large replies together that come in parts, in turns', () => {
    const rig = new Rig([0, 1, 0], 2)
    const [a, b, c] = ['a', 'b', 'c'].map((v) => bulk(v.repeat(90_000)).toString()) as [
      string,
      string,
      string,
    ]
    rig.come(0, `*2\r\n${a.slice(0, 50_000)}`, false)
    rig.come(1, `*1\r\n${b.slice(0, 60_000)}`, false)
    rig.come(0, a.slice(50_000), false)
    rig.come(1, b.slice(60_000))
    rig.come(0, c)
    expect(rig.answers).to.deep.equal([`7:*3\r\n${a}${b}${c}`])
  })

  it('says so when the replies do not fit together', () => {
    const rig = new Rig([0, 1], 2)
    rig.come(0, '*2\r\n:1\r\n:2\r\n')
    rig.come(1, '*1\r\n:1\r\n')
    expect(rig.answers).to.deep.equal([
      '7:-ERR ambassador: shards gave unexpected replies (may have executed)\r\n',
    ])
  })

  it('answers with one error after all others have been heard, parts included', () => {
    const rig = new Rig([0, 1, 2], 3)
    rig.read.failed(1, A.unavailable)
    rig.come(0, '*1\r\n$4\r\nha', false)
    rig.read.failed(0, B.lost)
    expect(rig.answers).to.deep.equal([])
    rig.come(2, '*1\r\n:1\r\n')
    expect(rig.answers).to.deep.equal([`7:${B.lost.frame}`])
  })

  it('claims that nothing was sent only of a command that changes nothing', () => {
    for (const [isReadonly, end] of [
      [true, '(not sent)'],
      [false, '(may have executed)'],
    ] as const) {
      const rig = new Rig([0, 1], 2, isReadonly)
      rig.come(0, '*1\r\n:1\r\n')
      rig.read.failed(1, A.unavailable)
      expect(rig.answers).to.deep.equal([`7:-ERR ambassador: shard a unavailable ${end}\r\n`])
    }
  })
})
