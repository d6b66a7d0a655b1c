/**
 * EXEC of a transaction, from its sending to its reply: the shard executes its part, scripts that it has
 * executed are remembered, and then comes the part that is ours.
 */
import { type Failure, UNEXPECTED_REPLIES } from '../../../failures.ts'
import { arrayHeader } from '../../../resp/encode.ts'
import { KeptRequest } from '../../../resp/kept-request.ts'
import type { Request } from '../../../resp/request.ts'
import type { InHand } from '../../../stats/in-hand.ts'
import type { ReplySink } from '../../../upstream/reply-sink.ts'
import type { Client } from '../../core/client.ts'
import type { SpecialCommand } from '../../core/dispatcher.ts'
import { type Ending, endingOf } from '../../core/lease-sink.ts'
import type { Sender } from '../../core/sender.ts'
import type { Scripts } from '../../scripts/scripts.ts'
import type { KeptCommands } from '../kept-commands.ts'
import type { SlotParts } from '../split/slot-parts.ts'
import { execAll, type Outcome, type SplitExecOptions } from '../split/split-exec.ts'
import type { ExecAccount, ExecReplies } from './exec-replies.ts'
import { NO_ELEMENTS, Replay } from './replay.ts'
import { SlotExec, type Watching } from './slot-exec.ts'

export interface ExecOptions {
  readonly sender: Sender
  readonly scripts: Scripts
  /** Carries out a command as if it came outside of a transaction. */
  readonly execute: SpecialCommand
  readonly inHand: InHand
  readonly replies: ExecReplies
  /** Infinity: requests may take for ever. */
  readonly requestTimeoutMs: number
}

export class Exec {
  readonly #client: Client
  readonly #options: ExecOptions
  readonly #kept: KeptCommands
  /** Commands that were queued, there and here. */
  readonly #queued: number
  readonly account: ExecAccount

  constructor(client: Client, options: ExecOptions, kept: KeptCommands, queued: number) {
    this.#client = client
    this.#options = options
    this.#kept = kept
    this.#queued = queued
    this.account = options.replies.open()
  }

  /** The transaction has no command for a shard. */
  withoutShard(request: Request): void {
    this.#replay(request, this.#client.session.open(), NO_ELEMENTS)
  }

  /** Takes the shard's answer to EXEC, and sees to the part that is ours. */
  replySink(request: Request, ticket: number, done: (ending: Ending) => void): ReplySink {
    const exec = new KeptRequest(request)
    return this.account.collector((collected) => {
      const replies = collected.ownFrame(0)
      if (replies !== undefined) this.#replay(exec, ticket, replies)
      else this.#client.session.failed(ticket, collected.error as Failure)
      this.account.close()
      done(replies === undefined ? 'lost' : endingOf(replies, 0))
    })
  }

  /** Sends the whole transaction to the node that serves the slot. */
  sendToSlot(request: Request, slot: number, watching: Watching | undefined): void {
    const { early: queued, changesConnection } = this.#kept
    const options = { ...this.#begin(request), watching, slot, queued, changesConnection }
    new SlotExec(options).start()
  }

  /** Sends a transaction over several slots. */
  sendToSlots(request: Request, slots: SlotParts, watching: Watching | undefined): void {
    slots.exec({ ...this.#begin(request), watching })
  }

  /** Shards have queued it. */
  sendToShards(request: Request, queued: Omit<SplitExecOptions, 'done'>): void {
    execAll({ ...queued, done: this.#begin(request).done })
  }

  /** Whatever comes next waits until `done` is called. */
  #begin(request: Request) {
    const { session } = this.#client
    const { sender, scripts, requestTimeoutMs } = this.#options
    const exec = new KeptRequest(request)
    const ticket = session.open()
    session.hold()
    return {
      client: this.#client,
      sender,
      scripts,
      deadlineMs: performance.now() + requestTimeoutMs,
      account: this.account,
      done: (outcome: Outcome): void => {
        if (Buffer.isBuffer(outcome)) this.#replay(exec, ticket, outcome)
        else session.failed(ticket, outcome)
        this.account.close()
        session.release()
      },
    }
  }

  #replay(request: Request, ticket: number, replies: Buffer): void {
    const { session } = this.#client
    if (session.closed) return
    const { execute, inHand, scripts } = this.#options
    const { own, lessons } = this.#kept
    const commands = { own, count: this.#queued, execute, inHand }
    const replay = new Replay(this.#client, replies, commands)
    const isExecuted = replay.count >= 0
    if (isExecuted) for (const lesson of lessons) scripts.learn(lesson)
    if (!isExecuted || own.length === 0) {
      session.settle(ticket, replies)
    } else if (!replay.isComplete) {
      session.failed(ticket, UNEXPECTED_REPLIES)
    } else {
      session.settle(ticket, arrayHeader(this.#queued))
      this.#client.mode = replay
      session.defer(request)
    }
  }
}
