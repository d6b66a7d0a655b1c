/** What a connection keeps of the bytes that it has sent. */
import { expect } from 'chai'
import { CHUNK_BYTES } from '../../../lib/io/chunk.ts'
import { Outbox } from '../../../lib/io/outbox.ts'
import { regions } from '../../../lib/io/region.ts'
import {
  type KeptBytes,
  SentBytes,
  StreamReader,
} from '../../../lib/upstream/connection/placed/sent-bytes.ts'
import { FakeTarget } from '../../support/fake-target.ts'
import { latin1 } from '../../support/frames.ts'
import { watchPools } from '../../support/lent-chunks.ts'
import { ManualTurn } from '../../support/manual-turn.ts'
import { createRandom, specSeed } from '../../support/random.ts'

const LARGE = CHUNK_BYTES + 1

function textOf({ bytes, start, end, memory }: KeptBytes): string {
  const text = bytes.toString('latin1', start, end)
  memory?.letGo()
  return text
}

describe('SentBytes', () => {
  let count: { bytes: number }
  let sent: SentBytes
  /** By others in this process. */
  let filledBefore: number

  beforeEach(() => {
    filledBefore = regions.filledBytes
    count = { bytes: 0 }
    sent = new SentBytes(count)
  })

  afterEach(() => {
    sent.clear()
    expect(count.bytes).to.equal(0)
    expect(regions.filledBytes).to.equal(filledBefore)
  })

  const pools = watchPools()

  function hand(text: string, position: number): void {
    const bytes = Buffer.from(latin1(text))
    sent.handed(bytes, undefined, position)
    // As a chunk that is used again.
    if (bytes.length <= CHUNK_BYTES) bytes.fill('?')
  }

  function read(...ranges: readonly (readonly [number, number])[]): string[] {
    const reader = new StreamReader(sent.pieces)
    return ranges.map(([start, end]) => textOf(reader.keep(start, end)))
  }

  it('has what was handed over, over the turns, in one chunk', () => {
    hand('one', 10)
    hand('two', 13)
    expect(read([10, 13], [13, 16])).to.deep.equal(['one', 'two'])
    expect(pools.large.lent.size).to.equal(1)
    expect(count.bytes).to.equal(6)
  })

  it('lets a chunk go as soon as all in it is answered, and not before', () => {
    hand('one', 0)
    hand('two', 3)
    sent.release(5)
    expect(read([3, 6])).to.deep.equal(['two'])
    sent.release(6)
    expect(pools.large.lent.size).to.equal(0)
    hand('three', 6)
    expect(read([6, 11])).to.deep.equal(['three'])
  })

  it('joins a request that lies in several pieces', () => {
    hand('a'.repeat(CHUNK_BYTES - 1), 0)
    hand('bc', CHUNK_BYTES - 1)
    expect(read([CHUNK_BYTES - 2, CHUNK_BYTES + 1])).to.deep.equal(['abc'])
  })

  it('keeps what is long where it is, as long as anybody needs it', () => {
    const region = regions.take(LARGE)
    region.bytes.fill('x')
    region.fill(LARGE)
    sent.handed(region.bytes, region, 0)
    region.letGo()
    const kept = new StreamReader(sent.pieces).keep(0, LARGE)
    sent.release(LARGE)
    expect(kept.bytes).to.equal(region.bytes)
    expect(textOf(kept)).to.equal('x'.repeat(LARGE))
  })

  it('has the stream of an outbox, whatever was sent of it and however (random)', () => {
    const random = createRandom(specSeed())
    const manual = new ManualTurn()
    const outbox = new Outbox(manual.turn, { drained: () => {}, expectsMore: () => false })
    const target = new FakeTarget()
    outbox.keepIn(sent)
    outbox.open(target)
    const requests: { start: number; text: string }[] = []
    for (let i = 0; i < 300; i++) {
      const length = random.pick([1, 20, 300, 20_000, LARGE])
      const text = String.fromCharCode(97 + (i % 26)).repeat(length)
      requests.push({ start: outbox.position, text })
      const bytes = Buffer.from(latin1(text))
      if (random.next() < 0.2) outbox.give(bytes)
      else outbox.append(bytes, 0, length)
      if (random.next() < 0.3) manual.end()
      if (random.next() < 0.1) requests.splice(0, random.integer(0, requests.length))
      sent.release(requests[0]?.start ?? outbox.position)
    }
    const reader = new StreamReader([...sent.pieces, ...outbox.unsent])
    for (const { start, text } of requests) {
      expect(textOf(reader.keep(start, start + text.length)) === text, `at ${start}`).to.equal(true)
    }
    outbox.reset()
    expect(sent.pieces).to.deep.equal([])
  })
})
