import { expect } from 'chai'
import { nearCacheNotes } from '../../../lib/config/checks/check-near-cache.ts'
import { mergeLayers } from '../../../lib/config/schema.ts'

const WANTED = mergeLayers([{ nearCacheKeys: ['a'], nearCacheMb: 100, maxClientMemoryMb: 50 }])

describe('nearCacheNotes', () => {
  it('says when it is too much for the memory limit', () => {
    expect(nearCacheNotes(WANTED, undefined, 278)).to.deep.equal([])
    expect(nearCacheNotes(WANTED, undefined, 277)).to.deep.equal([
      'nearCacheMb is 100, and clients and the process take up to 178 MB besides: more than the memory limit of 277 MB, beyond which it is killed',
    ])
  })

  it('says that it is off for a cluster', () => {
    const [note] = nearCacheNotes(WANTED, {} as never, Number.POSITIVE_INFINITY)
    expect(note).to.include('nearCacheKeys is not used')
  })

  it('says that it is off where replicas are read from', () => {
    const [note] = nearCacheNotes({ ...WANTED, readFrom: 'nearest' }, undefined, 1)
    expect(note).to.include('nearCacheKeys is not used: readFrom is nearest')
  })

  it('says nothing where none is wanted', () => {
    expect(nearCacheNotes(mergeLayers([]), {} as never, 1)).to.deep.equal([])
  })
})
