import { expect } from 'chai'
import { REPLY_BULK_BYTES_MAX, REPLY_ELEMENTS_MAX } from '../../lib/limits.ts'
import { MALFORMED, MORE, ReplyScanner } from '../../lib/resp/reply-scanner.ts'
import { everyChunking, everyPairOfCuts, randomChunking } from '../support/chunks.ts'
import { WorkCounter } from '../support/counting-buffers.ts'
import { endOfFrame, latin1 } from '../support/frames.ts'
import { createRandom, specSeed } from '../support/random.ts'
import { randomReply } from '../support/random-replies.ts'
import { decodeFrames } from '../support/redis-parser.ts'

const VALID = [
  '+OK\r\n',
  '+\r\n',
  '-ERR no\r\n',
  // Without a space, for which twemproxy looked: the next reply went to the wrong client.
  '-keyalreadyexists\r\n',
  ':0\r\n',
  ':-12\r\n',
  ':+12\r\n',
  ':9223372036854775807\r\n',
  ':-9223372036854775808\r\n',
  '$0\r\n\r\n',
  '$2\r\n\r\n\r\n',
  '$12\r\n+OK\r\n:1\r\n$-1\r\n',
  '$-1\r\n',
  '*-1\r\n',
  '*0\r\n',
  '*3\r\n$1\r\na\r\n$-1\r\n*-1\r\n',
  '*2\r\n*1\r\n*0\r\n*2\r\n:1\r\n+x\r\n',
  '_\r\n',
  '#t\r\n',
  '#f\r\n',
  ',-1.5e10\r\n',
  ',nan\r\n',
  '(-123456789012345678901234567890\r\n',
  '!5\r\nERR x\r\n',
  '=6\r\ntxt:ab\r\n',
  '~2\r\n:1\r\n:2\r\n',
  '%0\r\n',
  '%2\r\n+a\r\n:1\r\n+b\r\n%1\r\n+c\r\n_\r\n',
  '>2\r\n+message\r\n$1\r\nx\r\n',
  '|1\r\n+ttl\r\n:1\r\n$1\r\na\r\n',
  '|0\r\n:1\r\n',
  '*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n|1\r\n|1\r\n+c\r\n+d\r\n+e\r\n+f\r\n:2\r\n',
]

const MALFORMED_REPLIES = [
  '^\r\n',
  'OK\r\n',
  '\r\n',
  '\0',
  // Bare CR and bare LF in or after a line.
  '+OK\rX',
  '+O\nK\r\n',
  '$1\n',
  '*0\rX',
  // Integers and lengths.
  ':x\r\n',
  ':\r\n',
  ':-\r\n',
  ':+\r\n',
  ':1.5\r\n',
  ':1 \r\n',
  ':111111111111111111111\r\n',
  '$\r\n',
  '$x\r\n',
  '$-2\r\n',
  '$+1\r\n',
  '$01\r\n',
  '$18446744073709551616\r\n',
  `$${REPLY_BULK_BYTES_MAX + 1}\r\n`,
  '*\r\n',
  '*x\r\n',
  '*-2\r\n',
  '*01\r\n',
  `*${REPLY_ELEMENTS_MAX + 1}\r\n`,
  '*18446744073709551616\r\n',
  '%-1\r\n',
  '|-1\r\n',
  '$?\r\n',
  // What stands behind a bulk string.
  '$2\r\nabX\r',
  '$2\r\nab\rX',
  '$2\r\nab\n\r',
  '$6\r\nfoobarr\r\n',
  '$5\r\nab\r\n:1\r\n',
  '$0\r\nX\r\n',
  // RESP3's simple values.
  '_x\r\n',
  '#\r\n',
  '#x\r\n',
  '#tt\r\n',
  // Within an aggregate.
  '*2\r\n:1\r\n^\r\n',
  '%1\r\n+a\r\n:x\r\n',
]

interface Scan {
  readonly frames: string[]
  readonly malformed: boolean
  /** Bytes of the frame under way that have been understood, and that have not. */
  readonly understood: number
  readonly rest: number
}

/** Scans as ReplyCutter does: understood bytes are given away, the rest is presented again. */
function scanReplies(chunks: readonly Buffer[], scanner = new ReplyScanner()): Scan {
  const frames: string[] = []
  let frame = ''
  let pending: Buffer = Buffer.alloc(0)
  for (const chunk of chunks) {
    // Something else before and after, as in a shared buffer.
    const bytes = Buffer.concat([latin1('\r\n'), pending, chunk, latin1('\r\n')])
    let at = 2
    const to = bytes.length - 2
    while (at < to) {
      const end = scanner.scan(bytes, at, to)
      if (end === MALFORMED) return { frames, malformed: true, understood: 0, rest: 0 }
      const understood = end === MORE ? scanner.position : end
      frame += bytes.toString('latin1', at, understood)
      at = understood
      if (end === MORE) break
      frames.push(frame)
      frame = ''
    }
    pending = Buffer.from(bytes.subarray(at, to))
  }
  return { frames, malformed: false, understood: frame.length, rest: pending.length }
}

