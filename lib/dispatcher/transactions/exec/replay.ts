/**
 * The end of a transaction in which there are commands that the ambassador answers itself: the shard
 * has executed the others, and now each of ours is executed at its place among the shard's replies.
 * All of them together are EXEC's array.
 */
import type { ScannedRequest } from '../../../downstream/session.ts'
import { errorFrame } from '../../../errors.ts'
import { ElementReader } from '../../../resp/reply-reader.ts'
import type { InHand } from '../../../stats/in-hand.ts'
import type { Client } from '../../core/client.ts'
import type { SpecialCommand } from '../../core/dispatcher.ts'
import type { Mode } from '../../core/mode.ts'
import type { OwnCommand } from '../kept-commands.ts'

/** Redis lets a transaction subscribe to channels and patterns, but not to shard channels. */
const NO_SSUBSCRIBE = errorFrame("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")

/** What the shard answers to a transaction without a command. */
export const NO_ELEMENTS = Buffer.from('*0\r\n')

/** The commands of a transaction. */
export interface Queued {
  readonly own: readonly OwnCommand[]
  /** Of all. */
  readonly count: number
  readonly execute: SpecialCommand
  readonly inHand: InHand
}

export class Replay implements Mode {
  readonly #client: Client
  readonly #replies: ElementReader
  readonly #own: readonly OwnCommand[]
  readonly #count: number
  readonly #execute: SpecialCommand
  readonly #inHand: InHand
  /** Commands that have been answered, and ours among them. */
  #answered = 0
  #executed = 0

  /** Mode */
  readonly replays = true

  /** `replies`: the shard's answer to EXEC, which never changes. */
  constructor(client: Client, replies: Buffer, { own, count, execute, inHand }: Queued) {
    this.#client = client
    this.#replies = new ElementReader(replies)
    this.#own = own
    this.#count = count
    this.#execute = execute
    this.#inHand = inHand
  }

  /** Of the shard's replies; -1 when it has executed nothing. */
  get count(): number {
    return this.#replies.count
  }

  /** The shard has executed all that was its part. */
  get isComplete(): boolean {
    const twins = this.#own.filter(({ hasTwin }) => hasTwin).length
    return this.#replies.count === this.#count - this.#own.length + twins
  }

  /**
   * Mode: gets EXEC again and again, each time when what was answered before has gone out. Nothing
   * else is handled meanwhile.
   */
  handle(request: ScannedRequest): boolean {
    const { session } = this.#client
    for (;;) {
      const command = this.#own[this.#executed]
      this.#passOn((command?.place ?? this.#count) - this.#answered)
      if (command === undefined) break
      this.#executed++
      this.#answered++
      if (command.hasTwin) this.#replies.next()
      this.#carryOut(command)
      if (session.inFlight > 0) {
        session.defer(request)
        return true
      }
    }
    this.#client.mode = undefined
    return true
  }

  refused(): void {}

  abandon(): void {}

  /** Sends the next `count` of the shard's replies. */
  #passOn(count: number): void {
    if (count === 0) return
    const start = this.#replies.end
    for (let i = 0; i < count; i++) this.#replies.next()
    this.#answered += count
    this.#client.session.answerMore(this.#replies.frame.subarray(start, this.#replies.end))
  }

  #carryOut({ request, row }: OwnCommand): void {
    const { session, subscriptions } = this.#client
    this.#inHand.begin(row.id)
    if (row.name === 'ssubscribe') session.answer(NO_SSUBSCRIBE)
    // To a subscriber it is answered otherwise.
    else if (row.name === 'ping' && subscriptions?.handle(request, row)) return
    else this.#execute(this.#client, request, row)
  }
}
