/**
 * A transaction between MULTI and EXEC, whichever way its commands are queued: its connection, what of it is
 * kept here, how many commands there are, and whether EXEC may execute them.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest } from '../../downstream/session.ts'
import type { Failure } from '../../failures.ts'
import { KeptRequest } from '../../resp/kept-request.ts'
import type { Request } from '../../resp/request.ts'
import type { Whereabouts } from '../../routing/plan.ts'
import type { Lanes } from '../../upstream/lane.ts'
import type { Client } from '../core/client.ts'
import type { LeaseTwin } from '../edge/lease-twin.ts'
import { Exec, type ExecOptions } from './exec/exec.ts'
import { EXECABORT } from './exec/slot-exec.ts'
import { KeptCommands } from './kept-commands.ts'
import { PUBLISHES } from './queueing.ts'
import type { TransactionLease } from './transaction-lease.ts'

export const QUEUED = Buffer.from('+QUEUED\r\n')

export interface TransactionOptions extends ExecOptions {
  readonly lanes: Lanes
  readonly leaseTwin: LeaseTwin
  /** Keys may have several places: the transaction is atomic on each. */
  readonly splits: boolean
  /** Why no server is given this command that manages one, although its row allows it. */
  readonly refusedSetting: (request: ScannedRequest, row: CommandRow) => Failure | undefined
}

export class Transaction {
  readonly client: Client
  readonly options: TransactionOptions
  readonly lease: TransactionLease
  readonly kept: KeptCommands
  /** Commands so far, those included that are answered here. */
  queued = 0
  /** EXEC must not execute it. */
  failed = false
  #publishPlace: number | undefined

  /** `lease`: on which keys may be watched. */
  constructor(client: Client, options: TransactionOptions, lease: TransactionLease) {
    this.client = client
    this.options = options
    this.lease = lease
    this.kept = new KeptCommands(client.session)
  }

  /** The place of the first channel that is published to, which no key has to share. */
  get publishPlace(): number | undefined {
    return this.#publishPlace
  }

  /** Valid until the next command is queued. */
  get execution(): Exec {
    return new Exec(this.client, this.options, this.kept, this.queued)
  }

  /** Where the shard's command has its keys; the sender's plan says more. */
  locate(request: ScannedRequest, row: CommandRow): Whereabouts {
    const { sender } = this.options
    if (row.name === 'unwatch') return 'none'
    const where = sender.locate(request, row)
    if (sender.shards.length === 1 || !PUBLISHES.has(row.name)) return where
    this.#publishPlace ??= sender.plan.place
    return 'none'
  }

  /** Keeps a command for a shard until that may have it. False: there is no room for it. */
  keep(request: Request, row: CommandRow): boolean {
    if (!this.kept.takeRoom(request)) return false
    const { scripts } = this.options
    const frame = new KeptRequest(request).bytes
    this.kept.early.push({ frame, script: scripts.scriptOf(request, row) })
    this.note(request, row)
    this.queued++
    this.client.session.answer(QUEUED)
    return true
  }

  /** Remembers what is learnt about scripts when EXEC has executed it, unless too much is kept for that. */
  note(request: Request, row: CommandRow): void {
    const lesson = this.options.scripts.lessonOf(request, row)
    if (lesson !== undefined && this.kept.takeRoom(request)) this.kept.lessons.push(lesson)
  }

  /** What commands that are answered here do to the connection of each shard. */
  get changes(): Buffer[] {
    return this.kept.own.flatMap(({ request, row, hasTwin }) => {
      return hasTwin ? (this.options.leaseTwin(request, row) ?? []) : []
    })
  }

  /** The client hears why its command is not queued. */
  refuse(why: Buffer | Failure): void {
    this.failed = true
    const { session } = this.client
    if (Buffer.isBuffer(why)) session.answer(why)
    else session.refuse(why)
  }

  /** EXEC of a transaction that has no command for a shard. */
  executeHere(request: ScannedRequest): void {
    this.end()
    this.execution.withoutShard(request)
  }

  /** Answers an EXEC that executes nothing; the caller ends the transaction. */
  abort(): void {
    this.client.session.answer(EXECABORT)
  }

  /** Gives up the connection and what is kept. */
  abandon(): void {
    this.lease.part()(false)
    this.kept.letGo()
  }

  end(): void {
    this.abandon()
    this.client.mode = undefined
  }

  endWith(frame: Buffer): void {
    this.client.session.answer(frame)
    this.end()
  }
}
