/** What requests hear whose replies will not come, and how they are counted. */
import { expect } from 'chai'
import { shardFailures, UNBLOCKED } from '../../../lib/failures.ts'
import { Outbox } from '../../../lib/io/outbox.ts'
import { InHand, NOT_SENT, UNANSWERED } from '../../../lib/stats/in-hand.ts'
import { ShardStats } from '../../../lib/stats/shard-stats.ts'
import { Fifo } from '../../../lib/upstream/connection/fifo.ts'
import { Losses } from '../../../lib/upstream/connection/losses.ts'
import { FakeTarget } from '../../support/fake-target.ts'
import { latin1 } from '../../support/frames.ts'
import { ManualTurn } from '../../support/manual-turn.ts'

const errors = shardFailures('a')
const DEADLINE_MS = 100

class Rig {
  readonly fifo = new Fifo()
  readonly stats = new ShardStats()
  readonly inHand = new InHand()
  readonly outbox: Outbox
  readonly losses: Losses
  readonly target = new FakeTarget()
  /** `request: what it heard`, and whether it was said to have been sent. */
  readonly told: string[] = []
  readonly #manual = new ManualTurn()

  constructor() {
    this.outbox = new Outbox(this.#manual.turn, { drained: () => {}, expectsMore: () => false })
    this.outbox.open(this.target)
    this.losses = new Losses(this.fifo, this.outbox, { errors, ...this })
  }

  /** A request that the next `handOver` sends. */
  push(request: string): void {
    const sink = {
      reply: () => {},
      failed: (_ticket: number, { frame }: { frame: Buffer }) => {
        const isSent = this.inHand.sentMs === UNANSWERED
        const label = /\(([^)]*)\)/.exec(frame.toString())?.[1] ?? frame.toString().trimEnd()
        this.told.push(`${request}: ${label}${isSent ? '' : ', no shard was waited for'}`)
      },
    }
    this.fifo.push(sink, 0, {
      enteredMs: 0,
      deadlineMs: DEADLINE_MS,
      position: this.outbox.position,
    })
    this.outbox.append(latin1(request), 0, request.length)
  }

  handOver(): void {
    this.#manual.end()
  }

  get counts() {
    const { lost, unavailable, timedOut } = this.stats.errors
    return { lost, unavailable, timedOut }
  }
}

describe('Losses', () => {
  let rig: Rig

  beforeEach(() => {
    rig = new Rig()
    rig.push('sent')
    rig.handOver()
    rig.push('gathered')
  })

  afterEach(() => expect(rig.inHand.sentMs).to.equal(NOT_SENT))

  it('fail what was sent, and leave the rest for the next connection', () => {
    rig.losses.failSent(undefined)
    expect(rig.told).to.deep.equal(['sent: may have executed'])
    expect(rig.counts).to.deep.equal({ lost: 1, unavailable: 0, timedOut: 0 })
    expect(rig.fifo.length).to.equal(1)
    const next = new FakeTarget()
    rig.outbox.open(next)
    rig.handOver()
    expect(next.received.toString()).to.equal('gathered')
  })

  it('fail all where no connection follows: of what was not sent nothing has been executed', () => {
    rig.losses.failAll(undefined)
    expect(rig.told).to.deep.equal(['sent: may have executed', 'gathered: not sent'])
    expect(rig.counts).to.deep.equal({ lost: 1, unavailable: 1, timedOut: 0 })
    expect(rig.outbox.waitingBytes).to.equal(0)
  })

  it('tell another reason in place of the loss, which is none then', () => {
    rig.losses.failSent(UNBLOCKED)
    expect(rig.told[0]).to.match(/^sent: master -> replica/)
    rig.losses.failAll(UNBLOCKED)
    expect(rig.told.at(-1)).to.match(/^gathered: not sent/)
    expect(rig.counts.lost).to.equal(0)
  })

  it('expire what was sent: its reply is late, and the connection stays', () => {
    rig.losses.expire(DEADLINE_MS - 1)
    expect(rig.told).to.deep.equal([])
    rig.losses.expire(DEADLINE_MS)
    expect(rig.told[0]).to.equal('sent: may have executed')
    expect(rig.counts.timedOut).to.be.greaterThan(0)
    expect(rig.fifo.tombstones).to.be.greaterThan(0)
  })

  it('expire what waits for a server: it is not sent any more', () => {
    rig = new Rig()
    rig.push('waiting')
    rig.losses.expireUnsent(DEADLINE_MS)
    rig.handOver()
    expect(rig.told).to.deep.equal(['waiting: not sent, no shard was waited for'])
    expect(rig.counts).to.deep.equal({ lost: 0, unavailable: 1, timedOut: 0 })
    expect(rig.target.received.toString()).to.equal('')
  })

  it('let a sink that is told send again, behind what is there', () => {
    rig = new Rig()
    const again = { reply: () => {}, failed: () => rig.push('again') }
    rig.fifo.push(again, 0, {
      enteredMs: 0,
      deadlineMs: DEADLINE_MS,
      position: rig.outbox.position,
    })
    rig.outbox.append(latin1('first'), 0, 5)
    rig.handOver()
    rig.losses.failAll(undefined)
    expect(rig.fifo.length).to.equal(1)
    expect(rig.told).to.deep.equal([])
  })
})
