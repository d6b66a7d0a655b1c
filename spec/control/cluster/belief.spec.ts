import { expect } from 'chai'
import { Belief } from '../../../lib/control/cluster/belief.ts'
import { type ClusterNode, ownerAt, type SlotRange } from '../../../lib/control/cluster/view.ts'

function node(port: number, replicaPorts: readonly number[] = []): ClusterNode {
  return { id: `id${port}`, address: at(port), replicas: replicaPorts.map(at) }
}

function at(port: number) {
  return { host: '10.0.0.1', port }
}

function range(first: number, last: number, owner: ClusterNode): SlotRange {
  return { first, last, owner }
}

class Rig {
  nowMs = 0
  readonly belief: Belief

  constructor(proven = false) {
    this.belief = new Belief({ proven, now: () => this.nowMs })
  }

  /** An answer of the node at this port, asked `agoMs` ago. Epochs by port. */
  told(
    byPort: number,
    ranges: readonly SlotRange[],
    epochs: Readonly<Record<number, number>> = {},
    agoMs = 0,
  ) {
    const ids = Object.entries(epochs).map(([port, epoch]) => [`id${port}`, epoch] as const)
    const askedAtMs = this.nowMs - agoMs
    return this.belief.told({
      ...{ by: at(byPort), askedAtMs, ranges, epochs: new Map(ids) },
      failed: new Set(),
    })
  }

  /** The port of a slot's owner. */
  owner(slot: number): number | undefined {
    return this.belief.view && ownerAt(this.belief.view, slot)?.address.port
  }
}

const a = node(1, [11])
const b = node(2, [12])
const whole = [range(0, 8191, a), range(8192, 16_383, b)]
const CHANGED = { changed: true, doubtful: false }
const UNCHANGED = { changed: false, doubtful: false }
const DOUBTFUL = { changed: false, doubtful: true }

