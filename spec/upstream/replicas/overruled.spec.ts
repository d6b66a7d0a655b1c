/** Reads of a slot behind one that its owner answers in place of the replica. */
import { expect } from 'chai'
import type { Failure } from '../../../lib/failures.ts'
import { type Frame, ownFrame } from '../../../lib/upstream/backend.ts'
import { type Lane, Lanes } from '../../../lib/upstream/lane.ts'
import type { MovingRead } from '../../../lib/upstream/replicas/pending-read.ts'
import { ReadLine } from '../../../lib/upstream/replicas/read-line.ts'
import { ReplicaSet } from '../../../lib/upstream/replicas/replica-set.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { SILENT } from '../../support/ambassador.ts'
import { fakeReplica, WELL } from '../../support/fake-replica.ts'
import { latin1 } from '../../support/frames.ts'

type Sent = (text: string) => void

describe('ReadLine of a slot', () => {
  it('lets the owner answer what is behind a read that it answers: it may be further', () => {
    const lane = new Lanes(() => {}).first
    const set = new ReplicaSet({ name: 'a', now: () => 100, logger: SILENT })
    const [replica] = fakeReplica('10.0.0.1:1')
    const [atReplica, atOwner]: [Sent[], Sent[]] = [[], []]
    const into =
      (sent: Sent[]) => (_lane: Lane, _frame: Frame, sink: ReplySink, ticket: number) => {
        sent.push((text) => {
          const last = text.endsWith('\r\n')
          sink.reply(ticket, latin1(text), 0, text.length, last)
        })
      }
    const send = into(atReplica)
    Object.assign(replica.server, {
      send: (_id: number, ...sent: Parameters<typeof send>) => send(...sent),
    })
    set.use([replica])
    set.heard(replica, { ...WELL, coveredMs: 50 })
    const session = {
      ...{ sessionId: 1, onReplicas: 0, isClosed: () => false },
      ...{ mayLeaveMaster: () => true, floorMs: () => 0 },
    }
    const master = { name: 'a', up: true } as unknown as Shard
    const settings = {
      ...{ master, set, policy: 'prefer-replica' as const, zone: undefined },
      ...{ readAfterWriteMs: 0, requestTimeoutMs: Number.POSITIVE_INFINITY, now: () => 100 },
    }
    const moving: MovingRead = {
      ...{ floorMs: 0, isUnsettled: false, hasMoved: () => false },
      toMaster: into(atOwner),
      isCertain: (bytes, start) => bytes[start] === 0x24,
    }
    const replies: string[] = []
    const sink: ReplySink = {
      reply: (ticket, bytes, start, end) => {
        replies.push(`${ticket} ${bytes.toString('latin1', start, end)}`)
      },
      failed: (ticket: number, { kind }: Failure) => replies.push(`${ticket} ${kind}`),
    }
    const line = new ReadLine(session, settings)
    for (const ticket of [1, 2, 3]) {
      line.read(settings, lane, ownFrame(latin1('GET a\r\n')), { sink, ticket, moving })
    }
    expect([atReplica.length, atOwner.length]).to.deep.equal([3, 0])
    atReplica[0]?.('$1\r\n4\r\n')
    // The beginning of a long one.
    atReplica[1]?.('*99\r\n$-1')
    atReplica[2]?.('$1\r\n4\r\n')
    expect(atOwner).to.have.lengthOf(2)
    atOwner[0]?.('*1\r\n$1\r\n5\r\n')
    atOwner[1]?.('$1\r\n5\r\n')
    expect(replies).to.deep.equal(['1 $1\r\n4\r\n', '2 *1\r\n$1\r\n5\r\n', '3 $1\r\n5\r\n'])
    expect(session.onReplicas).to.equal(0)
  })
})
