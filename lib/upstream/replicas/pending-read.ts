/**
 * One read under way. Its bytes are kept until it is answered: when a server fails it, it goes to another
 * one, once. Nothing else is ever sent twice.
 */
import type { Failure } from '../../failures.ts'
import { type Piece, shelve, unshelve } from '../../io/shelf.ts'
import { timerMs } from '../../timer.ts'
import type { Frame } from '../backend.ts'
import type { Lane } from '../lane.ts'
import type { ReplySink } from '../reply-sink.ts'
import type { Replica } from './replica.ts'

/** Where a read goes: a replica, or the master. */
export type Source = Replica | 'master'

/** The sender of the read. */
export interface ReadOwner {
  /** The server refuses everything, in these words: the read goes elsewhere, or, if false, it does not. */
  refused(read: PendingRead, words: string): boolean
  /** There is no reply: likewise. */
  failed(read: PendingRead, failure: Failure): boolean
  /** The owner of its slot is asked whether a replica's reply holds. */
  doubted(read: PendingRead): void
  /** The owner of its slot answers in place of the replica: nothing behind it may be older than that. */
  overruled(read: PendingRead): void
  /** It is over: it has its reply, or there will be none. */
  over(read: PendingRead, answered: boolean): void
  /** Its time is up. */
  expired(read: PendingRead): void
}

export interface ReadTarget {
  readonly sink: ReplySink
  readonly ticket: number
  /** Undefined: its keys stay where they are. */
  readonly moving?: MovingRead | undefined
}

/**
 * A read of a slot of a cluster. While the slot moves, a replica of its old owner takes a key for missing that has
 * gone already, and no replica tells. So a reply that may be of a missing key holds only if the slot did not move:
 * whoever has the slot is asked the same, and nobody redirects.
 */
export interface MovingRead {
  /** A replica needs all that its master had at this moment of the turn's clock. */
  readonly floorMs: number
  /** Something has just happened to the slot: it is read where it is. */
  readonly isUnsettled: boolean
  /** Sends to whoever has the slot. */
  toMaster(lane: Lane, frame: Frame, sink: ReplySink, ticket: number): void
  /** Whether the reply says that its keys were there. */
  isCertain(bytes: Buffer, start: number, end: number): boolean
  /** Something has happened to the slot since the read began. */
  hasMoved(): boolean
}

/** What a server answers to everything while it has nothing to read from. */
const REFUSAL = /^(?:-|!\d+\r\n)(?:MASTERDOWN|LOADING|CLUSTERDOWN) /
/** Longer than the beginning of one. */
const REFUSAL_BYTES = 32
const MINUS = 0x2d
const BANG = 0x21

export class PendingRead implements ReplySink {
  readonly lane: Lane
  readonly startedMs: number
  /** Where it is under way; undefined while it waits. */
  source: Source | undefined
  /** The server that has failed it. */
  tried: Source | undefined
  /** It is among those for which writes of its session wait. */
  isCounted = false
  readonly #owner: ReadOwner
  readonly #target: ReadTarget
  readonly #piece: Piece | undefined
  readonly #frame: Frame
  /** Of the try whose reply counts. */
  #try = 0
  #hasBegun = false
  #isOver = false
  /** What a replica has said and the slot's owner is asked about. */
  #doubted: Buffer | undefined
  /** The question about that was lost, and is asked once more. */
  #isAskedAgain = false
  #timer: NodeJS.Timeout | undefined

  constructor(owner: ReadOwner, lane: Lane, frame: Frame, target: ReadTarget, startedMs: number) {
    this.lane = lane
    this.startedMs = startedMs
    this.#owner = owner
    this.#target = target
    const { bytes, frameStart, frameEnd, owned } = frame
    this.#piece = owned ? undefined : shelve(bytes, frameStart, frameEnd)
    // The frame may be the scanner, which says something else with the next request; its owned bytes stay.
    this.#frame =
      this.#piece === undefined ? { bytes, frameStart, frameEnd, owned } : keptFrame(this.#piece)
  }