describe('what is believed of a cluster', () => {
  it('is what the first node says that answers, whatever is missing', () => {
    const rig = new Rig()
    expect(rig.told(1, [range(0, 9, a)])).to.deep.equal(CHANGED)
    expect([rig.owner(9), rig.owner(10)]).to.deep.equal([1, undefined])
    expect(rig.told(2, [range(0, 9, a), range(10, 19, node(11))])).to.deep.equal(CHANGED)
    expect(rig.owner(10)).to.equal(11)
  })

  it('changes with each answer that is newer, and does not when nothing has changed', () => {
    const rig = new Rig()
    rig.told(1, whole, { 1: 1, 2: 2 })
    expect(rig.told(2, whole, { 1: 1, 2: 2 })).to.deep.equal(UNCHANGED)
    expect(rig.told(1, [range(0, 16_383, b)], { 1: 1, 2: 3 })).to.deep.equal(CHANGED)
    expect(rig.owner(0)).to.equal(2)
    expect(rig.belief.epoch).to.equal(3)
  })

  it('takes an heir whose epoch is higher, and goes back to the old master for nobody who is behind', () => {
    const rig = new Rig()
    rig.told(2, whole, { 1: 1, 2: 2, 11: 1 })
    const after = [range(0, 8191, node(11)), range(8192, 16_383, b)]
    expect(rig.told(11, after, { 1: 1, 2: 2, 11: 3 })).to.deep.equal(CHANGED)
    // One that is cut off from the others, asked again and again, and the old master when it wakes up.
    for (const by of [12, 12, 1, 1]) {
      const { changed } = rig.told(by, whole, { 1: 1, 2: 2, 11: 1 })
      expect([changed, rig.owner(0)]).to.deep.equal([false, 11])
    }
  })

  it('lets an owner give its slots away whatever the epochs', () => {
    const rig = new Rig()
    rig.told(1, whole, { 1: 7, 2: 2 })
    expect(rig.told(2, [range(0, 16_383, b)], { 1: 7, 2: 2 }).changed).to.equal(false)
    expect(rig.told(1, [range(0, 16_383, b)], { 1: 7, 2: 2 }).changed).to.equal(true)
  })

  it('gives no say to an owner whom the cluster has forgotten', () => {
    const rig = new Rig()
    rig.told(1, whole, { 1: 7, 2: 2 })
    expect(rig.told(2, [range(0, 16_383, b)], { 2: 2 }).changed).to.equal(true)
  })

  it('believes the last answer where no node tells epochs', () => {
    const rig = new Rig()
    rig.told(1, whole)
    rig.told(2, [range(0, 16_383, b)])
    expect(rig.owner(0)).to.equal(2)
    const back = [range(0, 8191, a), range(8192, 16_383, b)]
    rig.told(12, back)
    expect(rig.owner(0), 'it is a stranger by now').to.equal(2)
    rig.told(2, back)
    expect(rig.owner(0)).to.equal(1)
  })

  it('needs a second node for slots that are said to have no owner', () => {
    const rig = new Rig()
    rig.told(1, whole)
    const less = [range(0, 8191, a)]
    expect(rig.told(1, less)).to.deep.equal(DOUBTFUL)
    expect(rig.told(1, less), 'the same node again').to.deep.equal(DOUBTFUL)
    expect(rig.owner(8192)).to.equal(2)
    expect(rig.told(11, less)).to.deep.equal(CHANGED)
    expect(rig.owner(8192)).to.equal(undefined)
  })

  it('needs a second node for a master or replica that it does not know', () => {
    const rig = new Rig()
    rig.told(1, whole)
    const strange = [range(0, 0, node(66)), range(1, 8191, a), range(8192, 16_383, b)]
    expect(rig.told(1, strange)).to.deep.equal(DOUBTFUL)
    expect(rig.told(1, strange)).to.deep.equal(DOUBTFUL)
    expect(rig.owner(0)).to.equal(1)
    expect(rig.told(2, strange)).to.deep.equal(CHANGED)
    expect(rig.owner(0)).to.equal(66)
    const replica = [range(0, 0, node(66, [67])), range(1, 8191, a), range(8192, 16_383, b)]
    expect(rig.told(1, replica)).to.deep.equal(DOUBTFUL)
    expect(rig.told(66, replica)).to.deep.equal(CHANGED)
  })

  it('needs no second node where certificates prove who a server is, or where there is none', () => {
    const proven = new Rig(true)
    proven.told(1, whole)
    expect(proven.told(1, [range(0, 16_383, node(66))])).to.deep.equal(CHANGED)
    const single = new Rig()
    single.told(1, [range(0, 16_383, node(1))])
    const grown = [range(0, 99, node(2)), range(100, 16_383, node(1))]
    expect(single.told(1, grown)).to.deep.equal(CHANGED)
  })

  it('takes a redirect at once, and against an answer that was asked for before it', () => {
    const rig = new Rig()
    rig.told(1, whole, { 1: 1, 2: 2 })
    rig.nowMs = 100
    expect(rig.belief.moved(5, at(2))).to.equal(true)
    expect(rig.owner(5)).to.equal(2)
    rig.nowMs = 150
    rig.told(1, whole, { 1: 1, 2: 2 }, 60)
    expect(rig.owner(5), 'asked before').to.equal(2)
    rig.told(1, whole, { 1: 3, 2: 2 }, 0)
    expect(rig.owner(5), 'asked after').to.equal(1)
  })

  it('takes no redirect to a stranger, unless it can prove itself', () => {
    const rig = new Rig()
    expect(rig.belief.moved(5, at(2)), 'before anything is known').to.equal(false)
    rig.told(1, whole)
    expect(rig.belief.moved(5, at(66))).to.equal(false)
    expect(rig.owner(5)).to.equal(1)
    expect(rig.belief.moved(5, at(12)), 'a replica').to.equal(true)
    const proven = new Rig(true)
    proven.told(1, whole)
    expect(proven.belief.moved(5, at(66))).to.equal(true)
  })

  it('keeps the ids and replicas of owners up to date', () => {
    const rig = new Rig()
    rig.told(1, whole)
    rig.told(2, [range(0, 8191, node(1)), range(8192, 16_383, b)])
    expect(rig.belief.view?.nodes.map(({ replicas }) => replicas.length)).to.deep.equal([0, 1])
  })
})
