/** Reads of slots: what becomes of those that a replica cannot answer, and of those behind them. */
import { expect } from 'chai'
import { type Failure, shardFailures } from '../../../lib/failures.ts'
import { type Frame, ownFrame } from '../../../lib/upstream/backend.ts'
import { type Lane, Lanes } from '../../../lib/upstream/lane.ts'
import type { ReadPolicy } from '../../../lib/upstream/replicas/choose.ts'
import type { MovingRead } from '../../../lib/upstream/replicas/pending-read.ts'
import { ReadLine } from '../../../lib/upstream/replicas/read-line.ts'
import type { Replica } from '../../../lib/upstream/replicas/replica.ts'
import { ReplicaSet } from '../../../lib/upstream/replicas/replica-set.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { SILENT } from '../../support/ambassador.ts'
import { fakeReplica, WELL } from '../../support/fake-replica.ts'
import { latin1 } from '../../support/frames.ts'

/** A request under way. */
interface Sent {
  reply(text: string): void
  fail(): void
}

const ERRORS = shardFailures('a')

describe('ReadLine of slots', () => {
  const lane = new Lanes(() => {}).first
  let set: ReplicaSet
  let atOwner: Sent[]
  let replies: string[]
  let saw: number
  let hasMoved: boolean
  const session = {
    ...{ sessionId: 1, onReplicas: 0, isClosed: () => false },
    ...{ mayLeaveMaster: () => true, floorMs: () => 0 },
    sawElsewhere: () => {
      saw++
    },
  }

  beforeEach(() => {
    set = new ReplicaSet({ name: 'a', now: () => 100, logger: SILENT })
    atOwner = []
    replies = []
    saw = 0
    hasMoved = false
  })

  function into(sent: Sent[], sink: ReplySink, ticket: number): void {
    sent.push({
      reply: (text) => sink.reply(ticket, latin1(text), 0, text.length, text.endsWith('\r\n')),
      fail: () => sink.failed(ticket, ERRORS.lost),
    })
  }

  /** Replicas that have what their master had at these moments; what they are sent. */
  function replicasWith(...coveredMs: readonly number[]): Sent[][] {
    const found = coveredMs.map((moment, at): [Replica, number, Sent[]] => {
      const [replica] = fakeReplica(`10.0.0.${at + 1}:1`)
      const sent: Sent[] = []
      const send = (_id: number, _lane: Lane, _frame: Frame, sink: ReplySink, ticket: number) =>
        into(sent, sink, ticket)
      Object.assign(replica.server, { send })
      return [replica, moment, sent]
    })
    set.use(found.map(([replica]) => replica))
    for (const [replica, moment] of found) set.heard(replica, { ...WELL, coveredMs: moment })
    return found.map(([, , sent]) => sent)
  }

  /** Reads, numbered from 1, of slots that ask this of a server. */
  function read(
    slots: readonly Partial<MovingRead>[],
    policy: ReadPolicy = 'prefer-replica',
    up = true,
  ): void {
    const master = { name: 'a', up, errors: ERRORS } as unknown as Shard
    const settings = {
      ...{ master, set, policy, zone: undefined, readAfterWriteMs: 0 },
      ...{ requestTimeoutMs: Number.POSITIVE_INFINITY, now: () => 100 },
    }
    const line = new ReadLine(session, settings)
    const sink: ReplySink = {
      reply: (ticket, bytes, start, end) => {
        replies.push(`${ticket} ${bytes.toString('latin1', start, end)}`)
      },
      failed: (ticket: number, { kind }: Failure) => replies.push(`${ticket} ${kind}`),
    }
    for (const [at, slot] of slots.entries()) {
      const moving: MovingRead = {
        ...{ floorMs: 0, isUnsettled: false, hasMoved: () => hasMoved },
        toMaster: (_lane, _frame, reply, ticket) => into(atOwner, reply, ticket),
        isCertain: (bytes, start) => bytes[start] === 0x24,
        ...slot,
      }
      line.read(settings, lane, ownFrame(latin1('GET a\r\n')), { sink, ticket: at + 1, moving })
    }
  }

  it('lets the owner answer what is behind a read that it answers: it may be further', () => {
    const [atReplica = []] = replicasWith(50)
    read([{}, {}, {}])
    expect([atReplica.length, atOwner.length]).to.deep.equal([3, 0])
    atReplica[0]?.reply('$1\r\n4\r\n')
    // The beginning of a long one.
    atReplica[1]?.reply('*99\r\n$-1')
    atReplica[2]?.reply('$1\r\n4\r\n')
    expect(atOwner).to.have.lengthOf(2)
    atOwner[0]?.reply('*1\r\n$1\r\n5\r\n')
    atOwner[1]?.reply('$1\r\n5\r\n')
    expect(replies).to.deep.equal(['1 $1\r\n4\r\n', '2 *1\r\n$1\r\n5\r\n', '3 $1\r\n5\r\n'])
    expect(session.onReplicas).to.equal(0)
  })

  it('asks once more about a missing key when the question is lost', () => {
    const [atReplica = []] = replicasWith(50)
    read([{}])
    atReplica[0]?.reply(':0\r\n')
    atOwner[0]?.fail()
    expect(replies).to.deep.equal([])
    atOwner[1]?.reply(':0\r\n')
    expect(replies).to.deep.equal(['1 :0\r\n'])
    read([{}])
    atReplica[1]?.reply(':0\r\n')
    atOwner[2]?.fail()
    atOwner[3]?.fail()
    expect(replies).to.deep.equal(['1 :0\r\n', '1 lost'])
    expect(session.onReplicas).to.equal(0)
  })

  it('moves reads together only to a server that has what each of their slots needs', () => {
    // The session is spread to the second of two, and to the first where that alone is far enough.
    const [early = [], late = []] = replicasWith(10, 50)
    read([{ floorMs: 0 }, { floorMs: 30 }])
    expect([early.length, late.length]).to.deep.equal([0, 2])
    late[0]?.fail()
    expect([early.length, atOwner.length]).to.deep.equal([0, 2])
  })

  it('has seen some other master when a slot has moved and its owner answers', () => {
    const [atReplica = []] = replicasWith(50)
    read([{}, {}])
    atReplica[0]?.reply(':0\r\n')
    atReplica[1]?.reply(':0\r\n')
    atOwner[0]?.reply(':0\r\n')
    expect(saw).to.equal(0)
    hasMoved = true
    atOwner[1]?.reply(':7\r\n')
    expect([replies, saw]).to.deep.equal([['1 :0\r\n', '2 :7\r\n'], 1])
  })

  it('reads an unsettled slot at a replica where the master is preferred and cannot be reached', () => {
    const [atReplica = []] = replicasWith(50)
    read([{ isUnsettled: true }], 'prefer-master')
    expect([atReplica.length, atOwner.length]).to.deep.equal([0, 1])
    read([{ isUnsettled: true }], 'prefer-master', false)
    expect([atReplica.length, atOwner.length]).to.deep.equal([1, 1])
  })
})
