/** Where bytes wait that nobody may handle yet. */
import { expect } from 'chai'
import { KeptRest, LENT_REST_BYTES_MIN } from '../../../lib/downstream/flow/kept-rest.ts'
import { CHUNK_BYTES } from '../../../lib/io/chunk.ts'
import { RequestScanner } from '../../../lib/resp/request-scanner.ts'

const PING = '*1\r\n$4\r\nPING\r\n'

function fed(bytes: number): RequestScanner {
  const scanner = new RequestScanner()
  const chunk = Buffer.from(PING.repeat(Math.ceil(bytes / PING.length)))
  scanner.feed(chunk, chunk.length)
  return scanner
}

describe('KeptRest', () => {
  it('lies in a lent chunk until it is let go', () => {
    const rest = new KeptRest()
    const scanner = fed(LENT_REST_BYTES_MIN)
    const { restBytes } = scanner
    rest.keep(scanner)
    expect(rest.lentBytes).to.equal(CHUNK_BYTES)
    expect(scanner.restBytes).to.equal(restBytes)
    expect(scanner.next()).to.equal('request')
    rest.letGo()
    expect(rest.lentBytes).to.equal(0)
    rest.letGo()
  })

  it('borrows nothing for little', () => {
    const rest = new KeptRest()
    const scanner = fed(PING.length)
    rest.keep(scanner)
    expect(rest.lentBytes).to.equal(0)
    expect(scanner.next()).to.equal('request')
    expect(scanner.next()).to.equal('more')
  })
})
