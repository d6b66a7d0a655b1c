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
  /** It is over: it has its reply, or there will be none. */
  over(read: PendingRead, answered: boolean): void
  /** Its time is up. */
  expired(read: PendingRead): void
}

export interface ReadTarget {
  readonly sink: ReplySink
  readonly ticket: number
}

/** What a server answers to everything while it has nothing to read from. */
const REFUSAL = /^(?:-|!\d+\r\n)(?:MASTERDOWN|LOADING) /
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

  /** Its bytes, as long as it is not over. */
  get frame(): Frame {
    return this.#frame
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
      const words = refusalIn(bytes, start, end)
      if (words !== undefined && this.#owner.refused(this, words)) return
      this.#hasBegun = true
    }
    if (last) this.#end(true)
    this.#target.sink.reply(this.#target.ticket, bytes, start, end, last)
  }

  /** ReplySink */
  failed(ticket: number, failure: Failure): void {
    if (this.#isOver || ticket !== this.#try) return
    // Of a reply that has begun no other server knows the rest.
    if (!this.#hasBegun && this.#owner.failed(this, failure)) return
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
