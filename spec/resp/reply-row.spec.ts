import { expect } from 'chai'
import { endOfRowElement, ReplyRow } from '../../lib/resp/reply-row.ts'
import { MALFORMED, ReplyScanner } from '../../lib/resp/reply-scanner.ts'
import { bulk, latin1 } from '../support/frames.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'
import { randomReply } from '../support/random-replies.ts'

const LENGTHS = [0, 1, 9, 10, 30, 99, 100, 999]

function usual(random: Random): Buffer {
  const nothing = latin1(random.pick(['$-1\r\n', '_\r\n']))
  const element = random.integer(0, 3) === 0 ? nothing : bulk(random.bytes(random.pick(LENGTHS)))
  return Buffer.concat([latin1('*1\r\n'), element])
}

/** Where each of the frames ends. */
function endsOf(frames: readonly Buffer[]): number[] {
  let end = 0
  return frames.map(({ length }) => {
    end += length
    return end
  })
}

describe('ReplyRow', () => {
  const row = new ReplyRow()

  it('takes usual replies, as many as lie there whole and are wanted, and none of another kind', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 2000; round++) {
      const frames = Array.from({ length: random.integer(1, 8) }, () => usual(random))
      const ends = endsOf(frames)
      const bytes = Buffer.concat([...frames, randomReply(random, 3)])
      const limit = random.integer(0, ends.at(-1) as number)
      const countMax = random.integer(1, frames.length)
      const whole = ends.filter((end) => end <= limit).slice(0, countMax)
      expect(row.scan(bytes, 0, limit, countMax)).to.equal(whole.at(-1) ?? 0)
      expect(row.count).to.equal(whole.length)
      for (const [at, end] of whole.entries()) {
        expect(endOfRowElement(bytes, (ends[at - 1] ?? 0) + 4)).to.equal(end)
      }
    }
  })

  it('takes nothing that the scanner of all replies does not take, whatever byte is wrong', () => {
    const random = createRandom(specSeed())
    const scanner = (): ReplyScanner => new ReplyScanner()
    let taken = 0
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.concat([usual(random), latin1('+OK\r\n')])
      const wrong = latin1('*$-_0129\r\n:x')
      bytes[random.integer(0, 12)] = wrong[random.integer(0, wrong.length - 1)] as number
      const end = row.scan(bytes, 0, bytes.length, 1)
      if (row.count === 0) continue
      taken++
      const expected = scanner().scan(bytes, 0, bytes.length)
      expect(expected, JSON.stringify(bytes.toString('latin1'))).to.not.equal(MALFORMED)
      expect(end).to.equal(expected)
    }
    expect(taken).to.be.greaterThan(0)
  })

  it('leaves what is long, and errors, to the scanner', () => {
    for (const reply of ['*1\r\n$1000\r\n', '-MOVED 1 a:1\r\n', '*2\r\n$1\r\na\r\n$1\r\nb\r\n']) {
      const bytes = Buffer.concat([latin1(reply), Buffer.alloc(1010)])
      expect(row.scan(bytes, 0, bytes.length, 5)).to.equal(0)
    }
  })
})
