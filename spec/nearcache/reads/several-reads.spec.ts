/** Which MGETs are answered from memory, and what becomes of the others. */
import { expect } from 'chai'
import { Passing } from '../../../lib/nearcache/reads/passing.ts'
import { SeveralReads } from '../../../lib/nearcache/reads/several-reads.ts'
import { ReadScene, requestOf } from '../../support/near-cache/read-scene.ts'

class SeveralScene extends ReadScene {
  readonly several = new SeveralReads(this.keeping, this.sources, this.single, this.stats)

  mget(...keys: string[]): boolean {
    return this.several.read(this.asClient, requestOf('MGET', ...keys), this.way)
  }
}

describe('SeveralReads', () => {
  let scene: SeveralScene

  beforeEach(() => {
    scene = new SeveralScene()
    scene.keep('$3\r\none\r\n', 'GET', 'k:1')
    scene.keep('$-1\r\n', 'GET', 'k:2')
    scene.client.replies.length = 0
  })

  it('answers from the replies to GET when all are kept', () => {
    expect(scene.mget('k:1', 'k:2', 'k:1')).to.equal(true)
    expect(scene.client.replies.join('')).to.equal('*3\r\n$3\r\none\r\n$-1\r\n$3\r\none\r\n')
    expect([scene.sent.length, scene.stats.hits]).to.deep.equal([0, 3])
  })

  it('asks the shard for all keys when one is missing, and fetches that one when it is asked for again', () => {
    const before = scene.connection.sent.length
    expect(scene.mget('k:1', 'k:3')).to.equal(true)
    expect(scene.connection.sent).to.have.length(before)
    scene.mget('k:1', 'k:3')
    expect(scene.sent).to.have.length(2)
    expect(scene.stats.misses.partial).to.equal(2)
    expect(scene.sent[0]).to.be.instanceOf(Passing)
    const fetched = ['CLIENT CACHING YES', 'GET k:3', 'PTTL k:3']
    expect(scene.connection.sent.slice(before)).to.deep.equal(fetched)
  })

  it('leaves an MGET alone of whose keys none is named', () => {
    expect(scene.mget('other:1', 'other:2')).to.equal(false)
  })

  it('fetches nothing for an MGET that cannot be answered whole', () => {
    const before = scene.connection.sent.length
    for (let round = 0; round < 3; round++) scene.mget('k:3', 'other:1')
    expect(scene.connection.sent).to.have.length(before)
    expect(scene.sent).to.have.length(3)
  })

  it('answers none from memory while an earlier one of its client for one of its keys is on its way', () => {
    scene.mget('k:1', 'other:1')
    scene.mget('k:2', 'k:1')
    expect(scene.sent).to.have.length(2)
    scene.client.settleAll()
    scene.mget('k:2', 'k:1')
    expect(scene.sent).to.have.length(2)
  })

  it('lets one pass untouched of whose keys nothing is kept or under way', () => {
    scene.mget('k:3', 'k:4')
    expect(scene.sent).to.deep.equal([scene.client])
    scene.mget('k:3', 'k:4')
    expect(scene.sent[1]).to.be.instanceOf(Passing)
    scene.mget('k:3', 'other:1')
    expect(scene.sent[2]).to.be.instanceOf(Passing)
  })

  it('answers one with other keys from memory meanwhile', () => {
    scene.mget('k:1', 'other:1')
    scene.mget('k:2', 'k:2')
    expect(scene.sent).to.have.length(1)
    expect(scene.client.replies).to.deep.equal(['*2\r\n$-1\r\n$-1\r\n'])
  })

  it('has no part of an MGET of a connection that is not tracked', () => {
    scene.source.number = 0
    scene.mget('k:1', 'k:2')
    expect([scene.sent, scene.stats.misses.untracked]).to.deep.equal([[scene.client], 2])
  })

  it('answers keys in several places at once when all are kept, and else counts nothing', () => {
    const ways = { parts: 2, partOf: Int32Array.of(0, 1, 0), wayOf: () => scene.way }
    const read = (...keys: string[]) => {
      return scene.several.readWhole(scene.asClient, requestOf('MGET', ...keys), ways)
    }
    expect(read('k:1', 'k:2', 'k:1')).to.equal(true)
    expect(scene.client.replies.join('')).to.equal('*3\r\n$3\r\none\r\n$-1\r\n$3\r\none\r\n')
    const { nextTicket } = scene.client
    const { absent } = scene.stats.misses
    expect(['k:3', 'other'].map((key) => read('k:1', key))).to.deep.equal([false, false])
    scene.source.number = 0
    expect(read('k:1', 'k:2')).to.equal(false)
    expect([scene.client.nextTicket, scene.stats.misses.absent]).to.deep.equal([nextTicket, absent])
    expect([scene.stats.hits, scene.sent.length]).to.deep.equal([3, 0])
  })

  it('answers keys in several places part by part behind an MGET that is on its way', () => {
    const ways = { parts: 2, partOf: Int32Array.of(0, 1), wayOf: () => scene.way }
    const read = () => {
      return scene.several.readWhole(scene.asClient, requestOf('MGET', 'k:1', 'k:2'), ways)
    }
    scene.mget('k:1', 'k:3')
    expect(read()).to.equal(false)
    scene.client.settleAll()
    expect(read()).to.equal(true)
  })

  it('looks only at the keys of the part that it is asked about', () => {
    const request = requestOf('MGET', 'k:1', 'k:3', 'k:2')
    const groupOf = Int32Array.of(0, 1, 0)
    const part = { request, stride: 1, groupOf, index: 0, keyCount: 2, firstKey: 0 }
    const read = (fragment: typeof part) => {
      return scene.several.readPart(scene.asClient, fragment, scene.way, scene.client, 9)
    }
    expect(read(part)).to.equal('answered')
    expect(scene.client.replies.join('')).to.equal('*2\r\n$3\r\none\r\n$-1\r\n')
    expect(read({ ...part, index: 1, keyCount: 1, firstKey: 1 })).to.equal(undefined)
  })
})
