import { expect } from 'chai'
import { CHUNK_BYTES, Chunk, writeChunks } from '../../lib/io/chunk.ts'
import { LARGE_BYTES, Outbox } from '../../lib/io/outbox.ts'
import { FakeTarget } from '../support/fake-target.ts'
import { latin1 } from '../support/frames.ts'
import { ManualTurn } from '../support/manual-turn.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'

/** An outbox, its turn and its target, and everything that was put in. */
class Rig {
  readonly manual = new ManualTurn()
  readonly outbox: Outbox
  target = new FakeTarget()
  drained = 0
  expecting = false
  readonly #appended: Buffer[] = []
  appendedBytes = 0

  constructor() {
    this.outbox = new Outbox(this.manual.turn, {
      drained: () => {
        this.drained += 1
      },
      expectsMore: () => this.expecting,
    })
  }

  append(bytes: Buffer | string): void {
    const copy = Buffer.from(latin1(bytes))
    // From the middle of a buffer that is overwritten afterwards.
    const shared = Buffer.concat([latin1('<'), copy, latin1('>')])
    this.outbox.append(shared, 1, 1 + copy.length)
    shared.fill(0)
    this.#note(copy)
  }

  give(bytes: Buffer): void {
    this.outbox.give(bytes)
    this.#note(bytes)
  }

  #note(bytes: Buffer): void {
    this.#appended.push(bytes)
    this.appendedBytes += bytes.length
  }

  /** Everything that was put in, so far. */
  get appended(): Buffer {
    return Buffer.concat(this.#appended)
  }

  expectAccounting(message?: string): void {
    const { outbox, target } = this
    expect(outbox.position, message).to.equal(this.appendedBytes)
    expect(outbox.handedBytes, message).to.be.at.most(this.appendedBytes)
    expect(target.receivedBytes, message).to.be.at.most(outbox.handedBytes)
    const gathered = this.appendedBytes - outbox.handedBytes
    expect(outbox.waitingBytes, message).to.equal(gathered + target.writableLength)
  }
}

function opened(): Rig {
  const rig = new Rig()
  rig.outbox.open(rig.target)
  rig.manual.end()
  return rig
}

