/** What the scanner does with memory that is lent to it for large requests. */
import { expect } from 'chai'
import type { LargeBytes, LargeMemory } from '../../lib/resp/request.ts'
import { RequestScanner } from '../../lib/resp/request-scanner.ts'
import { encodeRequest } from '../support/frames.ts'

const KB = 1024

class CountedBytes implements LargeBytes {
  readonly bytes: Buffer
  filled = 0
  holders = 1

  constructor(bytes: number) {
    this.bytes = Buffer.alloc(bytes)
  }

  fill(bytes: number): void {
    this.filled = bytes
  }

  keep(): void {
    this.holders++
  }

  letGo(): void {
    this.holders--
    if (this.holders === 0) this.bytes.fill(0xee)
  }
}

class CountedMemory implements LargeMemory {
  bytesMax = 1000 * KB
  readonly taken: CountedBytes[] = []

  take(bytes: number): CountedBytes {
    const taken = new CountedBytes(bytes)
    this.taken.push(taken)
    return taken
  }

  get holders(): number {
    return this.taken.reduce((sum, { holders }) => sum + holders, 0)
  }
}

/** Feeds all in reads of 64 KB; returns what came of the last one. */
function scan(scanner: RequestScanner, stream: Buffer) {
  let result = scanner.next()
  for (let at = 0; at < stream.length && result === 'more'; at += 64 * KB) {
    const piece = stream.subarray(at, at + 64 * KB)
    scanner.feed(piece, piece.length)
    result = scanner.next()
  }
  return result
}

describe('RequestScanner with memory for large requests', () => {
  let memory: CountedMemory
  let scanner: RequestScanner

  beforeEach(() => {
    memory = new CountedMemory()
    scanner = new RequestScanner(memory)
  })

  it('keeps a large request in what it was lent until that is let go', () => {
    memory.bytesMax = 10_000 * KB
    const request = encodeRequest('SET', 'k', 'v'.repeat(5000 * KB))
    expect(scan(scanner, request)).to.equal('request')
    const last = memory.taken.at(-1)
    expect(scanner.memory).to.equal(last)
    expect(scanner.bytes.subarray(0, scanner.frameEnd).equals(request)).to.equal(true)
    // It grew twice: no byte of what was outgrown is held.
    expect([memory.taken.length, memory.holders, last?.filled]).to.deep.equal([
      2,
      1,
      request.length,
    ])
    scanner.letGoMemory()
    expect(memory.holders).to.equal(0)
  })

  it('leaves it to whoever keeps it', () => {
    scan(scanner, encodeRequest('SET', 'k', 'v'.repeat(200 * KB)))
    const { bytes, frameEnd } = scanner
    scanner.memory?.keep()
    scanner.letGoMemory()
    expect(memory.holders).to.equal(1)
    expect(bytes.subarray(frameEnd - 3, frameEnd).toString()).to.equal('v\r\n')
  })

  it('takes none for what is small, or lies whole in what was read', () => {
    const requests = ['a', 'b'.repeat(60 * KB)].map((value) => encodeRequest('SET', 'k', value))
    expect(scan(scanner, Buffer.concat(requests))).to.equal('request')
    expect(memory.taken).to.deep.equal([])
  })

  it('keeps a large rest there, and lets it go with its last request', () => {
    const request = encodeRequest('SET', 'k', 'v'.repeat(1000))
    const many = Buffer.concat(Array.from({ length: 150 }, () => request))
    scanner.feed(many, 10 * request.length)
    scanner.keepRest()
    scanner.feedMore(many.subarray(10 * request.length), 140 * request.length)
    expect(memory.holders).to.equal(1)
    let requests = 0
    while (scanner.next() === 'request') requests++
    expect([requests, memory.holders]).to.deep.equal([150, 0])
  })

  it('refuses what is larger than may be, once enough has come to mean it', () => {
    const header = Buffer.from(`*2\r\n$4\r\nECHO\r\n$${2000 * KB}\r\n`)
    scanner.feed(header, header.length)
    expect(scanner.next()).to.equal('more')
    expect(scan(scanner, Buffer.alloc(200 * KB, 'v'))).to.equal('error')
    expect(scanner.isTooLarge).to.equal(true)
    scanner.close()
    expect(memory.holders).to.equal(0)
  })

  it('tells what is likely to be missing, by the arguments that have come', () => {
    const values = Array.from({ length: 4 }, () => ['k', 'v'.repeat(100 * KB)]).flat()
    const request = encodeRequest('MSET', ...values)
    scan(scanner, request.subarray(0, 250 * KB))
    const lacks = request.length - 250 * KB
    expect(scanner.missingBytes).to.be.below(100 * KB)
    expect(scanner.expectedBytes).to.be.within(0.75 * lacks, 1.25 * lacks)
  })

  it('counts the argument under way among those that tell how long the others are', () => {
    const values = Array.from({ length: 16 }, () => ['k', 'v'.repeat(1000 * KB)]).flat()
    const request = encodeRequest('MSET', ...values)
    scan(scanner, request.subarray(0, 70 * KB))
    const lacks = request.length - 70 * KB
    expect(scanner.expectedBytes).to.be.within(0.65 * lacks, lacks)
  })

  it('lets all go when it is closed', () => {
    scan(scanner, encodeRequest('SET', 'k', 'v'.repeat(900 * KB)).subarray(0, 500 * KB))
    expect(memory.holders).to.equal(1)
    expect(scanner.largeBytes).to.equal(500 * KB)
    scanner.close()
    expect([memory.holders, scanner.largeBytes]).to.deep.equal([0, 0])
  })
})
