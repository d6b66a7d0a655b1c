import { expect } from 'chai'
import { type ReplyOutput, ReplyQueue } from '../../lib/downstream/reply-queue.ts'
import { ARENA_BYTES, type Chunk } from '../../lib/io/chunk.ts'
import { LARGE_BYTES } from '../../lib/io/outbox.ts'
import { latin1 } from '../support/frames.ts'
import { watchPools } from '../support/lent-chunks.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'
import { GARBAGE } from '../support/scan.ts'

/** Takes what is appended at once, and what is given when it is asked for. */
class Output implements ReplyOutput {
  readonly #parts: Buffer[] = []
  given = 0

  append(bytes: Uint8Array, start: number, end: number): void {
    this.#parts.push(Buffer.from(bytes.subarray(start, end)))
  }

  give(bytes: Buffer): void {
    this.given += 1
    this.#parts.push(bytes)
  }

  /** Writes it at once. */
  lend(bytes: Buffer, chunk: Chunk): void {
    this.given += 1
    this.append(bytes, 0, bytes.length)
    chunk.lender?.giveBack(chunk)
  }

  get text(): string {
    return Buffer.concat(this.#parts).toString('latin1')
  }

  /** The text since the last time. */
  takeText(): string {
    const { text } = this
    this.#parts.length = 0
    return text
  }
}

class Rig {
  readonly output = new Output()
  readonly queue = new ReplyQueue(this.output)

  open(count: number): number[] {
    return Array.from({ length: count }, () => this.queue.open())
  }

