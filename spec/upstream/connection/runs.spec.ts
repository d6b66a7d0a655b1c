/** Runs: parts of one request that are one entry of the FIFO, and become requests when they must. */
import { expect } from 'chai'
import { shardFailures } from '../../../lib/failures.ts'
import { Fifo } from '../../../lib/upstream/connection/fifo.ts'
import type { PlacedRequest } from '../../../lib/upstream/connection/placed/placed-request.ts'
import type { Run } from '../../../lib/upstream/connection/placed/run.ts'
import { type RowsSink, Runs } from '../../../lib/upstream/connection/placed/runs.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import { latin1 } from '../../support/frames.ts'

const { lost, unavailable, timedOut } = shardFailures('a')
const NEVER = Number.POSITIVE_INFINITY
/** The bytes of each part. */
const BYTES = 10

class Log implements RowsSink {
  readonly lines: string[] = []
  reply(part: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.lines.push(`${part}:${bytes.toString('latin1', start, end)}${last ? '' : '...'}`)
  }
  replies(run: number, bytes: Buffer, start: number, end: number, count: number): void {
    this.lines.push(`run ${run}, ${count}:${bytes.toString('latin1', start, end)}`)
  }
  failed(part: number, { kind }: { kind: string }): void {
    this.lines.push(`${part}:${kind}`)
  }
  expectRows(): void {}
}

/** Parts 0 to 3, in places 10 to 13: those of even number are on server a, the others on server b. */
function divided(counts = [1, 1, 1, 1]): Runs<string> {
  const parts = { places: [10, 11, 12, 13], counts: Int32Array.from(counts) }
  return new Runs(parts, (place) => (place % 2 === 0 ? 'a' : 'b'))
}

/** One run of all four, and a request behind it. */
class Rig {
  readonly log = new Log()
  readonly fifo = new Fifo()
  readonly client = { sent: 5 }
  readonly run: Run

  constructor(deadlineMs = NEVER) {
    const parts = { places: [10, 11, 12, 13], counts: Int32Array.of(1, 1, 1, 1) }
    const runs = new Runs(parts, () => 'a')
    this.run = runs.run(0, this.log)
    this.fifo.push(this.run, 0, { enteredMs: 0, deadlineMs, position: 100 })
    this.fifo.placeRun(this.client, this.run)
    for (let at = 0; at < 4; at++) runs.parts.putEnd(at, (at + 1) * BYTES)
    this.fifo.push(this.log, 99, { enteredMs: 0, deadlineMs: NEVER, position: 140 })
  }

  reply(text: string, last = true): void {
    expect(this.fifo.reply(latin1(text), 0, text.length, last)).to.equal(true)
  }

  row(text: string): void {
    this.fifo.replies(this.fifo.headRun as Run, latin1(text), 0, text.length, text.length)
  }

  handOver(from: number): { requests: PlacedRequest[]; told: string[] } {
    const requests: PlacedRequest[] = []
    const told: string[] = []
    this.fifo.handOver(from, 150, (request) => {
      requests.push(request)
      return heir(told, request.place)
    })
    return { requests, told }
  }
}

function heir(told: string[], place: number): ReplySink {
  return {
    reply: (ticket, bytes, start, end) =>
      told.push(`${place}/${ticket}:${bytes.toString('latin1', start, end)}`),
    failed: (ticket, { kind }) => told.push(`${place}/${ticket}:${kind}`),
  }
}

