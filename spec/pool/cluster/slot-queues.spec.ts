import { expect } from 'chai'
import type { Failure } from '../../../lib/failures.ts'
import {
  type QueueOwner,
  resendDelayMs,
  SlotQueues,
} from '../../../lib/pool/cluster/slot-queues.ts'
import { Order, type RequestOwner, SlotRequest } from '../../../lib/pool/cluster/slot-request.ts'
import type { Lane } from '../../../lib/upstream/lane.ts'
import { ManualTurn } from '../../support/manual-turn.ts'
import { until } from '../../support/until.ts'

describe('SlotQueues', () => {
  /** What became of requests, by the tickets that they have. */
  let told: string[]
  /** Slots whose owners are there. */
  let served: Set<number>
  let manual: ManualTurn
  let queues: SlotQueues
  const tickets = new Map<SlotRequest, number>()

  const requests: RequestOwner = {
    refused: () => false,
    failed: () => {},
    overtook: () => {},
    ended: () => {},
  }
  const owner: QueueOwner = {
    tryAgain: (request) => {
      if (!served.has(request.slot)) return false
      told.push(`sent ${tickets.get(request)}`)
      return true
    },
    expired: (request) => told.push(`expired ${tickets.get(request)}`),
    tick: () => {},
    isBusy: false,
  }

  beforeEach(() => {
    told = []
    served = new Set()
    manual = new ManualTurn()
    queues = new SlotQueues(owner, manual.turn)
  })

  afterEach(() => queues.clear())

  function newOrder(id = 1): Order {
    return new Order({ id, inFlight: 0, closed: false, keptBytes: 0 })
  }

  function request(order: Order, slot: number, ticket: number, deadlineMs = 1000): SlotRequest {
    const made = new SlotRequest(requests)
    const sink = { reply: () => {}, failed: (_ticket: number, _failure: Failure) => {} }
    made.begin(order, {} as Lane, slot, sink, ticket, deadlineMs, order.sent++)
    tickets.set(made, ticket)
    return made
  }

  /** The clock is read once a turn. */
  function later(ms: number): void {
    manual.end()
    manual.nowMs += ms
  }

  it('keeps the order of one client, in whichever order its requests come to wait', () => {
    const order = newOrder()
    const [first, second, third] = [1, 2, 3].map((ticket) => request(order, 7, ticket)) as [
      SlotRequest,
      SlotRequest,
      SlotRequest,
    ]
    queues.add(second)
    queues.add(third)
    queues.add(first)
    served.add(7)
    queues.retryAll()
    expect(told).to.deep.equal(['sent 1', 'sent 2', 'sent 3'])
    expect([queues.length, order.waiting]).to.deep.equal([0, 0])
  })

  it('lets other slots pass', () => {
    queues.add(request(newOrder(1), 7, 1))
    queues.add(request(newOrder(2), 8, 2))
    served.add(8)
    queues.retryAll()
    expect(told).to.deep.equal(['sent 2'])
    expect(queues.length).to.equal(1)
  })

  it('holds one back while a newer one of its client for the slot is on its way', () => {
    const order = newOrder()
    const older = request(order, 7, 1)
    const newer = request(order, 7, 2)
    queues.add(older)
    served.add(7)
    queues.retryAll()
    expect(told).to.deep.equal([])
    queues.add(newer)
    queues.retryAll()
    expect(told).to.deep.equal(['sent 1', 'sent 2'])
  })

  it('hands over those that a newer one has overtaken, and no others', () => {
    const [order, other] = [newOrder(1), newOrder(2)]
    const older = request(order, 7, 1)
    const newer = request(order, 7, 2)
    const foreign = request(other, 7, 3)
    queues.add(older)
    queues.add(foreign)
    expect(queues.takeOlder(newer)).to.deep.equal([older])
    expect(queues.length).to.equal(1)
  })

  it('gives up those whose time is over, by itself', async () => {
    const order = newOrder()
    queues.add(request(order, 7, 1, 10))
    queues.add(request(order, 7, 2, 5000))
    later(20)
    await until(() => told.length > 0)
    expect(told).to.deep.equal(['expired 1'])
    expect([queues.length, order.waiting, queues.heldMs]).to.deep.equal([1, 1, 40])
  })

  it('tries again by itself', async () => {
    queues.add(request(newOrder(), 7, 1))
    served.add(7)
    later(100)
    await until(() => told.length > 0)
    expect(told).to.deep.equal(['sent 1'])
  })

  it('counts how often requests had to wait', () => {
    const waiting = request(newOrder(), 7, 1)
    queues.add(waiting)
    queues.retryAll()
    expect([queues.held, waiting.waits]).to.deep.equal([2, 2])
    expect(queues.clear()).to.deep.equal([waiting])
    expect(waiting.isWaiting).to.equal(false)
  })

  it('waits twice as long each time, up to a twentieth of a second', () => {
    const delays = [0, 1, 2, 3, 4, 100].map(resendDelayMs)
    expect(delays).to.deep.equal([5, 10, 20, 40, 50, 50])
  })
})