  /** A reply that comes in a read buffer which is overwritten after the call. */
  reply(ticket: number | undefined, text: string, last = true): void {
    const readBuffer = latin1(`<${text}>`)
    this.queue.reply(ticket as number, readBuffer, 1, 1 + text.length, last)
    readBuffer.fill(GARBAGE)
  }
}

describe('ReplyQueue, watched', () => {
  it('says of each reply that goes out when its request came in and was sent, held or not', () => {
    const settled: string[] = []
    const watch = {
      sentMs: 0,
      settled: (openedMs: number, sentMs: number) => settled.push(`${openedMs} ${sentMs}`),
    }
    const queue = new ReplyQueue(new Output(), watch, watch)
    const tickets = Array.from({ length: 20 }, (_, at) => queue.open(at, 100 + at))
    for (const ticket of tickets.slice(1).reverse()) {
      watch.sentMs = 200 + ticket
      queue.replyFrame(ticket, latin1('+x'))
    }
    expect(settled).to.deep.equal([])
    expect(queue.commandOf(17)).to.equal(17)
    queue.reopen(5, -1)
    watch.sentMs = 200
    queue.replyFrame(0, latin1('+x'))
    const expected = tickets.map((ticket) => `${ticket === 5 ? -1 : 100 + ticket} ${200 + ticket}`)
    expect(settled).to.deep.equal(expected)
  })

  it('knows whether part of a reply has come', () => {
    const queue = new ReplyQueue(new Output())
    const [head = 0, next = 0] = [queue.open(), queue.open()]
    expect([queue.hasBegun(head), queue.hasBegun(next)]).to.deep.equal([false, false])
    for (const ticket of [head, next]) queue.reply(ticket, latin1('-part'), 0, 5, false)
    expect([queue.hasBegun(head), queue.hasBegun(next)]).to.deep.equal([true, true])
    queue.clear()
  })
})

describe('ReplyQueue', () => {
  const pools = watchPools()

  it('passes a reply on at once when it is its turn', () => {
    const rig = new Rig()
    const [first, second] = rig.open(2)
    rig.reply(first, 'a')
    expect(rig.output.text).to.equal('a')
    rig.reply(second, 'b')
    expect(rig.output.text).to.equal('ab')
    expect([rig.queue.length, rig.queue.heldBytes]).to.deep.equal([0, 0])
  })

  it('holds a reply until all before it have gone', () => {
    const rig = new Rig()
    const [first, second, third, fourth] = rig.open(4)
    rig.reply(third, 'ccc')
    rig.reply(second, 'bb')
    expect(rig.output.text).to.equal('')
    expect([rig.queue.length, rig.queue.heldBytes]).to.deep.equal([4, 5])
    rig.reply(first, 'a')
    expect(rig.output.text).to.equal('abbccc')
    expect([rig.queue.length, rig.queue.heldBytes]).to.deep.equal([1, 0])
    rig.reply(fourth, 'd')
    expect(rig.output.text).to.equal('abbcccd')
  })

  it('holds frames that nobody changes without copying them', () => {
    const rig = new Rig()
    const [first, second] = rig.open(2)
    rig.queue.replyFrame(second as number, latin1('+OK\r\n'))
    expect([rig.queue.heldBytes, pools.small.lent.size]).to.deep.equal([5, 0])
    rig.queue.replyFrame(first as number, latin1('+PONG\r\n'))
    expect(rig.output.text).to.equal('+PONG\r\n+OK\r\n')
    expect(rig.queue.heldBytes).to.equal(0)
  })

  it('holds small, large and very many replies alike', () => {
    const sizes = [0, 1, 511, 512, 513, LARGE_BYTES - 1, LARGE_BYTES, 100_000]
    const texts = Array.from({ length: 200 }, (_, i) => String(i % 10).repeat(sizes[i % 8] ?? 0))
    expect(texts.filter((text) => text.length <= 512).join('').length).to.be.greaterThan(
      ARENA_BYTES,
    )
    const rig = new Rig()
    const tickets = rig.open(texts.length)
    for (let i = texts.length - 1; i >= 0; i -= 1) rig.reply(tickets[i], texts[i] ?? '')
    expect(rig.output.text).to.equal(texts.join(''))
    expect([rig.queue.length, rig.queue.heldBytes]).to.deep.equal([0, 0])
    // What is large was copied once, when it was held.
    expect(rig.output.given).to.equal(50)
  })

  it('grows, wherever in its ring it begins', () => {
    for (const offset of [0, 1, 15, 16, 100]) {
      const rig = new Rig()
      for (const ticket of rig.open(offset)) rig.reply(ticket, 'x')
      const early = rig.open(10)
      rig.reply(early[9], '9')
      const late = rig.open(200)
      for (const ticket of late.toReversed()) rig.reply(ticket, '.')
      for (const [i, ticket] of early.slice(0, 9).entries()) rig.reply(ticket, String(i))
      expect(rig.output.text).to.equal(`${'x'.repeat(offset)}0123456789${'.'.repeat(200)}`)
    }
  })

  it('knows which ticket is the newest', () => {
    const rig = new Rig()
    const [first, second] = rig.open(2) as [number, number]
    expect([rig.queue.isNewest(first), rig.queue.isNewest(second)]).to.deep.equal([false, true])
    rig.reply(first, 'a')
    expect(rig.queue.isNewest(second)).to.equal(true)
    const third = rig.queue.open()
    expect([rig.queue.isNewest(second), rig.queue.isNewest(third)]).to.deep.equal([false, true])
    rig.reply(second, 'b')
    rig.reply(third, 'c')
  })

  describe('a reply in parts', () => {
    it('goes out part by part when it is its turn', () => {
      const rig = new Rig()
      const [first, second] = rig.open(2)
      rig.reply(first, 'a', false)
      expect(rig.queue.headStarted).to.equal(true)
      rig.reply(second, 'b')
      rig.reply(first, 'a', false)
      expect(rig.output.text).to.equal('aa')
      expect(rig.queue.length).to.equal(2)
      rig.reply(first, 'a')
      expect(rig.output.text).to.equal('aaab')
      expect([rig.queue.headStarted, rig.queue.length]).to.deep.equal([false, 0])
    })

    it('is held part by part until then, and goes on as the head', () => {
      const rig = new Rig()
      const [first, second, third] = rig.open(3)
      rig.reply(second, 'b', false)
      rig.reply(second, 'bb', false)
      rig.reply(third, 'c')
      expect([rig.queue.heldBytes, rig.queue.headStarted]).to.deep.equal([4, false])
      rig.reply(first, 'a')
      expect(rig.output.text).to.equal('abbb')
      expect([rig.queue.heldBytes, rig.queue.headStarted]).to.deep.equal([1, true])
      rig.reply(second, 'bbb')
      expect(rig.output.text).to.equal('abbbbbbc')
      expect([rig.queue.heldBytes, rig.queue.headStarted]).to.deep.equal([0, false])
    })

    it('that has ended before its turn goes out whole', () => {
      const rig = new Rig()
      const [first, second, third, fourth] = rig.open(4)
      for (const ticket of [fourth, second]) {
        rig.reply(ticket, '(', false)
        rig.reply(ticket, '-', false)
        rig.reply(ticket, ')')
      }
      rig.reply(first, 'a')
      expect(rig.output.text).to.equal('a(-)')
      expect(rig.queue.headStarted).to.equal(false)
      rig.reply(third, 'c')
      expect(rig.output.text).to.equal('a(-)c(-)')
      expect([rig.queue.heldBytes, rig.queue.length]).to.deep.equal([0, 0])
    })
  })

  describe('a failure', () => {
    it('is a reply like others', () => {
      const rig = new Rig()
      const [first, second] = rig.open(2) as [number, number]
      expect(rig.queue.fail(second, latin1('-b'))).to.equal(true)
      expect(rig.queue.fail(first, latin1('-a'))).to.equal(true)
      expect(rig.output.text).to.equal('-a-b')
    })

    it('takes the place of parts that are held', () => {
      const rig = new Rig()
      const [first, second, third] = rig.open(3) as [number, number, number]
      rig.reply(second, 'half a rep', false)
      rig.reply(third, 'half', false)
      expect(rig.queue.fail(second, latin1('-b'))).to.equal(true)
      expect(rig.queue.heldBytes).to.equal(6)
      rig.reply(first, 'a')
      expect(rig.output.text).to.equal('a-bhalf')
      rig.reply(third, ' and half')
      expect(rig.output.text).to.equal('a-bhalf and half')
      expect(rig.queue.heldBytes).to.equal(0)
    })

    it('cannot take back what has gone out, and says so', () => {
      const rig = new Rig()
      const [first, second] = rig.open(2) as [number, number]
      rig.reply(second, 'half', false)
      rig.reply(first, 'half', false)
      expect(rig.queue.fail(first, latin1('-a'))).to.equal(false)
      expect(rig.output.text).to.equal('half')
      rig.reply(first, ' and half')
      // Now part of the second has gone out as well.
      expect(rig.queue.fail(second, latin1('-b'))).to.equal(false)
      expect(rig.output.text).to.equal('half and halfhalf')
    })
  })

  describe('a push', () => {
    it('goes out at once between replies, whoever waits', () => {
      const rig = new Rig()
      const [first, second] = rig.open(2)
      rig.reply(second, 'b')
      rig.queue.push(latin1('>'))
      expect(rig.output.text).to.equal('>')
      rig.reply(first, 'a')
      expect(rig.output.text).to.equal('>ab')
    })

    it('waits for the end of a reply that has gone out in part', () => {
      const rig = new Rig()
      const [first, second, third] = rig.open(3)
      rig.reply(second, 'b', false)
      rig.reply(third, 'c')
      rig.reply(first, 'a', false)
      rig.queue.push(latin1('>1'))
      rig.queue.push(latin1('>2'))
      expect([rig.output.text, rig.queue.heldBytes]).to.deep.equal(['a', 6])
      rig.reply(first, 'a')
      expect(rig.output.text).to.equal('aa>1>2b')
      rig.queue.push(latin1('>3'))
      expect(rig.output.text).to.equal('aa>1>2b')
      rig.reply(second, 'b')
      expect([rig.output.text, rig.queue.heldBytes]).to.deep.equal(['aa>1>2bb>3c', 0])
    })

    it('is not copied when it is large', () => {
      const rig = new Rig()
      rig.queue.push(Buffer.alloc(LARGE_BYTES))
      expect(rig.output.given).to.equal(1)
      const [first] = rig.open(1)
      rig.reply(first, 'a', false)
      rig.queue.push(Buffer.alloc(LARGE_BYTES))
      rig.reply(first, 'a')
      expect(rig.output.given).to.equal(2)
    })
  })

  it('judges the size of recent replies, parts together, and forgets it slowly', () => {
    const rig = new Rig()
    const [a, b, c, d, e, f] = rig.open(6)
    rig.reply(a, 'x'.repeat(300), false)
    rig.reply(a, 'x'.repeat(500))
    expect(rig.queue.largestReplyBytes).to.equal(800)
    rig.reply(b, 'x')
    expect(rig.queue.largestReplyBytes).to.equal(700)
    rig.reply(d, 'x'.repeat(500), false)
    rig.reply(d, 'x'.repeat(500))
    rig.reply(c, 'x'.repeat(699))
    // c: the fading 613 is less than 699; then d, whose parts were held.
    expect(rig.queue.largestReplyBytes).to.equal(1000)
    for (const ticket of [e, f]) rig.reply(ticket, 'x')
    expect(rig.queue.largestReplyBytes).to.equal(766)
  })

  it('lets everything go at the end', () => {
    const rig = new Rig()
    const [first, second, third] = rig.open(3)
    rig.reply(second, 'b')
    rig.reply(third, 'c', false)
    rig.reply(first, 'a', false)
    rig.queue.push(latin1('>'))
    expect(pools.small.lent.size).to.equal(2)
    rig.queue.clear()
    expect([rig.queue.length, rig.queue.heldBytes, pools.small.lent.size]).to.deep.equal([0, 0, 0])
    expect(rig.output.text).to.equal('a')
  })

  it('does what an obvious list does, whatever the order', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 100; round += 1) {
      const rig = new Rig()
      const list: Owed[] = []
      for (let step = 0; step < 200 || list.length > 0; step += 1) {
        const sent = randomStep(random, rig, list, step < 200)
        const message = `seed ${random.seed}, round ${round}, step ${step}`
        expect(rig.output.takeText(), message).to.equal(sent)
        const held = list.reduce((sum, owed) => sum + owed.held.length, 0)
        expect([rig.queue.length, rig.queue.heldBytes], message).to.deep.equal([list.length, held])
      }
    }
  })
})

