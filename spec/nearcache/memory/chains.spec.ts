import { expect } from 'chai'
import { Chains, NO_RECORD } from '../../../lib/nearcache/memory/chains.ts'

const RECORDS = 32

/** The records that may have the hash. */
function chain(chains: Chains, hash: number): number[] {
  const records: number[] = []
  for (let at = chains.first(hash); at !== NO_RECORD; at = chains.next(at)) records.push(at)
  return records
}

describe('Chains', () => {
  it('has each record in the bucket of its hash, the newest first, until it is taken out', () => {
    const chains = new Chains(RECORDS, 16)
    for (const [record, hash] of [3, 19, 4, -13].entries()) chains.add(hash, record)
    expect([3, 4, 5].map((hash) => chain(chains, hash))).to.deep.equal([[3, 1, 0], [2], []])
    chains.remove(19, 1)
    expect(chain(chains, 3)).to.deep.equal([3, 0])
    chains.remove(-13, 3)
    chains.remove(3, 0)
    expect([3, 4].map((hash) => chain(chains, hash))).to.deep.equal([[], [2]])
  })

  it('takes records again after the last of a bucket has gone, and when it was cleared', () => {
    const chains = new Chains(RECORDS, 16)
    for (let hash = 0; hash < 16; hash++) chains.add(hash, hash)
    for (let hash = 0; hash < 16; hash += 2) chains.remove(hash, hash)
    chains.add(6, 20)
    expect([5, 6, 7, 8].map((hash) => chain(chains, hash))).to.deep.equal([[5], [20], [7], []])
    chains.clear(16)
    expect([5, 6].map((hash) => chain(chains, hash))).to.deep.equal([[], []])
    chains.add(5, 5)
    expect(chain(chains, 5)).to.deep.equal([5])
  })
})
