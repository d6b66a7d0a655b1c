import { expect } from 'chai'
import { keptMbOf, memoryNotes, whyNotKept } from '../../../lib/config/checks/check-near-cache.ts'
import { mergeLayers } from '../../../lib/config/schema.ts'

const settings = mergeLayers([{ nearCacheKeys: ['a'], nearCacheMb: 100 }])
const WANTED = { settings }
const OFF = { settings: mergeLayers([]) }
const FROM_REPLICAS = { settings: { ...settings, readFrom: 'nearest' as const } }

describe('whyNotKept', () => {
  it('says that it is off where replicas are read from', () => {
    expect(whyNotKept(FROM_REPLICAS)).to.include('nearCacheKeys is not used: readFrom is nearest')
  })

  it('says nothing where none is wanted, and where it works', () => {
    expect(whyNotKept(OFF)).to.equal(undefined)
    expect(whyNotKept(WANTED)).to.equal(undefined)
  })
})

describe('memoryNotes', () => {
  it('says when it is too much for the memory limit', () => {
    expect(memoryNotes([WANTED], 50, 278)).to.deep.equal([])
    expect(memoryNotes([WANTED], 50, 277)).to.deep.equal([
      'nearCacheMb is 100, and clients and the process take up to 178 MB besides: more than the memory limit of 277 MB, beyond which it is killed',
    ])
  })

  it('counts all pools that keep something', () => {
    expect(keptMbOf([WANTED, FROM_REPLICAS, OFF, WANTED])).to.equal(200)
    const [note] = memoryNotes([WANTED, WANTED], 50, 377)
    expect(note).to.include('nearCacheMb of all pools is 200')
    expect(memoryNotes([OFF], 50, 1)).to.deep.equal([])
  })
})