describe('Outbox', () => {
  // Whoever reads a chunk after it was given back reads garbage, as when another outbox fills it.
  const { giveBack } = writeChunks
  before(() => {
    writeChunks.giveBack = (chunk) => {
      chunk.bytes.fill(0xee)
      giveBack.call(writeChunks, chunk)
    }
  })
  after(() => {
    writeChunks.giveBack = giveBack
  })

  it('writes what one turn gathered with one system call', () => {
    const rig = opened()
    rig.append('+OK\r\n')
    rig.append(':1\r\n')
    expect(rig.target.batches).to.equal(0)
    expect(rig.outbox.waitingBytes).to.equal(9)
    rig.manual.end()
    expect(rig.target.received.toString()).to.equal('+OK\r\n:1\r\n')
    expect(rig.target.batches).to.equal(1)
    expect(rig.outbox.waitingBytes).to.equal(0)
    expect(rig.manual.scheduled).to.equal(0)
  })

  it('writes nothing when there is nothing', () => {
    const rig = opened()
    rig.outbox.flush()
    rig.append('')
    rig.manual.end()
    expect(rig.target.batches).to.equal(0)
  })

  it('gathers until it is opened', () => {
    const rig = new Rig()
    rig.append('early')
    rig.append(Buffer.alloc(LARGE_BYTES))
    rig.manual.end()
    rig.outbox.flushNow()
    rig.expectAccounting()
    expect(rig.outbox.handedBytes).to.equal(0)
    rig.outbox.open(rig.target)
    rig.manual.end()
    expect(rig.target.received.equals(rig.appended)).to.equal(true)
    expect(rig.target.batches).to.equal(1)
  })

  it('has one write under way at most, and counts what waits behind it', () => {
    const rig = opened()
    rig.target.room = 2
    rig.append('first')
    rig.manual.end()
    rig.append('second')
    rig.manual.end()
    rig.outbox.flushNow()
    expect(rig.target.batches).to.equal(1)
    expect(rig.outbox.handedBytes).to.equal(5)
    expect(rig.outbox.position).to.equal(11)
    expect(rig.outbox.waitingBytes).to.equal(11)
    rig.target.makeRoom(100)
    rig.target.tick()
    expect(rig.target.received.toString()).to.equal('firstsecond')
    expect(rig.target.batches).to.equal(2)
    expect(rig.outbox.waitingBytes).to.equal(0)
  })

  it('can leave the largest piece that was given out of the count, while it waits', () => {
    const rig = opened()
    rig.target.room = 0
    rig.append('small')
    rig.give(Buffer.alloc(100_000))
    rig.give(Buffer.alloc(50_000))
    expect(rig.outbox.waitingBytes).to.equal(150_005)
    expect(rig.outbox.waitingBytesButLargest).to.equal(50_005)
    rig.manual.end()
    expect(rig.outbox.waitingBytesButLargest).to.equal(50_005)
    rig.target.makeRoom(1_000_000)
    rig.target.tick()
    rig.append('next')
    expect(rig.outbox.waitingBytesButLargest).to.equal(4)
  })

  it('says so when everything has left after a wait, and only then', () => {
    const rig = opened()
    rig.append('at once')
    rig.manual.end()
    rig.target.tick()
    expect(rig.drained).to.equal(0)
    rig.target.room = 0
    rig.append('waits')
    rig.manual.end()
    rig.append('waits behind it')
    rig.manual.end()
    rig.target.makeRoom(5)
    rig.target.tick()
    // What waited behind it is under way now.
    expect(rig.drained).to.equal(0)
    expect(rig.target.writing).to.equal(true)
    rig.target.makeRoom(100)
    rig.target.tick()
    expect(rig.drained).to.equal(1)
    expect(rig.target.received.equals(rig.appended)).to.equal(true)
  })

  it('says so once for a batch of several buffers', () => {
    const rig = opened()
    rig.target.room = 10
    for (let i = 0; i < 3; i += 1) rig.append(Buffer.alloc(CHUNK_BYTES + 1, i))
    rig.manual.end()
    expect(rig.target.batches).to.equal(1)
    rig.target.makeRoom(Number.POSITIVE_INFINITY)
    rig.target.tick()
    expect(rig.drained).to.equal(1)
    expect(rig.target.received.equals(rig.appended)).to.equal(true)
  })

  describe('when more is expected', () => {
    it('waits one turn longer, once', () => {
      const rig = opened()
      rig.expecting = true
      rig.append('a')
      rig.manual.end()
      expect(rig.target.batches).to.equal(0)
      rig.append('b')
      rig.manual.end()
      expect(rig.target.received.toString()).to.equal('ab')
      expect(rig.manual.scheduled).to.equal(0)
      rig.append('c')
      rig.manual.end()
      expect(rig.target.received.toString()).to.equal('ab')
      rig.manual.end()
      expect(rig.target.received.toString()).to.equal('abc')
    })

    it('is asked for once a turn, even when chunks fill up meanwhile', () => {
      const rig = opened()
      rig.expecting = true
      for (let i = 0; i < 100; i += 1) rig.append(Buffer.alloc(4000, i))
      const { batches } = rig.target
      // A full chunk is written at once.
      expect(batches).to.be.greaterThan(4)
      rig.manual.end()
      expect(rig.target.batches).to.equal(batches)
      rig.manual.end()
      expect(rig.target.batches).to.equal(batches + 1)
      expect(rig.manual.scheduled).to.equal(0)
      expect(rig.target.received.equals(rig.appended)).to.equal(true)
    })

    it('writes at once when told to', () => {
      const rig = opened()
      rig.expecting = true
      rig.append('a')
      rig.outbox.flushNow()
      expect(rig.target.received.toString()).to.equal('a')
    })
  })

  describe('chunks', () => {
    it('serve again as soon as the kernel has taken all of one', () => {
      const rig = opened()
      const first = writeChunks.take()
      writeChunks.giveBack(first)
      for (let i = 0; i < 50; i += 1) rig.append(Buffer.alloc(10_000, i))
      rig.manual.end()
      // However many were filled, it was this one each time.
      expect(writeChunks.take()).to.equal(first)
      giveBack.call(writeChunks, first)
      expect(rig.target.received.equals(rig.appended)).to.equal(true)
    })

    it('are not used again while the kernel has not taken all of one', () => {
      const rig = opened()
      rig.target.room = 3
      const first = writeChunks.take()
      writeChunks.giveBack(first)
      rig.append('held back')
      rig.manual.end()
      const next = writeChunks.take()
      expect(next).to.not.equal(first)
      next.bytes.fill(0xee)
      rig.target.makeRoom(100)
      expect(rig.target.received.toString()).to.equal('held back')
      writeChunks.giveBack(next)
    })

    it('serve again once a write that took a while is done, as all do with TLS', () => {
      const rig = opened()
      rig.target.room = 0
      const first = writeChunks.take()
      writeChunks.giveBack(first)
      rig.append('under way')
      rig.manual.end()
      rig.target.makeRoom(100)
      rig.target.tick()
      expect(writeChunks.take()).to.equal(first)
      writeChunks.giveBack(first)
    })

    it('serve again, all of them, when a client reads late', () => {
      const rig = opened()
      rig.target.room = 0
      const known = Array.from({ length: 8 }, () => writeChunks.take())
      for (const chunk of known) writeChunks.giveBack(chunk)
      for (let i = 0; i < 40; i += 1) rig.append(Buffer.alloc(10_000, i))
      rig.manual.end()
      const free = writeChunks.take()
      expect(free).to.equal(known[0])
      rig.target.makeRoom(1_000_000)
      rig.target.tick()
      expect(rig.target.received.equals(rig.appended)).to.equal(true)
      const again = Array.from({ length: 7 }, () => writeChunks.take())
      expect(again.every((chunk) => known.includes(chunk))).to.equal(true)
      for (const chunk of [free, ...again]) writeChunks.giveBack(chunk)
    })

    it('that were lent go back to their lender when they are written, or dropped', () => {
      for (const end of ['write', 'reset'] as const) {
        const rig = opened()
        const chunk = new Chunk(100)
        let back = 0
        chunk.lender = { giveBack: () => back++ }
        rig.outbox.lend(chunk.bytes.subarray(0, 10), chunk)
        rig.outbox.lend(chunk.bytes.subarray(10, 20), chunk)
        expect(back).to.equal(0)
        if (end === 'write') rig.manual.end()
        else rig.outbox.reset()
        expect(back, end).to.equal(2)
      }
    })

    it('are left to a target that is paused or gone while it still reads one', () => {
      for (const leave of ['pause', 'reset'] as const) {
        const rig = opened()
        rig.target.room = 0
        const first = writeChunks.take()
        writeChunks.giveBack(first)
        rig.append('held back')
        rig.manual.end()
        rig.outbox[leave]()
        rig.target.makeRoom(100)
        rig.target.tick()
        expect(writeChunks.take(), leave).to.not.equal(first)
        expect(rig.target.received.toString()).to.equal('held back')
      }
    })

    it('are not needed for what is given, or larger than one', () => {
      const rig = opened()
      const first = writeChunks.take()
      writeChunks.giveBack(first)
      rig.append(Buffer.alloc(CHUNK_BYTES + 1, 1))
      rig.give(Buffer.from('given'))
      expect(writeChunks.take()).to.equal(first)
      writeChunks.giveBack(first)
      rig.manual.end()
      expect(rig.target.received.equals(rig.appended)).to.equal(true)
    })
  })

  describe('reset', () => {
    it('drops what was not handed over and counts from 0 again', () => {
      const rig = opened()
      rig.target.room = 2
      rig.append('under way')
      rig.manual.end()
      rig.append('gathered')
      rig.give(Buffer.from('given'))
      rig.outbox.reset()
      const { handedBytes, position, waitingBytes } = rig.outbox
      expect({ handedBytes, position, waitingBytes }).to.deep.equal({
        handedBytes: 0,
        position: 0,
        waitingBytes: 0,
      })
      rig.manual.end()
      expect(rig.target.batches).to.equal(1)
    })

    it('gives back a chunk that nobody reads', () => {
      const rig = opened()
      const first = writeChunks.take()
      writeChunks.giveBack(first)
      rig.append('gathered')
      rig.outbox.reset()
      expect(writeChunks.take()).to.equal(first)
      writeChunks.giveBack(first)
      rig.outbox.reset()
      const second = writeChunks.take()
      expect(second).to.equal(first)
      expect(writeChunks.take()).to.not.equal(first)
    })

    it('is not confused by the end of a write to the old target', () => {
      const rig = opened()
      const old = rig.target
      old.room = 2
      rig.append('old')
      rig.manual.end()
      rig.outbox.reset()
      rig.target = new FakeTarget()
      rig.target.room = 0
      rig.outbox.open(rig.target)
      rig.outbox.append(Buffer.from('new'), 0, 3)
      rig.manual.end()
      old.makeRoom(100)
      old.tick()
      expect(rig.drained).to.equal(0)
      rig.outbox.append(Buffer.from('er'), 0, 2)
      rig.manual.end()
      rig.target.makeRoom(100)
      rig.target.tick()
      expect(rig.target.received.toString()).to.equal('newer')
      expect(rig.drained).to.equal(1)
    })
  })

  describe('detach', () => {
    it('keeps the bytes from a position on for the next target', () => {
      const parts = ['chunk', 'given', 'x'.repeat(LARGE_BYTES), 'rest']
      const text = parts.join('')
      for (const handed of [0, 3]) {
        for (let keep = 0; keep < text.length; keep += keep < 12 || keep > LARGE_BYTES ? 1 : 4000) {
          const rig = opened()
          if (handed > 0) {
            rig.append('h'.repeat(handed))
            rig.manual.end()
          }
          rig.outbox.pause()
          rig.append('chunk')
          rig.give(Buffer.from('given'))
          rig.append('x'.repeat(LARGE_BYTES))
          rig.append('rest')
          rig.outbox.detach(handed + keep)
          const { handedBytes, position, waitingBytes } = rig.outbox
          const kept = text.length - keep
          expect([handedBytes, position, waitingBytes]).to.deep.equal([0, kept, kept])
          rig.manual.end()
          expect(rig.target.receivedBytes).to.equal(handed)
          rig.target = new FakeTarget()
          rig.outbox.append(Buffer.from('!'), 0, 1)
          rig.outbox.open(rig.target)
          rig.manual.end()
          expect(rig.target.received.toString()).to.equal(`${text.slice(keep)}!`)
        }
      }
    })

    it('may keep nothing', () => {
      const rig = opened()
      rig.append('chunk')
      rig.give(Buffer.from('given'))
      rig.outbox.detach(Number.POSITIVE_INFINITY)
      expect([rig.outbox.position, rig.outbox.waitingBytes]).to.deep.equal([0, 0])
    })

    it('still leaves the largest piece out of the count', () => {
      const rig = new Rig()
      rig.give(Buffer.alloc(100_000))
      rig.append('small')
      rig.outbox.detach(0)
      expect(rig.outbox.waitingBytesButLargest).to.equal(5)
    })

    it('leaves to the old target what it has been handed', () => {
      const rig = opened()
      rig.target.room = 2
      rig.append('under way')
      rig.manual.end()
      rig.append('later')
      rig.outbox.detach(9)
      expect(rig.outbox.waitingBytes).to.equal(5)
      rig.target.makeRoom(100)
      rig.target.tick()
      expect(rig.target.received.toString()).to.equal('under way')
    })
  })

  it('hands over nothing while it is paused, and everything after', () => {
    const rig = opened()
    rig.target.room = 2
    rig.append('under way')
    rig.manual.end()
    rig.outbox.pause()
    rig.append('gathers')
    rig.target.makeRoom(100)
    rig.target.tick()
    rig.manual.end()
    expect(rig.target.received.toString()).to.equal('under way')
    expect([rig.outbox.handedBytes, rig.outbox.position]).to.deep.equal([9, 16])
    rig.outbox.open(rig.target)
    rig.manual.end()
    expect(rig.target.received.toString()).to.equal('under waygathers')
  })

  it('writes nothing more to a target that broke', () => {
    const rig = opened()
    rig.target.room = 2
    rig.append('under way')
    rig.manual.end()
    rig.append('later')
    rig.target.fail()
    expect([rig.target.batches, rig.drained]).to.deep.equal([1, 0])
    expect(rig.outbox.handedBytes).to.equal(9)
  })

  it('delivers every byte once and in order, whatever the kernel takes and when', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 100; round += 1) {
      const rig = opened()
      const message = `seed ${random.seed}, round ${round}`
      for (let step = 0; step < 60; step += 1) {
        randomStep(rig, random)
        rig.expectAccounting(message)
      }
      rig.expecting = false
      rig.target.makeRoom(Number.POSITIVE_INFINITY)
      while (rig.manual.scheduled > 0 || rig.outbox.waitingBytes > 0) {
        rig.manual.end()
        rig.target.tick()
      }
      expect(rig.target.received.equals(rig.appended), message).to.equal(true)
      rig.expectAccounting(message)
    }
  })
})

const SIZES = [0, 1, 15, 40, 256, 257, 3000, LARGE_BYTES - 1, LARGE_BYTES, 40_000, CHUNK_BYTES + 1]

function randomStep(rig: Rig, random: Random): void {
  const { target } = rig
  const bytes = Buffer.alloc(random.pick(SIZES), random.integer(0, 256))
  switch (random.integer(0, 8)) {
    case 0:
      rig.manual.end()
      break
    case 1:
      target.makeRoom(random.integer(0, 50_000))
      break
    case 2:
      target.tick()
      break
    case 3:
      target.room = random.pick([0, 10, 20_000, Number.POSITIVE_INFINITY])
      rig.expecting = random.pick([true, false])
      break
    case 4:
      if (bytes.length > 0) rig.give(bytes)
      break
    default:
      rig.append(bytes)
  }
}
