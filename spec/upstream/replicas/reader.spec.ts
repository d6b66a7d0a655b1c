import { expect } from 'chai'
import { OVERLOADED } from '../../../lib/failures.ts'
import type { Frame } from '../../../lib/upstream/backend.ts'
import { type Lane, Lanes } from '../../../lib/upstream/lane.ts'
import { Reader, type ReadingNow } from '../../../lib/upstream/replicas/reader.ts'
import { ReplicaSet } from '../../../lib/upstream/replicas/replica-set.ts'
import { SessionReads } from '../../../lib/upstream/replicas/session-reads.ts'
import type { ReplySink } from '../../../lib/upstream/reply-sink.ts'
import type { Shard } from '../../../lib/upstream/shard.ts'
import { SILENT } from '../../support/ambassador.ts'
import { fakeReplica, WELL } from '../../support/fake-replica.ts'
import { encodeRequest, latin1 } from '../../support/frames.ts'
import { requestOf } from '../../support/requests.ts'

/** A master that answers everything with its name; notes for whom it was asked what. */
class Master {
  readonly name = 'a'
  readonly asked: string[] = []
  up = true
  away = false

  isAway(): boolean {
    return this.away
  }

  refusal(): typeof OVERLOADED {
    return OVERLOADED
  }

  send(sessionId: number, _lane: Lane, frame: Frame, sink: ReplySink, ticket: number): void {
    const { bytes, frameStart, frameEnd } = frame
    this.asked.push(`${sessionId} ${bytes.toString('latin1', frameStart, frameEnd)}`)
    sink.reply(ticket, latin1('+master\r\n'), 0, 9, true)
  }
}

describe('Reader', () => {
  const lane = new Lanes(() => {}).first
  const now: ReadingNow = { session: undefined, certainty: undefined, keyCount: 0 }
  let master: Master
  let set: ReplicaSet
  let reader: Reader
  let replies: string[]

  beforeEach(() => {
    now.session = undefined
    master = new Master()
    set = new ReplicaSet({ name: 'a', now: () => 0, logger: SILENT })
    reader = readerOf(set)
    replies = []
  })

  function readerOf(of: ReplicaSet): Reader {
    const settings = {
      master: master as unknown as Shard,
      set: of,
      policy: 'prefer-replica' as const,
      zone: undefined,
      readAfterWriteMs: 1000,
      requestTimeoutMs: 1000,
      now: () => 0,
    }
    return new Reader(settings, now)
  }

  function session(sessionId: number): SessionReads {
    const replied = { settled: () => {} }
    const options = { replied, inFlight: () => 0, isClosed: () => false, now: () => 0 }
    return new SessionReads({ sessionId, ...options })
  }

  const sink: ReplySink = {
    reply: (ticket, bytes, start, end) => {
      replies.push(`${ticket} ${bytes.toString('latin1', start, end)}`)
    },
    failed: () => {},
  }

  function read(): void {
    const bytes = encodeRequest('GET', 'k')
    const frame = { bytes, frameStart: 0, frameEnd: bytes.length, owned: true }
    reader.send(0, lane, frame, sink, 5)
  }

  it('reads for the session whose request is under way', () => {
    now.session = session(3)
    read()
    now.session = session(4)
    read()
    expect(master.asked.map((text) => text[0])).to.deep.equal(['3', '4'])
    expect(replies).to.deep.equal(['5 +master\r\n', '5 +master\r\n'])
  })

  it('reads for nobody when nobody has said for whom', () => {
    expect(read).to.throw('nobody has said whose read this is')
  })

  it('keeps one line for each session and each set of replicas', () => {
    const one = session(3)
    now.session = one
    read()
    const line = one.lines.get(set)
    read()
    expect(one.lines.get(set)).to.equal(line)
    const otherSet = new ReplicaSet({ name: 'b', now: () => 0, logger: SILENT })
    reader = readerOf(otherSet)
    read()
    expect(one.lines.get(otherSet)).to.not.equal(line)
    expect(one.lines.get(set)).to.equal(line)
    const other = session(4)
    now.session = other
    read()
    expect(other.lines.get(otherSet)).to.not.equal(one.lines.get(otherSet))
  })

  it('makes of a fragment a request of its own', () => {
    now.session = session(3)
    const groupOf = Int32Array.from([0, 1, 0])
    const request = requestOf('MGET', 'k1', 'k2', 'k3')
    const fragment = { request, stride: 1, groupOf, index: 0, keyCount: 2, firstKey: 0 }
    reader.sendFragment(0, lane, fragment, sink, 6)
    const sent = encodeRequest('MGET', 'k1', 'k3').toString('latin1')
    expect(master.asked).to.deep.equal([`3 ${sent}`])
    expect(replies).to.deep.equal(['6 +master\r\n'])
  })

  it('is up while the master or a replica is, and away when both are not there', () => {
    const [replica] = fakeReplica()
    set.use([replica])
    master.up = false
    master.away = true
    expect([reader.up, reader.isAway(lane, 1)]).to.deep.equal([false, true])
    set.heard(replica, WELL)
    expect([reader.up, reader.isAway(lane, 1)]).to.deep.equal([true, false])
    set.unheard(replica, 'it does not answer')
    master.up = true
    master.away = false
    expect([reader.up, reader.isAway(lane, 1)]).to.deep.equal([true, false])
  })

  it('refuses in the words of the master', () => {
    expect([reader.name, reader.refusal()]).to.deep.equal(['a', OVERLOADED])
  })
})
