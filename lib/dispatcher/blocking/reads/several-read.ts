/**
 * One client's XREAD BLOCK of streams on several shards. It reads all of them without blocking, once it has looked
 * at them, and again when a shard announces that one has changed. A read takes nothing, so that it may be made as
 * often as one likes.
 */
import { UNEXPECTED_REPLIES } from '../../../failures.ts'
import { requestFrame } from '../../../resp/encode.ts'
import { isError } from '../../../resp/reply-reader.ts'
import type { PlaceRead } from '../../../routing/reads/cross-shard-read.ts'
import { ownFrame } from '../../../upstream/backend.ts'
import { type Collected, Collector } from '../../core/collector.ts'
import { type Doing, SeveralWait } from '../keys/several-wait.ts'
import type { WaitedKeysOptions } from '../keys/waited-keys.ts'
import { isNothing } from '../nothing.ts'
import { type BlockingRead, fromLast, readLast, readNow, type Streams } from './read-request.ts'

export interface SeveralReadOptions extends Omit<WaitedKeysOptions, 'look'> {
  readonly read: BlockingRead
}

export class SeveralRead implements Doing {
  readonly #options: SeveralReadOptions
  readonly #wait: SeveralWait
  #streams: Streams
  /** Where the streams end that are read from their end on is known. */
  #knowsEnds = false
  /** Why that of one of them is not known. */
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
    const reads = readLast(this.#streams)
    if (reads.length === 0) this.#knowsEnds = true
    else this.#ask(reads, (replies) => this.#learnedEnds(reads, replies))
    this.#wait.begin()
  }

  #learnedEnds(reads: readonly PlaceRead[], replies: readonly Buffer[]): void {
    this.#streams = fromLast(this.#streams, reads, replies)
    const error = replies.find(isError)
    this.#endError = error && Buffer.from(error)
    this.#knowsEnds = true
    if (this.#hasSeen) this.#read()
  }

  /** Doing */
  seen(): void {
    this.#hasSeen = true
    if (this.#knowsEnds) this.#read()
  }

  /** Doing */
  again(): void {
    this.#read()
  }

  #read(): void {
    this.#wait.busy()
    const { reads, finish } = readNow(this.#streams)
    this.#ask(reads, (replies) => {
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

  /** `heard` has the replies during the call. A read that is lost with its connection is made once more. */
  #ask(
    reads: readonly PlaceRead[],
    heard: (replies: readonly Buffer[]) => void,
    isAgain = false,
  ): void {
    const { client, placed } = this.#options
    const wait = this.#wait
    const finish = (collected: Collected): void => {
      if (wait.isOver) return
      const { error, count } = collected
      if (error === undefined) {
        heard(Array.from({ length: count }, (_, part) => collected.frame(part) as Buffer))
      } else if (error.kind === 'lost' && !isAgain) this.#ask(reads, heard, true)
      else this.#fail(error)
    }
    const collector = new Collector(reads.length, finish, undefined, client.session)
    for (const [part, { place, args }] of reads.entries()) {
      const at = placed.findIndex((key) => key.place === place)
      wait.keys.send(at, ownFrame(requestFrame(args)), collector, part)
    }
  }

  #answer(reply: Buffer): void {
    const { session } = this.#options.client
    const { ticket } = this.#wait
    this.#wait.finish(() => session.reply(ticket, reply, 0, reply.length, true))
  }

  #fail(failure: Parameters<SeveralWait['giveUp']>[0]): void {
    const { session } = this.#options.client
    this.#wait.finish(() => session.failed(this.#wait.ticket, failure))
  }
}