/** A reply that is owed; `held` has come and not gone out. */
interface Owed {
  readonly ticket: number
  held: string
  begun: boolean
  settled: boolean
}

/** Does something at random to both, and returns what the plainest queue would send for it. */
function randomStep(random: Random, rig: Rig, list: Owed[], mayOpen: boolean): string {
  const choice = random.integer(0, 10)
  if (mayOpen && choice < 4) {
    for (let i = random.integer(1, 6); i > 0; i -= 1) {
      list.push({ ticket: rig.queue.open(), held: '', begun: false, settled: false })
    }
    return ''
  }
  const waiting = list.filter((owed) => !owed.settled)
  if (waiting.length === 0) return ''
  const owed = random.pick(waiting)
  const text = String(owed.ticket % 10).repeat(random.pick([1, 10, 500, 513, LARGE_BYTES]))
  if (choice === 9 && !(owed === list[0] && owed.begun)) {
    expect(rig.queue.fail(owed.ticket, latin1(`-${text}`))).to.equal(true)
    owed.held = `-${text}`
    owed.settled = true
  } else {
    owed.settled = random.pick([true, true, false])
    owed.begun = true
    rig.reply(owed.ticket, text, owed.settled)
    owed.held += text
  }
  let sent = ''
  for (;;) {
    const head = list[0]
    sent += head?.held ?? ''
    if (head !== undefined) head.held = ''
    if (head?.settled !== true) return sent
    list.shift()
  }
}
