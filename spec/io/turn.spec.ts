import { expect } from 'chai'
import { type Flushable, Turn } from '../../lib/io/turn.ts'
import { ManualTurn } from '../support/manual-turn.ts'

describe('Turn', () => {
  it('flushes each who asked, in the order of asking, when the turn ends', () => {
    const manual = new ManualTurn()
    const flushed: string[] = []
    manual.turn.flushLater({ flush: () => flushed.push('a') })
    manual.turn.flushLater({ flush: () => flushed.push('b') })
    expect(flushed).to.deep.equal([])
    expect(manual.scheduled).to.equal(1)
    manual.end()
    expect(flushed).to.deep.equal(['a', 'b'])
    expect(manual.scheduled).to.equal(0)
  })

  it('flushes in the next turn whoever asks while one ends', () => {
    const manual = new ManualTurn()
    let flushes = 0
    const again: Flushable = {
      flush(): void {
        flushes += 1
        if (flushes < 3) manual.turn.flushLater(again)
      },
    }
    manual.turn.flushLater(again)
    for (const expected of [1, 2, 3, 3]) {
      manual.end()
      expect(flushes).to.equal(expected)
    }
    expect(manual.scheduled).to.equal(0)
  })

  it('reads the clock once per turn', () => {
    const manual = new ManualTurn()
    manual.nowMs = 5
    expect(manual.turn.now()).to.equal(5)
    manual.nowMs = 6
    expect(manual.turn.now()).to.equal(5)
    manual.turn.flushLater({ flush: () => expect(manual.turn.now()).to.equal(6) })
    expect(manual.scheduled).to.equal(1)
    manual.end()
    // Asking for the time while a turn ends begins the next.
    expect(manual.scheduled).to.equal(1)
    manual.end()
    manual.nowMs = 7
    expect(manual.turn.now()).to.equal(7)
  })

  it('reads the clock once more when all is flushed, if anybody wants to know', () => {
    const manual = new ManualTurn()
    const told: string[] = []
    const watcher = (name: string) => ({
      turnEnded: (startedMs: number, endedMs: number) =>
        told.push(`${name} ${startedMs}-${endedMs}`),
    })
    manual.nowMs = 5
    manual.turn.watchEnd(watcher('a'))
    manual.turn.flushLater({
      flush: () => {
        manual.nowMs = 9
        // It belongs to the next turn, which begins now.
        manual.turn.watchEnd(watcher('b'))
      },
    })
    manual.end()
    expect(told).to.deep.equal(['a 5-9'])
    manual.nowMs = 12
    manual.end()
    expect(told).to.deep.equal(['a 5-9', 'b 9-12'])
    expect(manual.scheduled).to.equal(0)
  })

  it('ends, without being told otherwise, after the sockets have been read', async () => {
    const turn = new Turn()
    const before = performance.now()
    expect(turn.now()).to.be.at.least(before)
    const order: string[] = []
    await new Promise<void>((resolve) => {
      turn.flushLater({
        flush(): void {
          order.push('flush')
          resolve()
        },
      })
      process.nextTick(() => order.push('tick'))
      queueMicrotask(() => order.push('microtask'))
    })
    expect(order).to.deep.equal(['tick', 'microtask', 'flush'])
  })
})
