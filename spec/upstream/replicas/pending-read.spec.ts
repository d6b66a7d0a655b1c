import { expect } from 'chai'
import { OVERLOADED } from '../../../lib/failures.ts'
import { Lanes } from '../../../lib/upstream/lane.ts'
import { PendingRead, type ReadOwner } from '../../../lib/upstream/replicas/pending-read.ts'
import type { Replica } from '../../../lib/upstream/replicas/replica.ts'
import { latin1 } from '../../support/frames.ts'
import { watchPools } from '../../support/lent-chunks.ts'
import { ManualTimers } from '../../support/manual-timers.ts'

/** Notes what it is told; sends the read elsewhere if it may. */
class Owner implements ReadOwner {
  readonly told: string[] = []
  goesElsewhere = false

  refused(_read: PendingRead, words: string): boolean {
    this.told.push(`refused ${words}`)
    return this.goesElsewhere
  }

  failed(_read: PendingRead, { kind }: typeof OVERLOADED): boolean {
    this.told.push(`failed ${kind}`)
    return this.goesElsewhere
  }

  overruled(): void {
    this.told.push('overruled')
  }

  over(_read: PendingRead, answered: boolean): void {
    this.told.push(answered ? 'answered' : 'over')
  }

  doubted(): void {
    this.told.push('doubted')
  }

  expired(read: PendingRead): void {
    this.told.push('expired')
    read.fail(OVERLOADED)
  }
}