  get moving(): MovingRead | undefined {
    return this.#target.moving
  }

  /** Its bytes, as long as it is not over. */
  get frame(): Frame {
    return this.#frame
  }

  /** It goes there next. */
  goesTo(source: Source): void {
    this.source = source
    this.#doubted = undefined
  }

  /** For the next try; replies to those before do not count any more. */
  nextTicket(): number {
    return ++this.#try
  }

  /** It is over after so long, unless it is over before. */
  limit(leftMs: number): void {
    if (this.#timer !== undefined || !Number.isFinite(leftMs)) return
    this.#timer = setTimeout(() => this.#owner.expired(this), timerMs(Math.max(0, leftMs)))
    this.#timer.unref()
  }

  /** ReplySink */
  reply(ticket: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.#isOver || ticket !== this.#try) return
    if (!this.#hasBegun) {
      if (this.#answersDoubt()) return
      const words = refusalIn(bytes, start, end)
      if (words !== undefined && this.#owner.refused(this, words)) return
      if (this.#doubts(bytes, start, end, last)) return
      this.#hasBegun = true
    }
    if (last) this.#end(true)
    this.#target.sink.reply(this.#target.ticket, bytes, start, end, last)
  }

  /** Whether the reply, of a replica, holds only if the slot did not move. Then its owner is asked. */
  #doubts(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    const { moving } = this.#target
    if (moving === undefined || this.source === 'master') return false
    if (moving.isCertain(bytes, start, end)) return false
    if (!last || bytes[start] === MINUS) {
      this.#owner.overruled(this)
      return true
    }
    this.#doubted = Buffer.from(bytes.subarray(start, end))
    this.#owner.doubted(this)
    this.#ask(moving)
    return true
  }

  #ask(moving: MovingRead): void {
    moving.toMaster(this.lane, this.#frame, this, this.nextTicket())
  }

  /** A reply of the slot's owner begins. Whether that of the replica was right, and is the answer. */
  #answersDoubt(): boolean {
    const doubted = this.#doubted
    if (doubted === undefined) return false
    this.#doubted = undefined
    if (this.#target.moving?.hasMoved()) {
      this.source = 'master'
      return false
    }
    this.#end(true)
    this.#target.sink.reply(this.#target.ticket, doubted, 0, doubted.length, true)
    return true
  }

  /** ReplySink */
  failed(ticket: number, failure: Failure): void {
    if (this.#isOver || ticket !== this.#try) return
    const { moving } = this.#target
    if (this.#doubted !== undefined && moving !== undefined && failure.kind === 'lost') {
      if (!this.#isAskedAgain) {
        this.#isAskedAgain = true
        this.#ask(moving)
        return
      }
    }
    // Of a reply that has begun no other server knows the rest; and whoever has the slot has been looked for.
    const mayGoOn = !this.#hasBegun && this.#doubted === undefined
    if (mayGoOn && this.#owner.failed(this, failure)) return
    this.fail(failure)
  }

  /** There will be no reply. */
  fail(failure: Failure): void {
    if (this.#isOver) return
    this.#end(false)
    this.#target.sink.failed(this.#target.ticket, failure)
  }

  #end(answered: boolean): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    if (this.#piece !== undefined) unshelve(this.#piece)
    this.#owner.over(this, answered)
  }
}

/** Copied when it is sent: the piece goes back before that may be over. */
function keptFrame({ chunk, start, end }: Piece): Frame {
  return { bytes: chunk.bytes, frameStart: start, frameEnd: end, owned: false }
}

function refusalIn(bytes: Buffer, start: number, end: number): string | undefined {
  if (bytes[start] !== MINUS && bytes[start] !== BANG) return undefined
  const text = bytes.toString('latin1', start, Math.min(end, start + REFUSAL_BYTES))
  return REFUSAL.test(text) ? (/[A-Z]+/.exec(text)?.[0] ?? '') : undefined
}
