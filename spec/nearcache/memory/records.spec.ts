import { expect } from 'chai'
import { mix } from '../../../lib/nearcache/memory/hash.ts'
import {
  BOOKKEEPING_BYTES,
  HIT,
  LIVE,
  Records,
  UNTOLD,
} from '../../../lib/nearcache/memory/records.ts'

function told(records: Records, parts: number): number[] {
  const found: number[] = []
  records.tellHits(parts, (at) => found.push(at))
  return found
}

describe('Records', () => {
  it('takes the memory for each that it says, but for the links', () => {
    const {
      offsets,
      frameLengths,
      replyLengths,
      identities,
      keyHashes,
      sources,
      expiresMs,
      states,
    } = new Records(100)
    const arrays = [
      offsets,
      frameLengths,
      replyLengths,
      identities,
      keyHashes,
      sources,
      expiresMs,
      states,
    ]
    const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
    // Two links of four bytes each are in the chains.
    expect(bytes / 100 + 8).to.equal(BOOKKEEPING_BYTES)
  })

  it('copies all of a record but where it is and its state', () => {
    const records = new Records(2)
    records.offsets[0] = 1
    records.frameLengths[0] = 2
    records.replyLengths[0] = 3
    records.identities[0] = 4
    records.keyHashes[0] = 5
    records.sources[0] = 6
    records.expiresMs[0] = 7.5
    records.states[0] = LIVE
    records.copy(0, 1)
    expect([records.size(1), records.hash(1)]).to.deep.equal([5, mix(4, 6)])
    expect([records.keyHashes[1], records.expiresMs[1]]).to.deep.equal([5, 7.5])
    expect([records.offsets[1], records.states[1]]).to.deep.equal([0, 0])
  })

  it('tells of each hit once, a part at a time, and begins again after the last', () => {
    const records = new Records(10)
    for (const at of [0, 4, 9]) records.states[at] = LIVE | HIT | UNTOLD
    expect([told(records, 2), told(records, 2), told(records, 2)]).to.deep.equal([[0, 4], [9], []])
    records.states[9] = LIVE | UNTOLD
    expect([told(records, 2), told(records, 2)]).to.deep.equal([[9], []])
    expect(records.states[0]).to.equal(LIVE | HIT)
  })

  it('tells of all though their number cannot be divided', () => {
    const records = new Records(10)
    records.states.fill(UNTOLD)
    const all = [1, 2, 3].map(() => told(records, 3).length)
    expect(all).to.deep.equal([4, 4, 2])
  })
})