describe('PendingRead', () => {
  const pools = watchPools()
  const timers = new ManualTimers()
  const lane = new Lanes(() => {}).first
  let owner: Owner
  let replies: string[]

  beforeEach(() => {
    owner = new Owner()
    replies = []
    timers.install(false)
  })

  afterEach(() => {
    timers.restore()
  })

  function readOf(owned = false): PendingRead {
    const frame = { bytes: latin1('GET a\r\n'), frameStart: 0, frameEnd: 7, owned }
    const sink = {
      reply: (ticket: number, bytes: Buffer, start: number, end: number, last: boolean) => {
        replies.push(`${ticket} ${bytes.toString('latin1', start, end)}${last ? '' : ' ...'}`)
      },
      failed: (ticket: number, { kind }: typeof OVERLOADED) => replies.push(`${ticket} ${kind}`),
    }
    return new PendingRead(owner, lane, frame, { sink, ticket: 9 }, 0)
  }

  function answer(read: PendingRead, ticket: number, text: string, last = true): void {
    // In the midst of other bytes, as in a read buffer.
    read.reply(ticket, latin1(`xx${text}yy`), 2, 2 + text.length, last)
  }

  for (const owned of [true, false]) {
    it(`keeps its bytes when the frame says something else later (owned: ${owned})`, () => {
      const frame = { bytes: latin1('GET a\r\n'), frameStart: 0, frameEnd: 7, owned }
      const target = { sink: { reply: () => {}, failed: () => {} }, ticket: 0 }
      const read = new PendingRead(owner, lane, frame, target, 0)
      // As a scanner does with the next request.
      frame.bytes = latin1('....GET b\r\n')
      frame.frameStart = 4
      frame.frameEnd = 11
      const { bytes, frameStart, frameEnd } = read.frame
      expect(bytes.toString('latin1', frameStart, frameEnd)).to.equal('GET a\r\n')
      read.fail(OVERLOADED)
    })
  }

  it('keeps them until it is over, and no longer', () => {
    const read = readOf()
    expect(pools.small.lent.size).to.equal(1)
    const ticket = read.nextTicket()
    answer(read, ticket, '$10\r\n01234', false)
    expect(pools.small.lent.size).to.equal(1)
    answer(read, ticket, '56789\r\n')
    expect(pools.small.lent.size).to.equal(0)
  })

  it('passes its reply on as it comes, and tells its owner at the end', () => {
    const read = readOf()
    const ticket = read.nextTicket()
    answer(read, ticket, '$10\r\n01234', false)
    expect(owner.told).to.deep.equal([])
    answer(read, ticket, '56789\r\n')
    expect(replies).to.deep.equal(['9 $10\r\n01234 ...', '9 56789\r\n'])
    expect(owner.told).to.deep.equal(['answered'])
  })

  for (const line of [
    '-LOADING it loads\r\n',
    '-MASTERDOWN link\r\n',
    '!15\r\nLOADING it loads\r\n',
  ]) {
    const words = /[A-Z]+/.exec(line)?.[0]
    it(`does not pass on ${JSON.stringify(line)} while it may go elsewhere`, () => {
      owner.goesElsewhere = true
      const read = readOf()
      answer(read, read.nextTicket(), line)
      expect([owner.told, replies]).to.deep.equal([[`refused ${words}`], []])
      answer(read, read.nextTicket(), '+fine\r\n')
      expect(replies).to.deep.equal(['9 +fine\r\n'])
    })

    it(`passes ${JSON.stringify(line)} on where it may not`, () => {
      const read = readOf()
      answer(read, read.nextTicket(), line)
      expect(replies).to.deep.equal([`9 ${line}`])
      expect(owner.told).to.deep.equal([`refused ${words}`, 'answered'])
    })
  }

  it('takes no value and no other error for a refusal', () => {
    owner.goesElsewhere = true
    const lines = ['+LOADING it\r\n', '$8\r\n-LOADING\r\n', '-LOADINGS x\r\n', '-ERR LOADING x\r\n']
    for (const line of lines) {
      const read = readOf()
      answer(read, read.nextTicket(), line)
    }
    expect(replies).to.deep.equal(lines.map((line) => `9 ${line}`))
  })

  it('looks for a refusal where a reply begins, and nowhere else', () => {
    owner.goesElsewhere = true
    const read = readOf()
    const ticket = read.nextTicket()
    answer(read, ticket, '$20\r\n', false)
    answer(read, ticket, '-LOADING it loads\r\n')
    expect(replies).to.have.lengthOf(2)
    expect(owner.told).to.deep.equal(['answered'])
  })

  it('fails where its owner has nobody else to ask', () => {
    const read = readOf()
    read.failed(read.nextTicket(), OVERLOADED)
    expect([owner.told, replies]).to.deep.equal([['failed overloaded', 'over'], ['9 overloaded']])
  })

  it('fails without a second try when half of its reply has gone out', () => {
    owner.goesElsewhere = true
    const read = readOf()
    const ticket = read.nextTicket()
    answer(read, ticket, '$10\r\n01234', false)
    read.failed(ticket, OVERLOADED)
    expect(replies.at(-1)).to.equal('9 overloaded')
    expect(owner.told).to.deep.equal(['over'])
  })

  it('hears nothing of a try that was given up', () => {
    const read = readOf()
    const first = read.nextTicket()
    const second = read.nextTicket()
    answer(read, first, '+old\r\n')
    read.failed(first, OVERLOADED)
    expect([owner.told, replies]).to.deep.equal([[], []])
    answer(read, second, '+new\r\n')
    expect(replies).to.deep.equal(['9 +new\r\n'])
  })

  it('is over once, whatever comes after that', () => {
    const read = readOf()
    const ticket = read.nextTicket()
    answer(read, ticket, '+OK\r\n')
    answer(read, ticket, '+OK\r\n')
    read.failed(ticket, OVERLOADED)
    read.fail(OVERLOADED)
    expect([owner.told, replies]).to.deep.equal([['answered'], ['9 +OK\r\n']])
  })

  it('expires when its time is up, by the first limit that it was given', () => {
    const read = readOf()
    read.limit(Number.POSITIVE_INFINITY)
    read.limit(50)
    read.limit(500)
    expect(timers.delaysMs).to.deep.equal([50])
    timers.advance(49)
    expect(owner.told).to.deep.equal([])
    timers.advance(1)
    expect(owner.told).to.deep.equal(['expired', 'over'])
  })

  it('expires no more once it is over', () => {
    const read = readOf()
    read.limit(50)
    answer(read, read.nextTicket(), '+OK\r\n')
    expect(timers.delaysMs).to.deep.equal([])
  })

  describe('of a slot', () => {
    let asked: number[]
    let hasMoved: boolean

    beforeEach(() => {
      asked = []
      hasMoved = false
    })

    /** Under way at a replica, whose replies are certain if they begin with `$`. */
    function movingRead(): PendingRead {
      const sink = {
        reply: (_ticket: number, bytes: Buffer, start: number, end: number, last: boolean) => {
          replies.push(`${bytes.toString('latin1', start, end)}${last ? '' : ' ...'}`)
        },
        failed: (_ticket: number, { kind }: typeof OVERLOADED) => replies.push(kind),
      }
      const moving = {
        floorMs: 0,
        isUnsettled: false,
        toMaster: (_lane: unknown, _frame: unknown, _sink: unknown, ticket: number) => {
          asked.push(ticket)
        },
        isCertain: (bytes: Buffer, start: number) => bytes[start] === 0x24,
        hasMoved: () => hasMoved,
      }
      const frame = { bytes: latin1('GET a\r\n'), frameStart: 0, frameEnd: 7, owned: true }
      const read = new PendingRead(owner, lane, frame, { sink, ticket: 9, moving }, 0)
      read.goesTo({} as Replica)
      return read
    }

    it('passes on what is certain', () => {
      const read = movingRead()
      answer(read, read.nextTicket(), '$1\r\nv\r\n')
      expect(replies).to.deep.equal(['$1\r\nv\r\n'])
      expect(asked).to.deep.equal([])
    })

    it('passes on what a replica has said once the owner has answered and nothing has moved', () => {
      const read = movingRead()
      answer(read, read.nextTicket(), ':0\r\n')
      expect(replies).to.deep.equal([])
      answer(read, asked[0] as number, '*2\r\n:1\r\n', false)
      answer(read, asked[0] as number, ':2\r\n')
      expect(replies).to.deep.equal([':0\r\n'])
      expect(owner.told).to.deep.equal(['doubted', 'answered'])
    })

    it('passes on what the owner says when something has moved', () => {
      const read = movingRead()
      answer(read, read.nextTicket(), ':0\r\n')
      hasMoved = true
      answer(read, asked[0] as number, ':7\r\n')
      expect(replies).to.deep.equal([':7\r\n'])
      expect(read.source).to.equal('master')
    })

    for (const [what, reply, last] of [
      ['an error', '-MOVED 1 127.0.0.1:7001\r\n', true],
      ['the beginning of a reply', '*99\r\n:0\r\n', false],
    ] as const) {
      it(`passes on what the owner says when a replica has said ${what}`, () => {
        const read = movingRead()
        answer(read, read.nextTicket(), reply, last)
        expect([owner.told, replies]).to.deep.equal([['overruled'], []])
        read.goesTo('master')
        answer(read, read.nextTicket(), ':0\r\n')
        expect(replies).to.deep.equal([':0\r\n'])
      })
    }

    it('fails when the owner does not answer: it has been looked for', () => {
      const read = movingRead()
      owner.goesElsewhere = true
      answer(read, read.nextTicket(), ':0\r\n')
      read.failed(asked[0] as number, OVERLOADED)
      expect(replies).to.deep.equal(['overloaded'])
    })
  })
})
