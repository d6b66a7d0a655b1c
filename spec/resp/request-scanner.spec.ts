import { expect } from 'chai'
import { RequestScanner } from '../../lib/resp/request-scanner.ts'
import { everyChunking, everyPairOfCuts, randomChunking } from '../support/chunks.ts'
import { encodeRequest, latin1 } from '../support/frames.ts'
import { createRandom, type Random, specSeed } from '../support/random.ts'
import { decodeFrames } from '../support/redis-parser.ts'
import { argumentsOf, scanRequests } from '../support/scan.ts'

/** Streams of valid requests, and the arguments in them. */
const VALID: readonly { stream: string; requests: string[][] }[] = [
  { stream: '*1\r\n$4\r\nPING\r\n', requests: [['PING']] },
  { stream: '*2\r\n$3\r\nGET\r\n$0\r\n\r\n', requests: [['GET', '']] },
  { stream: '*2\r\n$3\r\nGET\r\n$4\r\n\r\n\r\n\r\n', requests: [['GET', '\r\n\r\n']] },
  { stream: '*2\r\n$3\r\nGET\r\n$5\r\na\0\xff{}\r\n', requests: [['GET', 'a\0\xff{}']] },
  { stream: '*1\r\n$17\r\n*1\r\n$4\r\nPING\r\n+OK\r\n', requests: [['*1\r\n$4\r\nPING\r\n+OK']] },
  {
    stream: '*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n',
    requests: [
      ['GET', 'a'],
      ['GET', 'b'],
    ],
  },
  { stream: '\r\n\n*0\r\n*-1\r\n*-10\r\n*1\r\n$1\r\nX\r\n*0\r\n', requests: [['X']] },
  {
    stream: 'PING\r\n*1\r\n$1\r\nX\r\n  get\t "a b"\n',
    requests: [['PING'], ['X'], ['get', 'a b']],
  },
]

/** Sizes around every boundary of a header: none, one, two and more digits, a whole carry step. */
const SIZES = [0, 1, 9, 10, 11, 99, 100, 101, 4095, 4096, 4097, 9999, 70_000]

