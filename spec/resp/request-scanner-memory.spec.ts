import { expect } from 'chai'
import { ARGUMENTS_MAX, BULK_BYTES_MAX, LINE_BYTES_MAX } from '../../lib/limits.ts'
import { KeptRequest } from '../../lib/resp/kept-request.ts'
import { RequestScanner } from '../../lib/resp/request-scanner.ts'
import { cut } from '../support/chunks.ts'
import { WorkCounter } from '../support/counting-buffers.ts'
import { encodeRequest, latin1 } from '../support/frames.ts'
import { argumentsOf, GARBAGE } from '../support/scan.ts'

const LARGE = encodeRequest('SET', 'key', 'v'.repeat(20_000))

describe('RequestScanner: work and memory', () => {
  describe('looks at each byte a few times at most, and copies it a few times at most', () => {
    const small = encodeRequest('SET', 'key', 'value')
    const streams: readonly [string, Buffer, number][] = [
      ['a large argument, byte by byte', LARGE, 1],
      [
        'a large argument in large pieces',
        encodeRequest('SET', 'k', 'v'.repeat(4_000_000)),
        65_536,
      ],
      ['many arguments, byte by byte', encodeRequest(...Array<string>(5000).fill('a')), 1],
      ['many arguments in large pieces', encodeRequest(...Array<string>(50_000).fill('a')), 65_536],
      ['many requests in small pieces', Buffer.concat(Array<Buffer>(1000).fill(small)), 7],
      ['many requests in large pieces', Buffer.concat(Array<Buffer>(10_000).fill(small)), 65_536],
      ['an inline request, byte by byte', latin1(`${'a '.repeat(LINE_BYTES_MAX / 2)}\n`), 1],
      ['an endless count, byte by byte', latin1(`*${'1'.repeat(LINE_BYTES_MAX)}`), 1],
      ['an endless length, byte by byte', latin1(`*1\r\n$${'1'.repeat(LINE_BYTES_MAX)}`), 1],
      ['empty requests', latin1('\r\n'.repeat(5000)), 3],
    ]

    for (const [name, stream, pieceBytes] of streams) {
      it(name, () => {
        const work = new WorkCounter()
        work.run(() => scanWatched(new RequestScanner(), stream, pieceBytes, work))
        expect(work.bytesRead / stream.length).to.be.lessThan(8)
        expect(work.bytesCopied / stream.length).to.be.lessThan(4)
        expect(work.bytesAllocated / stream.length).to.be.lessThan(4)
      })
    }
  })

  it('does not copy a frame that lies whole in what was read', () => {
    const work = new WorkCounter()
    work.run(() => scanWatched(new RequestScanner(), LARGE, LARGE.length, work))
    expect(work.bytesCopied).to.equal(0)
    expect(work.bytesAllocated).to.equal(0)
  })

  it('allocates nothing for what is only declared', () => {
    for (const declared of [
      `*${ARGUMENTS_MAX}\r\n`,
      `*2\r\n$${BULK_BYTES_MAX}\r\n`,
      `*${ARGUMENTS_MAX}\r\n$0\r\n\r\n$${BULK_BYTES_MAX}\r\nabc`,
    ]) {
      const work = new WorkCounter()
      const scanner = new RequestScanner()
      work.run(() => scanWatched(scanner, latin1(declared), 1, work))
      expect(scanner.heldBytes, declared).to.equal(declared.length)
      expect(work.bytesAllocated, declared).to.be.lessThan(1024)
      expect(scanner.offsets.length, declared).to.equal(16)
    }
  })

  it('holds what it received of a frame, no more, and nothing after it', () => {
    const scanner = new RequestScanner()
    let received = 0
    for (const piece of cut(LARGE, [1, 10, 100, 15_000, LARGE.length - 1])) {
      expect(scanner.heldBytes).to.equal(received)
      scanner.feed(piece, piece.length)
      received += piece.length
      expect(scanner.next()).to.equal(received === LARGE.length ? 'request' : 'more')
    }
    expect(scanner.heldBytes).to.equal(0)
  })

  it('lets the buffers of a large request go when the next one is not there yet', () => {
    const scanner = new RequestScanner()
    const many = encodeRequest(...Array<string>(10_000).fill('argument'))
    for (const piece of cut(many, [5000])) {
      scanner.feed(piece, piece.length)
      scanner.next()
    }
    expect(scanner.bytes.length).to.be.greaterThan(100_000)
    expect(scanner.offsets.length).to.be.greaterThan(10_000)
    expect(scanner.next()).to.equal('more')
    expect(scanner.bytes.length).to.equal(0)
    expect(scanner.offsets.length).to.equal(16)
  })

  it('keeps the offsets of a request under way', () => {
    const args = Array.from({ length: 10_000 }, (_, i) => `a${i}`)
    const scanner = new RequestScanner()
    let result = scanner.next()
    for (const piece of cut(encodeRequest(...args), [50_000, 50_001, 90_000])) {
      scanner.feed(piece, piece.length)
      result = scanner.next()
    }
    expect(result).to.equal('request')
    expect(argumentsOf(scanner)).to.deep.equal(args)
  })

  describe('owned', () => {
    it('is false for a frame in the read buffer', () => {
      expect(lastOf([LARGE]).owned).to.equal(false)
    })

    it('is false for a small frame that came in pieces: its buffer is used again', () => {
      const scanner = lastOf(cut(encodeRequest('SET', 'a', '1'), [9]))
      expect(scanner.owned).to.equal(false)
      const { bytes } = scanner
      const before = Buffer.from(bytes)
      scan(scanner, cut(encodeRequest('GET', 'other'), [9]))
      expect(bytes.equals(before)).to.equal(false)
    })

    it('is false for a frame in a rest that was kept', () => {
      const scanner = new RequestScanner()
      scanner.feed(LARGE, LARGE.length)
      scanner.keepRest()
      expect(scanner.next()).to.equal('request')
      expect(scanner.owned).to.equal(false)
    })

    for (const [name, stream] of [
      ['a large frame that came in pieces', LARGE],
      ['an inline request that came in pieces', latin1('SET key "some value"\r\n')],
    ] as const) {
      it(`is true for ${name}: it outlives all later reads`, () => {
        const scanner = lastOf(cut(stream, [10]))
        expect(scanner.owned).to.equal(true)
        const frame = scanner.bytes.subarray(scanner.frameStart, scanner.frameEnd)
        const before = Buffer.from(frame)
        for (const later of [LARGE, encodeRequest('GET', 'other'), stream]) {
          scan(scanner, cut(later, [10, 12]))
          expect(frame.equals(before)).to.equal(true)
        }
      })
    }

    it('is true for an inline request in the read buffer, which got a frame of its own', () => {
      const scanner = lastOf([latin1('GET a\r\n')])
      expect(scanner.owned).to.equal(true)
      expect(scanner.bytes.toString('latin1')).to.equal(encodeRequest('GET', 'a').toString())
    })
  })
})

