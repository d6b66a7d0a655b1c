import { expect } from 'chai'
import { placeOf } from '../../../lib/routing/places.ts'
import { SlotTopology } from '../../../lib/topology/cluster/slot-topology.ts'

function topologyOf(...masters: readonly string[]): SlotTopology<string> {
  const topology = new SlotTopology('nobody')
  const slotsEach = Math.ceil(16_384 / masters.length)
  topology.follow(masters, (slot) => masters[Math.floor(slot / slotsEach)])
  return topology
}

function ownerOfKey(topology: SlotTopology<string>, key: string): string {
  const bytes = Buffer.from(key)
  return topology.shardAt(placeOf(topology, bytes, 0, bytes.length))
}

describe('topology/cluster/slot-topology', () => {
  it('has a place for each slot, and the owner of each', () => {
    const topology = topologyOf('a', 'b')
    expect(topology.placeCount).to.equal(16_384)
    expect(ownerOfKey(topology, 'hello')).to.equal('a')
    expect(ownerOfKey(topology, 'foo')).to.equal('b')
    expect(topology.shares()).to.deep.equal([0.5, 0.5])
    expect(topology.ownersAlong(4)).to.deep.equal([0, 0, 1, 1])
  })

  it('has somebody to stand for the owner of a slot that has none', () => {
    const topology = new SlotTopology('nobody')
    expect(topology.ownerOf(7)).to.equal(undefined)
    expect(topology.shardAt(7)).to.equal('nobody')
    expect(topology.explain(Buffer.from('foo')).shard).to.equal(undefined)
  })

  it('numbers changes, and tells which was the last of each slot', () => {
    const topology = topologyOf('a', 'b')
    const { epoch } = topology
    topology.assign(1, 'b')
    expect(topology.changedAt(1)).to.equal(epoch + 1)
    expect(topology.changedAt(2)).to.equal(epoch)
    topology.assign(1, 'b')
    expect(topology.epoch).to.equal(epoch + 1)
    topology.touch(2)
    expect([topology.epoch, topology.changedAt(2)]).to.deep.equal([epoch + 2, epoch + 2])
  })

  it('takes all changes of a new map for one, and what stays for none', () => {
    const topology = topologyOf('a', 'b')
    const { epoch } = topology
    topology.follow(['a', 'b'], (slot) => (slot < 8192 || slot > 16_000 ? 'a' : 'b'))
    expect(topology.epoch).to.equal(epoch + 1)
    expect(topology.changedAt(16_001)).to.equal(epoch + 1)
    expect(topology.changedAt(0)).to.equal(epoch)
    topology.follow(['a', 'b'], (slot) => topology.ownerOf(slot))
    expect(topology.epoch).to.equal(epoch + 1)
  })

  it('explains a key by its slot', () => {
    const explanation = topologyOf('a', 'b').explain(Buffer.from('x{foo}y'))
    const expected = { shard: 1, hashedStart: 2, hashedEnd: 5, hash: 12182, point: 12182 }
    expect(explanation).to.deep.equal(expected)
  })

  it('knows the slot of a pattern whose * is behind the tag, and of no other', () => {
    const topology = topologyOf('a')
    const slot = (text: string) => topology.placeOfPattern(Buffer.from(text), 0, text.length)
    expect(slot('w_{foo}_*')).to.equal(12182)
    expect(slot('w_*{foo}')).to.equal(undefined)
    expect(slot('{fo*}')).to.equal(undefined)
    expect(slot('weight_*')).to.equal(undefined)
  })
})
