import { expect } from 'chai'
import { REPLY_PART_BYTES } from '../../../lib/limits.ts'
import { ReplyCutter, type ReplyHandler } from '../../../lib/upstream/connection/reply-cutter.ts'
import { cut, everyChunking, randomChunking } from '../../support/chunks.ts'
import { WorkCounter } from '../../support/counting-buffers.ts'
import { bulk, latin1 } from '../../support/frames.ts'
import { createRandom, specSeed } from '../../support/random.ts'
import { randomReply } from '../../support/random-replies.ts'

/** What came out: whole replies, and in how many parts each came. */
class Collector {
  readonly replies: string[] = []
  readonly pushes: string[] = []
  readonly parts: number[] = []
  largestPartBytes = 0
  /** Stops after so many replies. */
  stopAfter = Number.POSITIVE_INFINITY
  #reply: string[] = []
  #push: string[] = []
  readonly cutter = new ReplyCutter(
    (bytes, start, end, last) => {
      expect(end, 'a part is never empty').to.be.greaterThan(start)
      this.largestPartBytes = Math.max(this.largestPartBytes, end - start)
      this.#reply.push(bytes.toString('latin1', start, end))
      if (last) {
        this.replies.push(this.#reply.join(''))
        this.parts.push(this.#reply.length)
        this.#reply = []
      }
      return this.replies.length < this.stopAfter
    },
    (bytes, start, end, last) => {
      this.#push.push(bytes.toString('latin1', start, end))
      if (last) {
        this.pushes.push(this.#push.join(''))
        this.#push = []
      }
      return true
    },
  )

  /** Reads the chunks as a socket would, into one buffer; false when they were malformed. */
  read(chunks: readonly Buffer[]): boolean {
    const readBuffer = Buffer.alloc(Math.max(...chunks.map((chunk) => chunk.length)) + 4, '*1\r\n')
    for (const chunk of chunks) {
      chunk.copy(readBuffer)
      if (!this.cutter.take(readBuffer, chunk.length)) return false
      readBuffer.fill('*1\r\n')
    }
    return true
  }
}

function inPieces(bytes: Buffer, pieceBytes: number): Buffer[] {
  const count = Math.ceil(bytes.length / pieceBytes) - 1
  return cut(
    bytes,
    Array.from({ length: count }, (_, i) => (i + 1) * pieceBytes),
  )
}

const SHORT = [
  '+OK\r\n',
  '$-1\r\n',
  '*2\r\n$1\r\na\r\n:1\r\n',
  '$12\r\n+OK\r\n+OK\r\n>1\r\n',
  '%1\r\n+a\r\n_\r\n',
]
const PUSH = '>2\r\n+message\r\n$1\r\nx\r\n'

describe('ReplyCutter', () => {
  it('passes on each reply once and whole, however the stream is cut', () => {
    for (const { name, chunks } of everyChunking(latin1(SHORT.join('')))) {
      const collector = new Collector()
      expect(collector.read(chunks), name).to.equal(true)
      expect(collector.replies, name).to.deep.equal(SHORT)
    }
  })

  it('passes on a reply that lies whole in what was read from where it lies', () => {
    const read = latin1(':1\r\n+OK\r\n')
    const places: [Buffer, number, number][] = []
    const cutter = new ReplyCutter((bytes, start, end) => places.push([bytes, start, end]) > 0)
    cutter.take(read, read.length)
    expect(places).to.deep.equal([
      [read, 0, 4],
      [read, 4, 9],
    ])
    expect(places[1]?.[0]).to.equal(read)
  })

  it('tells pushes from replies, which they never answer', () => {
    const stream = latin1([PUSH, SHORT[0], PUSH, PUSH, SHORT[3], SHORT[4], PUSH].join(''))
    for (const { name, chunks } of everyChunking(stream)) {
      const collector = new Collector()
      expect(collector.read(chunks), name).to.equal(true)
      expect(collector.replies, name).to.deep.equal([SHORT[0], SHORT[3], SHORT[4]])
      expect(collector.pushes, name).to.deep.equal([PUSH, PUSH, PUSH, PUSH])
    }
  })

  it('drops pushes that nobody wants', () => {
    const replies: string[] = []
    const cutter = new ReplyCutter((bytes, start, end) => {
      replies.push(bytes.toString('latin1', start, end))
      return true
    })
    const stream = latin1(`${PUSH}+OK\r\n${PUSH}`)
    expect(cutter.take(stream, stream.length)).to.equal(true)
    expect(replies).to.deep.equal(['+OK\r\n'])
  })

  it('finds random replies and pushes in a stream cut at random', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 300; round += 1) {
      const replies = Array.from({ length: random.integer(1, 8) }, () => randomReply(random, 3))
      const expected = replies.map((reply) => reply.toString('latin1'))
      const { name, chunks } = randomChunking(Buffer.concat(replies), random, 20)
      const collector = new Collector()
      expect(collector.read(chunks), name).to.equal(true)
      expect(collector.replies, name).to.deep.equal(expected)
    }
  })

  describe('large replies', () => {
    const value = 'v'.repeat(300_000)
    const large: readonly [string, Buffer][] = [
      ['a string', bulk(value)],
      ['an array of small strings', latin1(`*40000\r\n${'$3\r\nabc\r\n'.repeat(40_000)}`)],
      ['an array of large strings', latin1(`*3\r\n${bulk(value).toString('latin1').repeat(3)}`)],
      ['a nested array', latin1(`*1\r\n`.repeat(50_000) + bulk(value).toString('latin1'))],
      ['a long line among others', latin1(`*3\r\n${bulk(value)}+${value}\r\n${bulk('end')}`)],
      ['a push', latin1(`>2\r\n+message\r\n${bulk(value)}`)],
    ]

    for (const [name, reply] of large) {
      for (const pieceBytes of [999, 10_000, 65_536]) {
        it(`come in parts and nothing is lost: ${name}, ${pieceBytes} bytes a read`, () => {
          const collector = new Collector()
          const stream = Buffer.concat([latin1('+first\r\n'), reply, latin1('+last\r\n')])
          expect(collector.read(inPieces(stream, pieceBytes))).to.equal(true)
          const isPush = reply[0] === 0x3e
          const expected = ['+first\r\n', isPush ? '' : reply.toString('latin1'), '+last\r\n']
          expect(collector.replies).to.deep.equal(expected.filter((text) => text !== ''))
          expect(collector.pushes).to.deep.equal(isPush ? [reply.toString('latin1')] : [])
        })
      }
    }

    it('are never held as a whole', () => {
      const reply = bulk(Buffer.alloc(8_000_000, 'v'))
      for (const pieceBytes of [999, 10_000, 40_000, 65_536]) {
        const work = new WorkCounter()
        const collector = new Collector()
        work.run(() => collector.read(inPieces(reply, pieceBytes)))
        expect(collector.replies).to.have.length(1)
        expect(work.bytesAllocated, `${pieceBytes}`).to.be.lessThan(4 * REPLY_PART_BYTES)
        expect(collector.largestPartBytes).to.be.at.most(2 * REPLY_PART_BYTES)
      }
    })

    it('cost a copy of each byte at most a few times, even as one endless line', () => {
      const line = `+${'x'.repeat(300_000)}\r\n`
      for (const reply of [
        line,
        `*2\r\n${bulk(value)}${line}`,
        `*40000\r\n${':1\r\n'.repeat(40_000)}`,
      ]) {
        for (const pieceBytes of [500, 10_000, 65_536]) {
          const work = new WorkCounter()
          const chunks = inPieces(latin1(reply), pieceBytes)
          const cutter = new ReplyCutter(() => true)
          work.run(() => {
            for (const chunk of chunks)
              cutter.take(work.watch(chunk as Buffer<ArrayBuffer>), chunk.length)
          })
          expect(work.bytesCopied / reply.length, `${pieceBytes}`).to.be.lessThan(4)
        }
      }
    })

    it('leave nothing behind that is large', () => {
      const work = new WorkCounter()
      const collector = new Collector()
      const line = latin1(`+${'x'.repeat(300_000)}\r\n`)
      work.run(() => {
        collector.read(inPieces(line, 65_536))
        const before = work.bytesAllocated
        // A cut reply needs a buffer of its own again: the large one is gone.
        collector.read([latin1('+O'), latin1('K\r\n')])
        expect(work.bytesAllocated - before).to.be.within(1, 8192)
      })
      expect(collector.replies).to.deep.equal([line.toString('latin1'), '+OK\r\n'])
    })
  })

  it('says when the stream is malformed, and passes on what came before', () => {
    for (const bad of ['^\r\n', '$1\r\nabc', ':x\r\n', '*2\r\n:1\r\n?\r\n', '*-2\r\n']) {
      for (const { name, chunks } of everyChunking(latin1(`+OK\r\n${bad}`))) {
        const collector = new Collector()
        expect(collector.read(chunks), `${bad} ${name}`).to.equal(false)
        expect(collector.replies, name).to.deep.equal(['+OK\r\n'])
      }
    }
  })

  it('looks at nothing more when told to stop, not even at what is malformed', () => {
    for (const { name, chunks } of everyChunking(latin1('+a\r\n+b\r\n'))) {
      const collector = new Collector()
      collector.stopAfter = 2
      const last = chunks.at(-1) as Buffer
      const more = Buffer.concat([last, latin1('+c\r\n^')])
      expect(collector.read([...chunks.slice(0, -1), more]), name).to.equal(true)
      expect(collector.replies, name).to.deep.equal(['+a\r\n', '+b\r\n'])
    }
  })

  it('stops within a reply that comes in parts', () => {
    const reply = bulk('v'.repeat(300_000))
    for (const pieceBytes of [999, 65_536]) {
      let parts = 0
      const cutter = new ReplyCutter(() => {
        parts += 1
        return false
      })
      for (const chunk of inPieces(reply, pieceBytes)) {
        expect(cutter.take(chunk, chunk.length)).to.equal(true)
        if (parts > 0) break
      }
      expect(parts).to.equal(1)
    }
  })

  it('begins anew after a reset, whatever was under way', () => {
    const unfinished = [
      '*2\r\n$5\r\nab',
      '+O',
      '*1',
      '>2\r\n+me',
      `$300000\r\n${'v'.repeat(100_000)}`,
    ]
    for (const begun of unfinished) {
      for (const pieceBytes of [1000, 200_000]) {
        const replies: string[] = []
        let pushes = 0
        const cutter = new ReplyCutter(
          (bytes, start, end, last) => {
            if (last) replies.push(bytes.toString('latin1', start, end))
            return true
          },
          () => {
            pushes += 1
            return true
          },
        )
        for (const chunk of inPieces(latin1(begun), pieceBytes)) cutter.take(chunk, chunk.length)
        cutter.reset()
        const stream = latin1('+OK\r\n')
        for (const chunk of inPieces(stream, 2)) cutter.take(chunk, chunk.length)
        expect(replies).to.deep.equal(['+OK\r\n'])
        expect(pushes).to.equal(0)
      }
    }
  })

  it('passes pushes on as arrays where that is wanted, whole, cut and in parts', () => {
    const large = 'v'.repeat(300_000)
    const frames = [
      '>3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n',
      '+PONG\r\n',
      // Its later parts may begin like a push.
      `>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$${large.length}\r\n${large.replaceAll('v', '>')}\r\n`,
      '*1\r\n+OK\r\n',
    ]
    for (const pieceBytes of [1, 7, 65_536, 1_000_000]) {
      let text = ''
      const take: ReplyHandler = (bytes, start, end) => {
        text += bytes.toString('latin1', start, end)
        return true
      }
      const cutter = new ReplyCutter(take, take, true)
      for (const chunk of inPieces(latin1(frames.join('')), pieceBytes)) {
        cutter.take(chunk, chunk.length)
      }
      const expected = frames.map((frame) => frame.replace(/^>/, '*')).join('')
      expect(text === expected, `in pieces of ${pieceBytes}`).to.equal(true)
    }
  })
})
