/**
 * One client's XREAD BLOCK or XREADGROUP BLOCK of streams on several shards. It reads all of them without blocking,
 * once it has looked at them, and again when a shard announces that one has changed. XREAD takes nothing, so that it
 * may be made as often as one likes. What XREADGROUP takes is pending for its consumer, whether that hears of it or not.
 */
import { type Failure, UNEXPECTED_REPLIES } from '../../../failures.ts'
import { isError } from '../../../resp/reply-reader.ts'
import type { PlaceRead } from '../../../routing/reads/cross-shard-read.ts'
import { type Doing, SeveralWait } from '../keys/several-wait.ts'
import type { WaitedKeysOptions } from '../keys/waited-keys.ts'
import { isNothing } from '../nothing.ts'
import { askPlaces, failureOf, repliesOf, type SendToPlace } from './ask-places.ts'
import {
  type BlockingRead,
  fromLast,
  readLast,
  readNothing,
  readNow,
  type Streams,
} from './read-request.ts'

export interface SeveralReadOptions extends Omit<WaitedKeysOptions, 'look'> {
  readonly read: BlockingRead
  /** It is XREADGROUP. */
  readonly isOfGroup: boolean
}

export class SeveralRead implements Doing {
  readonly #options: SeveralReadOptions
  readonly #wait: SeveralWait
  #streams: Streams
  /** What must be known before it can read: the ends of streams, or that they have the group. */
  #isPrepared = false
  /** Why the end of one of them is not known. */
  #endError: Buffer | undefined
  #hasSeen = false

  /** From now on the client's later requests wait. */
  constructor(options: SeveralReadOptions) {
    const { timeoutMs, streams } = options.read
    this.#options = options
    this.#streams = streams
    this.#wait = new SeveralWait({ ...options, look: 'XLEN', timeoutMs }, this)
  }

  begin(): void {
    const { isOfGroup } = this.#options
    const reads = isOfGroup ? readNothing(this.#streams) : readLast(this.#streams)
    if (reads.length === 0) this.#isPrepared = true
    else {
      this.#ask(reads, true, (replies) => {
        if (isOfGroup) this.#knowsGroup(replies)
        else this.#knowsEnds(reads, replies)
      })
    }
    this.#wait.begin()
  }

  #knowsGroup(replies: readonly Buffer[]): void {
    const error = replies.find(isError)
    if (error === undefined) this.#prepared()
    else this.#answer(error)
  }

  #knowsEnds(reads: readonly PlaceRead[], replies: readonly Buffer[]): void {
    this.#streams = fromLast(this.#streams, reads, replies)
    const error = replies.find(isError)
    this.#endError = error && Buffer.from(error)
    this.#prepared()
  }

  #prepared(): void {
    this.#isPrepared = true
    if (this.#hasSeen) this.#read()
  }

  /** Doing */
  seen(): void {
    this.#hasSeen = true
    if (this.#isPrepared) this.#read()
  }

  /** Doing */
  again(): void {
    this.#read()
  }

  #read(): void {
    this.#wait.busy()
    const { reads, finish } = readNow(this.#streams)
    this.#ask(reads, !this.#options.isOfGroup, (replies) => {
      const reply = finish(replies)
      if (reply === undefined) this.#fail(UNEXPECTED_REPLIES)
      else if (isNothing(reply, 0)) this.#readNothing()
      else this.#answer(reply)
    })
  }

  #readNothing(): void {
    // What cannot be looked at is not waited for.
    const error = this.#endError ?? this.#wait.keys.firstError
    if (error === undefined) this.#wait.wait()
    else this.#answer(error)
  }

  /** `heard` has the replies during the call. `mayRepeat`: reads that are lost with a connection are made once more. */
  #ask(
    reads: readonly PlaceRead[],
    mayRepeat: boolean,
    heard: (replies: readonly Buffer[]) => void,
  ): void {
    const { client, placed } = this.#options
    const { isOver, keys } = this.#wait
    if (isOver) return
    const send: SendToPlace = (frame, place, sink, ticket) => {
      const at = placed.findIndex((key) => key.place === place)
      keys.send(at, frame, sink, ticket)
    }
    askPlaces(reads, client.session, send, (collected) => {
      if (this.#wait.isOver) return
      const { error } = collected
      if (error === undefined) heard(repliesOf(collected))
      else if (error.kind === 'lost' && mayRepeat) this.#ask(reads, false, heard)
      else this.#fail(this.#options.isOfGroup ? failureOf(error, collected) : error)
    })
  }

  #answer(reply: Buffer): void {
    const { session } = this.#options.client
    const { ticket } = this.#wait
    this.#wait.finish(() => session.reply(ticket, reply, 0, reply.length, true))
  }

  #fail(failure: Failure): void {
    const { session } = this.#options.client
    this.#wait.finish(() => session.failed(this.#wait.ticket, failure))
  }
}