describe('runs', () => {
  it('are of parts of one key whose places have one server', () => {
    const runs = divided([1, 1, 2, 1])
    expect(runs.runOf).to.deep.equal([0, 1, -1, 1])
    expect(runs.servers).to.deep.equal(['a', 'b'])
    expect([0, 1, 2].map((at) => runs.parts.partAt(at))).to.deep.equal([0, 1, 3])
    expect([0, 1, 2].map((at) => runs.parts.placeAt(at))).to.deep.equal([10, 11, 13])
    expect(runs.starts).to.deep.equal([0, 1, 3])
  })

  it('hold no part whose place nobody has, and none once they are dissolved', () => {
    const parts = { places: [1, 2], counts: Int32Array.of(1, 1) }
    const runs = new Runs(parts, (place) => (place === 1 ? undefined : 'a'))
    expect(runs.runOf).to.deep.equal([-1, 0])
    runs.dissolve(0)
    expect(runs.runOf).to.deep.equal([-1, -1])
  })

  it('take replies one by one and in rows, and then it is the next one’s turn', () => {
    const rig = new Rig()
    rig.reply('a')
    rig.row('bc')
    expect([rig.run.left, rig.fifo.length]).to.deep.equal([1, 2])
    rig.reply('d1', false)
    rig.reply('d2')
    expect([rig.run.left, rig.fifo.length, rig.fifo.headRun]).to.deep.equal([0, 1, undefined])
    rig.reply('x')
    expect(rig.log.lines).to.deep.equal(['0:a', 'run 0, 2:bc', '3:d1...', '3:d2', '99:x'])
    expect(rig.fifo.length).to.equal(0)
  })

  it('are over with a row that has the last reply', () => {
    const rig = new Rig()
    rig.row('abcd')
    rig.reply('x')
    expect(rig.log.lines).to.deep.equal(['run 0, 4:abcd', '99:x'])
  })

  it('count as many requests of their client', () => {
    expect(new Rig().client.sent).to.equal(9)
  })

  it('hand over those that have no reply, each with its bytes, and their replies find them', () => {
    const rig = new Rig()
    rig.reply('a')
    const { requests, told } = rig.handOver(0)
    const facts = requests.map(({ number, place, ticket, start, end }) => {
      return [number, place, ticket, start, end]
    })
    expect(facts).to.deep.equal([
      [6, 11, 1, 110, 120],
      [7, 12, 2, 120, 130],
      [8, 13, 3, 130, 140],
    ])
    expect(rig.fifo.headRun).to.equal(undefined)
    rig.reply('b')
    rig.reply('c')
    rig.reply('d')
    rig.reply('x')
    expect(told).to.deep.equal(['11/0:b', '12/0:c', '13/0:d'])
    expect(rig.log.lines).to.deep.equal(['0:a', '99:x'])
  })

  it('that were handed over fail where they are as requests', () => {
    const rig = new Rig()
    const { told } = rig.handOver(0)
    rig.reply('a')
    rig.fifo.failAll(NEVER, lost, unavailable)
    expect(told).to.deep.equal(['10/0:a', '11/0:lost', '12/0:lost', '13/0:lost'])
  })

  it('swallow as many replies as they are owed when their time is over', () => {
    const rig = new Rig(10)
    rig.reply('a')
    expect(rig.fifo.expire(10, timedOut)).to.equal(1)
    expect(rig.fifo.headRun).to.equal(undefined)
    for (const text of ['b', 'c', 'd']) rig.reply(text)
    rig.reply('x')
    expect(rig.fifo.tombstones).to.equal(0)
    expect(rig.log.lines).to.deep.equal(['0:a', '1:timedOut', '2:timedOut', '3:timedOut', '99:x'])
  })

  it('wait for the next connection as they are, if nothing of them was sent', () => {
    const rig = new Rig()
    rig.fifo.failSent(100, lost, () => {})
    expect(rig.fifo.length).to.equal(2)
    rig.reply('a')
    rig.row('bcd')
    rig.reply('x')
    expect(rig.log.lines).to.deep.equal(['0:a', 'run 0, 3:bcd', '99:x'])
  })

  it('keep what they are when the ring grows', () => {
    const rig = new Rig()
    for (let more = 0; more < 100; more++) {
      rig.fifo.push(rig.log, more, { enteredMs: 0, deadlineMs: NEVER, position: 150 + more })
    }
    rig.row('abc')
    rig.reply('d')
    rig.reply('x')
    expect(rig.log.lines).to.deep.equal(['run 0, 3:abc', '3:d', '99:x'])
  })
})
