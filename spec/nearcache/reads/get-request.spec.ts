import { expect } from 'chai'
import { GetRequest } from '../../../lib/nearcache/reads/get-request.ts'
import { encodeRequest } from '../../support/frames.ts'
import { requestOf } from '../../support/requests.ts'

function getOf(name: string, key: string): { frame: string; key: string } {
  const get = new GetRequest()
  get.for(requestOf(name, 'before', key, 'after'), 2)
  const { bytes, offsets, frameStart, frameEnd } = get.make()
  return {
    frame: bytes.toString('latin1', frameStart, frameEnd),
    key: bytes.toString('latin1', offsets[2], offsets[3]),
  }
}

describe('GetRequest', () => {
  it('is what a client would send for the key, in the letters of its MGET', () => {
    for (const key of ['', 'k', 'k\r\nwith all bytes \0', 'x'.repeat(1000)]) {
      expect(getOf('MGET', key)).to.deep.equal({ frame: `${encodeRequest('GET', key)}`, key })
      expect(getOf('mget', key)).to.deep.equal({ frame: `${encodeRequest('get', key)}`, key })
    }
  })
})
