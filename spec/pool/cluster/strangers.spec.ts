import { expect } from 'chai'
import { Strangers } from '../../../lib/pool/cluster/strangers.ts'
import type { Frame } from '../../../lib/upstream/backend.ts'
import type { Lane } from '../../../lib/upstream/lane.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { bulk } from '../../support/frames.ts'

const STRANGER = { host: '10.0.0.9', port: 6379 }

/** A master whose list of nodes has these places. */
function master(...places: readonly string[]): Shard {
  const send = (_id: number, _lane: Lane, _frame: Frame, sink: ReplySink): void => {
    const lines = places.map((place) => `id ${place} master - 0 0 1 connected\n`)
    const reply = Buffer.from(bulk(lines.join('')))
    // In two parts, as a long one comes.
    sink.reply(0, reply, 0, 20, false)
    sink.reply(0, reply, 20, reply.length, true)
  }
  return { send } as unknown as Shard
}

describe('Strangers', () => {
  let nowMs: number

  function strangersOf(...masters: readonly Shard[]): Strangers {
    nowMs = 0
    return new Strangers({ masters: () => masters, lane: {} as Lane, now: () => nowMs })
  }

  const knows = () => master('10.0.0.1:6379@16379', '10.0.0.9:6379@16379')
  const knowsNot = () => master('10.0.0.1:6379@16379', '10.0.0.9:63791@16379')

  it('are welcome when two nodes have them in their lists', () => {
    const strangers = strangersOf(knows(), knowsNot(), knows())
    // Nobody has been asked before the first time.
    expect(strangers.isVouchedFor(STRANGER)).to.equal(false)
    expect(strangers.isVouchedFor(STRANGER)).to.equal(true)
  })

  it('are not welcome on the word of one', () => {
    const strangers = strangersOf(knows(), knowsNot(), knowsNot())
    strangers.isVouchedFor(STRANGER)
    expect(strangers.isVouchedFor(STRANGER)).to.equal(false)
  })

  it('are welcome on the word of the only node', () => {
    const strangers = strangersOf(knows())
    strangers.isVouchedFor(STRANGER)
    expect(strangers.isVouchedFor(STRANGER)).to.equal(true)
  })

  it('may be named as nodes announce them', () => {
    const strangers = strangersOf(master('10.0.0.9:6379@16379,nine.example'))
    const named = { host: 'nine.example', port: 6379 }
    strangers.isVouchedFor(named)
    expect(strangers.isVouchedFor(named)).to.equal(true)
    const other = { host: 'nine.example', port: 6380 }
    strangers.isVouchedFor(other)
    expect(strangers.isVouchedFor(other)).to.equal(false)
  })

  it('are asked for again after a while only', () => {
    let asked = 0
    const first = knows()
    const counting = {
      send: (...all: Parameters<Shard['send']>) => {
        asked++
        first.send(...all)
      },
    } as unknown as Shard
    const strangers = strangersOf(counting, knowsNot())
    for (let i = 0; i < 10; i++) strangers.isVouchedFor(STRANGER)
    expect(asked).to.equal(1)
    nowMs = 60_000
    strangers.isVouchedFor(STRANGER)
    expect(asked).to.equal(2)
  })

  it('need two nodes that are masters still, whenever these have said it (row 122)', () => {
    const masters = [knows(), knows()]
    nowMs = 0
    const strangers = new Strangers({ masters: () => masters, lane: {} as Lane, now: () => nowMs })
    strangers.isVouchedFor(STRANGER)
    expect(strangers.isVouchedFor(STRANGER)).to.equal(true)
    masters[1] = knowsNot()
    strangers.mastersChanged()
    expect(strangers.isVouchedFor(STRANGER)).to.equal(false)
    nowMs = 60_000
    strangers.isVouchedFor(STRANGER)
    expect(strangers.isVouchedFor(STRANGER)).to.equal(false)
    masters[1] = knows()
    nowMs = 120_000
    strangers.isVouchedFor(STRANGER)
    expect(strangers.isVouchedFor(STRANGER)).to.equal(true)
  })

  it('have no friends where there is no node', () => {
    const strangers = strangersOf()
    strangers.isVouchedFor(STRANGER)
    expect(strangers.isVouchedFor(STRANGER)).to.equal(false)
  })
})