describe('RequestScanner', () => {
  for (const { stream, requests } of VALID) {
    const bytes = latin1(stream)

    it(`reads ${JSON.stringify(stream)} however it is cut`, () => {
      for (const { name, chunks } of [...everyChunking(bytes), ...everyPairOfCuts(bytes)]) {
        const scan = scanRequests(chunks)
        expect(scan.requests, name).to.deep.equal(requests)
        expect(scan.error, name).to.equal(undefined)
        expect(scan.heldBytes, name).to.equal(0)
        // What is forwarded is canonical, inline commands included.
        const canonical = requests.map((args) => text(encodeRequest(...args)))
        expect(scan.frames, name).to.deep.equal(canonical)
      }
    })
  }

  it('finds nothing in a frame that lacks its last byte', () => {
    for (const { stream, requests } of VALID) {
      const { requests: found } = scanRequests([latin1(stream).subarray(0, -1)])
      // All but the last request; the stream of empty ones ends with an empty one.
      expect(found).to.deep.equal(stream.endsWith('*0\r\n') ? requests : requests.slice(0, -1))
    }
  })

  for (const size of SIZES) {
    it(`reads arguments of ${size} bytes at every cut near a boundary`, () => {
      const value = 'v'.repeat(size)
      const bytes = Buffer.concat([
        encodeRequest('SET', value, value),
        encodeRequest('GET', value),
        encodeRequest('PING'),
      ])
      const expected = [['SET', value, value], ['GET', value], ['PING']]
      const near = Array.from({ length: 40 }, (_, i) => [i + 1, bytes.length - i - 1, size + i + 1])
      for (const at of new Set(near.flat())) {
        const chunks = [bytes.subarray(0, at), bytes.subarray(at)]
        expect(scanRequests(chunks).requests, `cut at ${at}`).to.deep.equal(expected)
      }
    })
  }

  it('gives what redis-parser gives, for random requests cut at random', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 300; round += 1) {
      const requests = randomRequests(random)
      const bytes = Buffer.concat(requests.map((args) => encodeRequest(...args)))
      const { name, chunks } = randomChunking(bytes, random, 12)
      const { requests: scanned, error } = scanRequests(chunks)
      const oracle = decodeFrames(bytes).map((args) => (args as Buffer[]).map(text))
      expect(error, name).to.equal(undefined)
      expect(scanned, name).to.deep.equal(oracle)
    }
  })

  it('gives the same for random damage, however the bytes are cut', () => {
    const random = createRandom(specSeed())
    for (let round = 0; round < 2000; round += 1) {
      const bytes = Buffer.concat(randomRequests(random).map((args) => encodeRequest(...args)))
      damage(bytes, random)
      const { requests, frames, error } = scanRequests([bytes])
      const { name, chunks } = randomChunking(bytes, random, 12)
      expect(scanRequests(chunks), name).to.deep.include({ requests, frames, error })
      // Nothing but canonical frames goes on, whatever was received.
      expect(frames, name).to.deep.equal(requests.map((args) => text(encodeRequest(...args))))
    }
  })

  it('counts arguments by the frame, not by the one before it', () => {
    const stream = [encodeRequest(...Array(100).fill('x')), encodeRequest('a'), latin1('b c\r\n')]
    expect(scanRequests([Buffer.concat(stream)]).requests.map((args) => args.length)).to.deep.equal(
      [100, 1, 2],
    )
  })

  describe('a rest that has to wait', () => {
    const first = encodeRequest('SET', 'a', '1')
    const second = encodeRequest('SET', 'b', 'x'.repeat(300))

    it('survives its read buffer, and what comes later goes behind it', () => {
      const chunkings = everyChunking(Buffer.concat([second, first, first]))
      // The room that is lent is full before all has come, or is not, or there is none.
      for (const [i, { name, chunks }] of [...chunkings].entries()) {
        const room = [undefined, Buffer.alloc(500), Buffer.alloc(1024)][i % 3]
        const readBuffer = Buffer.alloc(1024)
        const scanner = new RequestScanner()
        const received = Buffer.concat([first, chunks[0] as Buffer])
        received.copy(readBuffer)
        scanner.feed(readBuffer, received.length)
        expect(scanner.next()).to.equal('request')
        scanner.keepRest(room)
        for (const chunk of chunks.slice(1)) {
          chunk.copy(readBuffer)
          scanner.feedMore(readBuffer, chunk.length)
        }
        expect(scanner.heldBytes, name).to.equal(second.length + 2 * first.length)
        readBuffer.fill(0)
        const frames = [second, first, first].map(() => {
          expect(scanner.next(), name).to.equal('request')
          return text(scanner.bytes.subarray(scanner.frameStart, scanner.frameEnd))
        })
        expect(frames, name).to.deep.equal([second, first, first].map(text))
        expect(scanner.next(), name).to.equal('more')
        expect(scanner.heldBytes, name).to.equal(0)
      }
    })

    it('may be nothing', () => {
      const scanner = new RequestScanner()
      scanner.feed(first, first.length)
      expect(scanner.next()).to.equal('request')
      scanner.keepRest()
      expect(scanner.heldBytes).to.equal(0)
      scanner.feedMore(first, first.length)
      expect(scanner.next()).to.equal('request')
      expect(argumentsOf(scanner)).to.deep.equal(['SET', 'a', '1'])
    })
  })

  it('numbers the frames that come in pieces, so that one that stands still can be told', () => {
    const scanner = new RequestScanner()
    const frame = encodeRequest('PING')
    const seen: number[] = []
    for (const piece of [frame, frame.subarray(0, 3), frame.subarray(3, 5), frame.subarray(5)]) {
      scanner.feed(Buffer.from(piece), piece.length)
      while (scanner.next() === 'request');
      seen.push(scanner.cutFrame)
    }
    scanner.feed(Buffer.from(frame), 1)
    expect(scanner.next()).to.equal('more')
    expect([...seen, scanner.cutFrame]).to.deep.equal([0, 1, 1, 0, 2])
  })

  it('knows when a frame has begun', () => {
    const scanner = new RequestScanner()
    expect(scanner.midFrame).to.equal(false)
    scanner.feed(Buffer.from('*1\r'), 3)
    expect(scanner.next()).to.equal('more')
    expect(scanner.midFrame).to.equal(true)
    expect(scanner.heldBytes).to.equal(3)
    scanner.feed(Buffer.from('\n$1\r\nx\r\n'), 8)
    expect(scanner.next()).to.equal('request')
    expect(scanner.next()).to.equal('more')
    expect(scanner.midFrame).to.equal(false)
  })
})

function text(bytes: Buffer): string {
  return bytes.toString('latin1')
}

function randomRequests(random: Random): Buffer[][] {
  return Array.from({ length: random.integer(1, 5) }, () =>
    Array.from({ length: random.integer(1, 6) }, () =>
      random.bytes(random.pick([0, 1, 3, 9, 10, 30, 99, 100, 5000])),
    ),
  )
}

/** Overwrites a few bytes with ones that mean something to the scanner. */
function damage(bytes: Buffer, random: Random): void {
  for (let i = random.integer(1, 4); i > 0; i -= 1) {
    bytes[random.integer(0, bytes.length)] = random.pick([...latin1('*$\r\n0123456789-+: "\'\0a')])
  }
}
