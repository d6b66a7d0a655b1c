import { expect } from 'chai'
import {
  ARGUMENTS_MAX,
  BULK_BYTES_MAX,
  LINE_BYTES_MAX,
  REQUEST_BYTES_MAX,
  UNAUTHENTICATED_ARGUMENTS_MAX,
  UNAUTHENTICATED_BULK_BYTES_MAX,
} from '../../lib/limits.ts'
import { RequestScanner } from '../../lib/resp/request-scanner.ts'
import { cut, everyChunking } from '../support/chunks.ts'
import { encodeRequest, latin1 } from '../support/frames.ts'
import { scanRequests } from '../support/scan.ts'
import { MALFORMED_REQUESTS } from './malformed-requests.ts'

describe('RequestScanner: malformed requests', () => {
  for (const { name, bytes, error, unauthenticated } of MALFORMED_REQUESTS) {
    const options = { authenticated: unauthenticated === undefined }

    it(`refuses ${JSON.stringify(name)} with "${error.replace('\r', '\\r')}"`, () => {
      const before = encodeRequest('PING')
      const stream = Buffer.concat([before, bytes])
      const chunkings = bytes.length > 1000 ? someChunkings(stream) : everyChunking(stream)
      for (const { name, chunks } of chunkings) {
        const scan = scanRequests(chunks, options)
        expect(scan.error, name).to.equal(`Protocol error: ${error}`)
        expect(scan.requests, name).to.deep.equal([['PING']])
      }
    })
  }

  it('says the same of an overlong line whose end is in sight', () => {
    const digits = '1'.repeat(LINE_BYTES_MAX)
    for (const [line, error] of [
      [`*${digits}\r\n`, 'too big mbulk count string'],
      [`*1\r\n$${digits}\r\n`, 'too big bulk count string'],
      [`${digits}1\r\n`, 'too big inline request'],
    ] as const) {
      for (const { name, chunks } of someChunkings(latin1(line))) {
        expect(scanRequests(chunks).error, name).to.equal(`Protocol error: ${error}`)
      }
    }
  })

  it('takes what is as large as the limits allow', () => {
    const word = 'w'.repeat(LINE_BYTES_MAX)
    expect(scanRequests([latin1(`${word}\n`)]).requests).to.deep.equal([[word]])
    for (const header of [`*${ARGUMENTS_MAX}\r\n`, `*1\r\n$${BULK_BYTES_MAX}\r\n`]) {
      const { error, heldBytes } = scanRequests([latin1(header)])
      expect({ error, heldBytes }).to.deep.equal({ error: undefined, heldBytes: header.length })
    }
    const args = Array<string>(UNAUTHENTICATED_ARGUMENTS_MAX).fill('a')
    args[9] = 'v'.repeat(UNAUTHENTICATED_BULK_BYTES_MAX)
    const scan = scanRequests([encodeRequest(...args)], { authenticated: false })
    expect(scan.requests).to.deep.equal([args])
  })

  it('refuses a request that would be too large as a whole', () => {
    const header = latin1(`*3\r\n$${BULK_BYTES_MAX}\r\n`)
    // Zero pages that nobody touches: they cost no memory.
    const received = Buffer.alloc(2 * header.length + BULK_BYTES_MAX + 2)
    header.copy(received)
    latin1(`\r\n$${BULK_BYTES_MAX}\r\n`).copy(received, header.length + BULK_BYTES_MAX)
    const length = header.length + BULK_BYTES_MAX + 2 + `$${BULK_BYTES_MAX}\r\n`.length
    expect(length + BULK_BYTES_MAX).to.be.greaterThan(REQUEST_BYTES_MAX)
    const scanner = new RequestScanner()
    scanner.feed(received, length)
    expect(scanner.next()).to.equal('error')
    expect(scanner.error).to.equal('Protocol error: too big request')
  })
})

/** For long streams: whole, in reads of 16 and of 64 KB, and cut around the limit of a line. */
function* someChunkings(bytes: Buffer): Generator<{ name: string; chunks: Buffer[] }> {
  yield { name: 'whole', chunks: [bytes] }
  for (const size of [16_384, 65_536]) {
    const places = Array.from(
      { length: Math.ceil(bytes.length / size) - 1 },
      (_, i) => (i + 1) * size,
    )
    yield { name: `every ${size}`, chunks: cut(bytes, places) }
  }
  for (let fromEnd = 1; fromEnd < 10; fromEnd += 1) {
    const at = bytes.length - fromEnd
    yield { name: `cut at ${at}`, chunks: cut(bytes, [at]) }
  }
}
