/** The order of one client's requests that are objects. */
import { expect } from 'chai'
import { Order, type RequestOwner, SlotRequest } from '../../../lib/pool/cluster/slot-request.ts'
import type { Lane } from '../../../lib/upstream/lane.ts'

const SINK = { reply: () => {}, failed: () => {} }

const OWNER: RequestOwner = {
  refused: () => false,
  failed: () => {},
  overtook: () => {},
  ended: () => {},
}

describe('SlotRequest', () => {
  let order: Order

  beforeEach(() => {
    order = new Order({ id: 1, inFlight: 0, closed: false, keptBytes: 0 })
  })

  function begin(number: number): SlotRequest {
    const request = new SlotRequest(OWNER)
    request.begin(order, {} as Lane, 7, SINK, 0, 1000, number)
    return request
  }

  /** Newest first. */
  function numbers(): number[] {
    const found: number[] = []
    for (let each = order.newest; each !== undefined; each = each.older) found.push(each.number)
    return found
  }

  it('has its place among those of its client, in whichever order they become objects', () => {
    for (const number of [3, 5, 4, 1, 6, 2]) begin(number)
    expect(numbers()).to.deep.equal([6, 5, 4, 3, 2, 1])
    expect(order.newest?.older?.older?.newer?.number).to.equal(5)
  })

  it('knows whether an older one for its slot waits, and whether a newer one is on its way', () => {
    const newer = begin(2)
    const older = begin(1)
    expect([older.isFollowed, newer.isHeldUp]).to.deep.equal([true, false])
    older.isWaiting = true
    expect(newer.isHeldUp).to.equal(true)
    newer.fail({} as never)
    expect(older.isFollowed).to.equal(false)
    expect(numbers()).to.deep.equal([1])
  })
})
