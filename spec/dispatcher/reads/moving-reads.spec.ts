import { expect } from 'chai'
import { MovingReads } from '../../../lib/dispatcher/reads/moving-reads.ts'
import { SLOT_SETTLES_MS } from '../../../lib/limits.ts'
import { Order } from '../../../lib/pool/cluster/slot-request.ts'
import type { MovingPlaces } from '../../../lib/pool/router/moving-places.ts'
import type { Topology } from '../../../lib/topology/topology.ts'
import { ownFrame } from '../../../lib/upstream/backend.ts'
import { Lanes } from '../../../lib/upstream/lane.ts'
import type { MovingRead } from '../../../lib/upstream/replicas/pending-read.ts'
import type { Reader, ReadingNow } from '../../../lib/upstream/replicas/reader.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { latin1 } from '../../support/frames.ts'

const SLOT = 7

describe('MovingReads', () => {
  const lane = new Lanes(() => {}).first
  const order = new Order({ id: 1, inFlight: 0, closed: false, keptBytes: 0 })
  const sink = { reply: () => {}, failed: () => {} }
  let changedAt: number
  let nowMs: number
  let sent: string[]
  let read: MovingRead | undefined
  let now: ReadingNow
  let reads: MovingReads
  let hasReader: boolean
  let isMoving: boolean

  beforeEach(() => {
    changedAt = 3
    nowMs = 10_000
    sent = []
    read = undefined
    hasReader = true
    isMoving = true
    now = {
      session: undefined,
      certainty: (_bytes, start, end, count) => end - start === count,
      keyCount: 4,
    }
    const moving = {
      changedAt: () => changedAt,
      has: () => isMoving,
      send: (_order: unknown, _lane: unknown, frame: { readonly bytes: Buffer }, slot: number) => {
        sent.push(`${frame.bytes} to ${slot}`)
      },
    } as unknown as MovingPlaces
    const reader = {
      sendMoving: (one: MovingRead) => {
        read = one
      },
      send: () => sent.push('as a shard that stays'),
    } as unknown as Reader
    reads = new MovingReads({
      moving,
      topology: { placeCount: 16, shardAt: () => ({}) as Shard } as unknown as Topology<Shard>,
      readerOf: () => (hasReader ? reader : undefined),
      now,
      nowMs: () => nowMs,
    })
  })

  function send(): MovingRead {
    reads.send(order, lane, ownFrame(latin1('GET a')), SLOT, sink, 0)
    return read as MovingRead
  }

  it('reads a slot where it is until it has been left alone for a while', () => {
    expect(send()).to.include({ isUnsettled: true, floorMs: 10_000 })
    nowMs += SLOT_SETTLES_MS
    expect(send()).to.include({ isUnsettled: false, floorMs: 10_000 })
    changedAt = 5
    nowMs += 50
    expect(send()).to.include({ isUnsettled: true, floorMs: nowMs })
  })

  it('knows whether something has happened to the slot since a read began', () => {
    const first = send()
    expect(first.hasMoved()).to.equal(false)
    changedAt = 9
    expect(first.hasMoved()).to.equal(true)
    expect(send().hasMoved()).to.equal(false)
  })

  it('asks whoever has the slot, and says how many keys a reply is about', () => {
    const one = send()
    one.toMaster(lane, ownFrame(latin1('GET b')), sink, 1)
    expect(sent).to.deep.equal([`GET b to ${SLOT}`])
    expect(one.isCertain(Buffer.alloc(8), 2, 6)).to.equal(true)
    expect(one.isCertain(Buffer.alloc(8), 2, 5)).to.equal(false)
  })

  it('reads a shard among them that has no slots as if there were no others', () => {
    isMoving = false
    send()
    expect(sent).to.deep.equal(['as a shard that stays'])
  })

  it('sends what replicas cannot be asked, or are not, to whoever has the slot', () => {
    hasReader = false
    send()
    hasReader = true
    now.certainty = undefined
    send()
    expect(read).to.equal(undefined)
    expect(sent).to.have.length(2)
  })
})
