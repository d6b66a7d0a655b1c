/**
 * KEYS, FLUSHALL and FLUSHDB over masters whose slots move: a key that goes from a master which has not answered yet
 * to one that has would be missed. So all are asked once more as long as slots have come to a master
 * meanwhile (see scan-round.ts), and a key that two masters have named is named once.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import { type Failure, READS_OVERLOADED } from '../../failures.ts'
import { EVERY_KEY_ROUNDS_MAX, SCAN_LOOK_MS, SCAN_LOOKS_MAX } from '../../limits.ts'
import { KeptRequest } from '../../resp/kept-request.ts'
import { isError } from '../../resp/reply-reader.ts'
import { mergeDistinct } from '../../routing/merge/merge-pubsub.ts'
import {
  firstRound,
  type LineOf,
  lacksOwner,
  nextRound,
  type Round,
} from '../../routing/scan-round.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from '../core/client.ts'
import type { SpecialCommand, SpecialCommands } from '../core/dispatcher.ts'
import { mergeOf } from '../core/finish.ts'
import type { Sender } from '../core/sender.ts'
import { askHoldings } from './holdings.ts'

/** `all`: sends to all databases, wherever they are. */
export function everyKeyCommands(sender: Sender, all: Sender): SpecialCommands {
  const command = everyKeyOver(sender)
  return {
    ...(command && { keys: command, flushdb: command }),
    ...flushAll(sender, all),
  }
}

function flushAll(sender: Sender, all: Sender): SpecialCommands {
  const flushall = everyKeyOver(all)
  if (flushall !== undefined) return { flushall }
  if (all === sender) return {}
  return { flushall: (client, request, row) => all.dispatch(client, request, row) }
}

/** Undefined where no place moves: the sender's own way will do. */
function everyKeyOver(sender: Sender): SpecialCommand | undefined {
  const { moving } = sender
  if (moving === undefined) return undefined
  const lookAgain = () => moving.lookAgain()
  return (client, request, row) => {
    const { session } = client
    // No other request of the client is under way with it, as with all commands for all masters.
    if (session.inFlight > 0) session.defer(request)
    else if (sender.areAllUp(client, request)) {
      new EveryKey({ sender, client, request, row, lookAgain }).begin()
    }
  }
}

interface EveryKeyOptions {
  readonly sender: Sender
  readonly client: Client
  readonly request: ScannedRequest
  readonly row: CommandRow
  readonly lookAgain: () => void
}

class EveryKey {
  readonly #options: EveryKeyOptions
  readonly #frame: Buffer
  readonly #ticket: number
  /** The merged reply so far: counted as the client's memory. */
  #reply: Buffer | undefined
  #rounds = 0
  /** How often the end of the round was looked at in vain. */
  #vainLooks = 0

  constructor(options: EveryKeyOptions) {
    this.#options = options
    const { session } = options.client
    this.#frame = new KeptRequest(options.request).bytes
    this.#ticket = session.open()
    session.hold()
  }

  begin(): void {
    this.#look((lines) => this.#ask(firstRound(lines)))
  }

  #look(done: (lines: LineOf<Shard>) => void): void {
    const { sender, client } = this.#options
    askHoldings(sender, client, (_, failure) => this.#failed(failure), this.#ticket, done)
  }

  #ask(round: Round<Shard>): void {
    const { sender, client, row } = this.#options
    this.#rounds++
    this.#vainLooks = 0
    const target = {
      reply: (_: number, bytes: Buffer, start: number, end: number): void => {
        const reply = bytes.subarray(start, end)
        if (isError(reply)) this.#end(reply)
        else if (this.#keep(reply)) this.#look((lines) => this.#endRound(round, lines))
      },
      failed: (_: number, failure: Failure): void => this.#failed(failure),
    }
    const merge = (replies: readonly Buffer[]) => this.#merged(replies)
    sender.sendFrameToAll(client, this.#frame, row.readonly, merge, target, this.#ticket)
  }

  #merged(replies: readonly Buffer[]): Buffer | undefined {
    const merge = mergeOf(this.#options.row)
    if (this.#reply === undefined || !this.#options.row.readonly) return merge(replies)
    return mergeDistinct([this.#reply, ...replies])
  }

  /** False: there is no room, and the client has been told. */
  #keep(reply: Buffer): boolean {
    const { session } = this.#options.client
    const before = this.#reply
    const hasRoom = session.collect(reply.length)
    this.#reply = hasRoom ? Buffer.from(reply) : undefined
    session.collected(before?.length ?? 0)
    if (!hasRoom) this.#failed(READS_OVERLOADED)
    return hasRoom
  }

  #endRound(round: Round<Shard>, lines: LineOf<Shard>): void {
    const { lookAgain } = this.#options
    if (lacksOwner(round, lines) && this.#vainLooks++ < SCAN_LOOKS_MAX) {
      lookAgain()
      setTimeout(() => this.#look((later) => this.#endRound(round, later)), SCAN_LOOK_MS)
      return
    }
    const next = nextRound(round, lines)
    if (next === undefined) this.#end(this.#reply as Buffer)
    else if (this.#rounds < EVERY_KEY_ROUNDS_MAX) this.#ask(next)
    else this.#failed(this.#options.sender.anyShard().errors.declined)
  }

  #end(frame: Buffer): void {
    const { session } = this.#options.client
    session.settle(this.#ticket, frame)
    this.#letGo()
  }

  #failed(failure: Failure): void {
    const { client, row } = this.#options
    // Masters may have done their parts of a write.
    const isWhole = row.readonly || this.#reply === undefined
    client.session.failed(this.#ticket, isWhole ? failure : failure.partly)
    this.#letGo()
  }

  #letGo(): void {
    const { session } = this.#options.client
    session.collected(this.#reply?.length ?? 0)
    session.release()
  }
}