describe('ReplyScanner', () => {
  for (const reply of VALID) {
    it(`finds the end of ${JSON.stringify(reply)} however it is cut`, () => {
      const stream = latin1(`${reply}${reply}+next\r\n`)
      const chunkings = [...everyChunking(stream)]
      if (stream.length < 60) chunkings.push(...everyPairOfCuts(stream))
      for (const { name, chunks } of chunkings) {
        const { frames, malformed, rest } = scanReplies(chunks)
        expect(malformed, name).to.equal(false)
        expect(frames, name).to.deep.equal([reply, reply, '+next\r\n'])
        expect(rest, name).to.equal(0)
      }
      expect(endOfFrame(stream, 0)).to.equal(reply.length)
    })
  }

  for (const reply of MALFORMED_REPLIES) {
    it(`refuses ${JSON.stringify(reply)} however it is cut`, () => {
      for (const { name, chunks } of everyChunking(latin1(`:7\r\n${reply}`))) {
        const { frames, malformed } = scanReplies(chunks)
        expect(malformed, name).to.equal(true)
        expect(frames, name).to.deep.equal([':7\r\n'])
      }
    })
  }

  for (const protocol of [2, 3] as const) {
    it(`finds the same ends as an obvious parser, in random RESP${protocol} replies`, () => {
      const random = createRandom(specSeed())
      for (let round = 0; round < 400; round += 1) {
        const count = random.integer(1, 4)
        const replies = Array.from({ length: count }, () => randomReply(random, protocol))
        const stream = Buffer.concat(replies)
        const { name, chunks } = randomChunking(stream, random, 12)
        const { frames, malformed, rest } = scanReplies(chunks)
        expect({ malformed, rest }, name).to.deep.equal({ malformed: false, rest: 0 })
        expect(frames, name).to.deep.equal(replies.map((reply) => reply.toString('latin1')))
        let at: number | undefined = 0
        for (const frame of frames) {
          at = endOfFrame(stream, at)
          expect(at, name).to.not.equal(undefined)
          if (protocol === 2) expect(decodeFrames(latin1(frame)), name).to.have.length(1)
          if (at === undefined) break
        }
        expect(at, name).to.equal(stream.length)
      }
    })
  }

  it('finds the same in damaged replies, however they are cut', () => {
    const random = createRandom(specSeed())
    let malformed = 0
    for (let round = 0; round < 2000; round += 1) {
      const stream = Buffer.concat([randomReply(random, 3), randomReply(random, 3)])
      for (let i = random.integer(1, 4); i > 0; i -= 1) {
        stream[random.integer(0, stream.length)] = random.pick([...latin1('*$\r\n01-+:%|x')])
      }
      const whole = scanReplies([stream])
      const { name, chunks } = randomChunking(stream, random, 12)
      const pieces = scanReplies(chunks)
      expect(pieces, name).to.deep.equal(whole)
      if (whole.malformed) malformed += 1
    }
    expect(malformed).to.be.greaterThan(500)
  })

  it('follows nesting as deep as Redis goes, and far deeper', () => {
    for (const depth of [7995, 1_000_000]) {
      const reply = latin1(`${'*1\r\n'.repeat(depth)}:1\r\n`)
      const scanner = new ReplyScanner()
      expect(scanner.scan(reply, 0, reply.length)).to.equal(reply.length)
      const half = scanner.scan(reply, 0, reply.length - 1)
      expect(half).to.equal(MORE)
      expect(scanner.position).to.equal(reply.length - 4)
      expect(scanner.scan(reply, scanner.position, reply.length)).to.equal(reply.length)
    }
  })

  it('counts a million elements', () => {
    const reply = latin1(`*1000000\r\n${':1\r\n'.repeat(1_000_000)}`)
    expect(new ReplyScanner().scan(reply, 0, reply.length)).to.equal(reply.length)
    expect(new ReplyScanner().scan(reply, 0, reply.length - 4)).to.equal(MORE)
  })

  it('waits for what the largest headers announce', () => {
    for (const header of [`$${REPLY_BULK_BYTES_MAX}\r\n`, `*${REPLY_ELEMENTS_MAX}\r\n`]) {
      const { malformed, understood } = scanReplies([latin1(header)])
      expect({ malformed, understood }).to.deep.equal({
        malformed: false,
        understood: header.length,
      })
    }
  })

  it('understands the bytes of a bulk string as they come, but not half a line', () => {
    const scanner = new ReplyScanner()
    const reply = latin1('$5\r\nabcde\r\n')
    const positions = [3, 4, 5, 9, 10].map((to) => {
      expect(scanner.scan(reply, scanner.position, to)).to.equal(MORE)
      return scanner.position
    })
    expect(positions).to.deep.equal([0, 4, 5, 9, 10])
    expect(scanner.scan(reply, 10, 11)).to.equal(11)
  })

  it('looks at no byte of a bulk string but its end, and at a line byte by byte once', () => {
    for (const [reply, readsMax] of [
      [latin1(`$50000\r\n${'x'.repeat(50_000)}\r\n`), 40],
      [latin1(`+${'x'.repeat(50_000)}\r\n`), 5 * 50_000],
    ] as const) {
      for (const step of [1, 4096, reply.length]) {
        const work = new WorkCounter()
        const scanner = new ReplyScanner()
        const watched = work.watch(Buffer.from(reply))
        for (let to = step; to < reply.length; to += step) {
          expect(scanner.scan(watched, scanner.position, to)).to.equal(MORE)
        }
        expect(scanner.scan(watched, scanner.position, reply.length)).to.equal(reply.length)
        expect(work.bytesRead, `${readsMax}, in steps of ${step}`).to.be.at.most(readsMax)
      }
    }
  })
})
