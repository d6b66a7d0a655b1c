import { expect } from 'chai'
import {
  type ClusterNode,
  ownerAt,
  rangesOf,
  SLOT_COUNT,
  type SlotRange,
  sameView,
  viewOf,
  withSlotMoved,
} from '../../../lib/control/cluster/view.ts'

function node(id: string, port: number, replicaPorts: readonly number[] = []): ClusterNode {
  const at = (each: number) => ({ host: '10.0.0.1', port: each })
  return { id, address: at(port), replicas: replicaPorts.map(at) }
}

function range(first: number, last: number, owner: ClusterNode): SlotRange {
  return { first, last, owner }
}

const a = node('aaaa', 1, [11])
const b = node('bbbb', 2, [12])

describe('a view of a cluster', () => {
  it('numbers masters by id, whatever the order in which they are told', () => {
    const view = viewOf([range(8192, 16_383, b), range(0, 8191, a)])
    expect(view.nodes).to.deep.equal([a, b])
    expect([view.ownerOf[0], view.ownerOf[8191], view.ownerOf[8192]]).to.deep.equal([0, 0, 1])
    expect(view.covered).to.equal(SLOT_COUNT)
    expect(sameView(view, viewOf([range(0, 8191, a), range(8192, 16_383, b)]))).to.equal(true)
  })

  it('takes several ranges of one owner together, and all replicas that they name', () => {
    const again = { ...a, replicas: [{ host: '10.0.0.1', port: 13 }] }
    const view = viewOf([range(0, 0, a), range(2, 3, again), range(1, 1, b)])
    expect(view.nodes.map(({ replicas }) => replicas.length)).to.deep.equal([2, 1])
    expect(rangesOf(view).map(({ first, last }) => [first, last])).to.deep.equal([
      [0, 0],
      [1, 1],
      [2, 3],
    ])
  })

  it('says of slots that nobody owns that nobody owns them', () => {
    const view = viewOf([range(5, 9, a)])
    expect(view.covered).to.equal(5)
    expect(view.ownerOf[4]).to.equal(-1)
    expect(ownerAt(view, 4)).to.equal(undefined)
    expect(ownerAt(view, 5)).to.equal(view.nodes[0])
    expect(viewOf([]).covered).to.equal(0)
  })

  it('takes owners at one address for one node', () => {
    const view = viewOf([range(0, 1, a), range(2, 3, { ...a, id: 'cccc' })])
    expect(view.nodes.map(({ id }) => id)).to.deep.equal(['aaaa'])
    expect(view.covered).to.equal(4)
  })

  it('moves one slot to another master, known or not', () => {
    const view = viewOf([range(0, 8191, a), range(8192, 16_383, b)])
    const moved = withSlotMoved(view, 7, b.address)
    expect(ownerAt(moved, 7)).to.deep.equal(b)
    expect(ownerAt(moved, 8)).to.deep.equal(a)
    expect(sameView(view, moved)).to.equal(false)
    const stranger = { host: 'fe80::1', port: 3 }
    const expected = { id: '[fe80::1]:3', address: stranger, replicas: [] }
    expect(ownerAt(withSlotMoved(view, 7, stranger), 7)).to.deep.equal(expected)
  })

  it('forgets a master that has lost its last slot', () => {
    const view = viewOf([range(0, 0, a), range(1, 16_383, b)])
    expect(withSlotMoved(view, 0, b.address).nodes).to.deep.equal([b])
  })

  it('differs when a replica is another, and not when replicas are told in another order', () => {
    const of = (replicaPorts: readonly number[]) =>
      viewOf([range(0, 1, node('aaaa', 1, replicaPorts))])
    expect(sameView(of([11, 12]), of([12, 11]))).to.equal(true)
    expect(sameView(of([11]), of([12]))).to.equal(false)
  })
})
