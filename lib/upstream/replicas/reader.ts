/**
 * A shard for requests that only read: stands before it and its replicas, and chooses for each read. Made
 * for configurations that read from replicas; all others send to the shard itself.
 */
import type { Failure, ShardFailures } from '../../failures.ts'
import { type Backend, type Fragment, type Frame, ownFrame } from '../backend.ts'
import { type Appendable, encodeFragment } from '../fragment.ts'
import type { Lane } from '../lane.ts'
import type { ReplySink } from '../reply-sink.ts'
import type { MovingRead } from './pending-read.ts'
import { ReadLine, type ReadSettings } from './read-line.ts'
import type { SessionReads } from './session-reads.ts'

/** Whose request is under way; set before anything is sent through a reader, in the same call. */
export interface ReadingNow {
  session: SessionReads | undefined
  /** Recognises replies that say that the keys of the request were there; undefined: none is recognised. */
  certainty: Certainty | undefined
  /** Keys of the request that all have one place. */
  keyCount: number
}

/** Whether the reply, or its beginning, says that all `keyCount` keys of its request were there. */
export type Certainty = (bytes: Buffer, start: number, end: number, keyCount: number) => boolean

export class Reader implements Backend {
  readonly name: string
  readonly #settings: ReadSettings
  readonly #now: ReadingNow

  constructor(settings: ReadSettings, now: ReadingNow) {
    this.name = settings.master.name
    this.#settings = settings
    this.#now = now
  }

  /** Backend */
  send(_sessionId: number, lane: Lane, frame: Frame, sink: ReplySink, ticket: number): void {
    this.#line().read(this.#settings, lane, frame, { sink, ticket })
  }

  /** As `send`, of a read of a slot. */
  sendMoving(moving: MovingRead, lane: Lane, frame: Frame, sink: ReplySink, ticket: number): void {
    this.#line().read(this.#settings, lane, frame, { sink, ticket, moving })
  }

  /** Backend */
  sendFragment(
    sessionId: number,
    lane: Lane,
    fragment: Fragment,
    sink: ReplySink,
    ticket: number,
  ): void {
    this.send(sessionId, lane, keptFragment(fragment), sink, ticket)
  }

  get up(): boolean {
    const { master, set } = this.#settings
    return master.up || set.serving > 0
  }

  /** Whether a read of the session would fail at once, unsent. */
  isAway(lane: Lane, sessionId: number): boolean {
    const { master, set } = this.#settings
    return set.serving === 0 && master.isAway(lane, sessionId)
  }

  get errors(): ShardFailures {
    return this.#settings.master.errors
  }

  refusal(): Failure {
    return this.#settings.master.refusal()
  }

  #line(): ReadLine {
    const { session } = this.#now
    if (session === undefined) throw new Error('nobody has said whose read this is')
    const { set } = this.#settings
    let line = session.lines.get(set)
    if (line === undefined) {
      line = new ReadLine(session, this.#settings)
      session.lines.set(set, line)
    }
    return line
  }
}

/** A fragment as a frame of its own, which is kept until it is answered. */
export function keptFragment(fragment: Fragment): Frame {
  const bytes = new CollectedBytes()
  encodeFragment(bytes, fragment)
  return ownFrame(bytes.whole())
}

/** Copies what is appended. */
class CollectedBytes implements Appendable {
  readonly #parts: Buffer[] = []

  append(bytes: Uint8Array, start: number, end: number): void {
    this.#parts.push(Buffer.from(bytes.subarray(start, end)))
  }

  whole(): Buffer {
    return Buffer.concat(this.#parts)
  }
}
