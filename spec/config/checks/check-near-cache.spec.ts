import { expect } from 'chai'
import { keptMbOf, memoryNotes, whyNotKept } from '../../../lib/config/checks/check-near-cache.ts'
import { mergeLayers } from '../../../lib/config/schema.ts'

const settings = mergeLayers([{ nearCacheKeys: ['a'], nearCacheMb: 100 }])
const WANTED = { settings, list: { cluster: undefined } }
const CLUSTER = { settings, list: { cluster: {} as never } }
const OFF = { ...WANTED, settings: mergeLayers([]) }

describe('whyNotKept', () => {
  it('says that it is off for a cluster', () => {
    expect(whyNotKept(CLUSTER)).to.include('nearCacheKeys is not used')
  })

  it('says that it is off where replicas are read from', () => {
    const nearest = { ...WANTED, settings: { ...settings, readFrom: 'nearest' as const } }
    expect(whyNotKept(nearest)).to.include('nearCacheKeys is not used: readFrom is nearest')
  })

  it('says nothing where none is wanted, and where it works', () => {
    expect(whyNotKept({ ...CLUSTER, settings: OFF.settings })).to.equal(undefined)
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
    expect(keptMbOf([WANTED, CLUSTER, OFF, WANTED])).to.equal(200)
    const [note] = memoryNotes([WANTED, WANTED], 50, 377)
    expect(note).to.include('nearCacheMb of all pools is 200')
    expect(memoryNotes([OFF], 50, 1)).to.deep.equal([])
  })
})