describe('KeptRequest', () => {
  it('is the same request after the buffer that it came in was overwritten', () => {
    const readBuffer = Buffer.concat([encodeRequest('PING'), encodeRequest('SET', 'key', '')])
    const scanner = new RequestScanner()
    scanner.feed(readBuffer, readBuffer.length)
    scanner.next()
    scanner.next()
    const kept = new KeptRequest(scanner)
    const other = encodeRequest('GET', 'a', 'b', 'c')
    scanner.feed(other, other.length)
    scanner.next()
    readBuffer.fill(GARBAGE)
    expect(argumentsOf(kept)).to.deep.equal(['SET', 'key', ''])
    const { bytes, frameStart, frameEnd } = kept
    expect(bytes.subarray(frameStart, frameEnd)).to.deep.equal(encodeRequest('SET', 'key', ''))
    expect(kept.owned).to.equal(true)
  })
})

function scanWatched(
  scanner: RequestScanner,
  stream: Buffer,
  pieceBytes: number,
  work: WorkCounter,
): void {
  for (let at = 0; at < stream.length; at += pieceBytes) {
    const piece = Buffer.from(stream.subarray(at, at + pieceBytes))
    scanner.feed(work.watch(piece), piece.length)
    while (scanner.next() === 'request');
  }
}

/** Feeds the pieces and stops at the last request in them. */
function scan(scanner: RequestScanner, pieces: readonly Buffer[]): void {
  const readBuffer = Buffer.alloc(100_000)
  for (const piece of pieces) {
    readBuffer.fill(GARBAGE)
    piece.copy(readBuffer)
    scanner.feed(readBuffer, piece.length)
    scanner.next()
  }
}

function lastOf(pieces: readonly Buffer[]): RequestScanner {
  const scanner = new RequestScanner()
  scan(scanner, pieces)
  return scanner
}
