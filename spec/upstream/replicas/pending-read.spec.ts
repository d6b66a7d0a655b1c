import { expect } from 'chai'
import { Lanes } from '../../../lib/upstream/lane.ts'
import { PendingRead, type ReadOwner } from '../../../lib/upstream/replicas/pending-read.ts'

describe('PendingRead', () => {
  const lane = new Lanes(() => {}).first
  const target = { sink: { reply: () => {}, failed: () => {} }, ticket: 0 }

  for (const owned of [true, false]) {
    it(`keeps its bytes when the frame says something else later (owned: ${owned})`, () => {
      const frame = { bytes: Buffer.from('GET a\r\n'), frameStart: 0, frameEnd: 7, owned }
      const read = new PendingRead({} as ReadOwner, lane, frame, target, 0)
      // As a scanner does with the next request.
      frame.bytes = Buffer.from('....GET b\r\n')
      frame.frameStart = 4
      frame.frameEnd = 11
      const { bytes, frameStart, frameEnd } = read.frame
      expect(bytes.toString('latin1', frameStart, frameEnd)).to.equal('GET a\r\n')
    })
  }
})
