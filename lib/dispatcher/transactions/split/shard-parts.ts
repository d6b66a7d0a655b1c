/**
 * The parts of a transaction on other shards than its first, where places stay where they are: each shard
 * has a lease of its own, which queues the commands of its keys as they come.
 */
import type { CommandRow } from '../../../commands/row.ts'
import { TOO_MANY_PLACES } from '../../../failures.ts'
import { TRANSACTION_PARTS_MAX } from '../../../limits.ts'
import { requestFrame } from '../../../resp/encode.ts'
import { isError } from '../../../resp/reply-reader.ts'
import type { Request } from '../../../resp/request.ts'
import type { ShardConnection } from '../../../upstream/connection/connection.ts'
import type { LeasePool } from '../../../upstream/leases/lease-pool.ts'
import type { Shard } from '../../../upstream/shard.ts'
import { takeLease } from '../../blocking/blocking.ts'
import type { Client } from '../../core/client.ts'
import { Collector } from '../../core/collector.ts'
import { ClientReply, OwnReply } from '../../core/lease-sink.ts'
import type { Sender } from '../../core/sender.ts'
import type { Script } from '../../scripts/script-cache.ts'
import type { Scripts } from '../../scripts/scripts.ts'
import type { ExecAccount } from '../exec/exec-replies.ts'
import { ExecOrder } from './exec-order.ts'
import { fragmentsOf } from './fragments.ts'
import { discardPart, LeasedPart } from './leased-part.ts'

const MULTI = requestFrame(['MULTI'])
/** Of memory that a queued command takes here: its number in the order of all. */
const COMMAND_BYTES = 8

interface Part {
  readonly shard: Shard
  readonly lease: ShardConnection
  readonly giveBack: (clean: boolean) => void
  /** The shard's error, when it does not let us use MULTI; then nothing has been sent behind it. */
  refusal: Buffer | undefined
}

export interface ShardPartsOptions {
  readonly client: Client
  readonly sender: Sender
  readonly scripts: Scripts
  /** Where the transaction has begun. */
  readonly first: { readonly place: number; readonly shard: Shard; readonly lease: ShardConnection }
  /** The number of commands that are queued there. */
  readonly queued: number
  /** Those of them that change the connection, so that every other has to execute them too. */
  readonly changes: readonly Buffer[]
}

export class ShardParts {
  readonly #options: ShardPartsOptions
  readonly #order = new ExecOrder()
  /** Without the first. */
  #parts: Part[] = []
  /** By place, the first part's included. */
  readonly #numbers = new Map<number, number>()
  readonly #changes: Buffer[]
  /** Some shard has not queued something. */
  #failed = false
  /** A shard has refused a MULTI that used to work: it may have executed what was behind it. */
  #unqueued = false
  /** Answers to requests of our own for which the next request waits. */
  #awaited = 0
  /** Bytes that are kept here, beside those that the client's account has. */
  #keptBytes = 0

  constructor(options: ShardPartsOptions) {
    this.#options = options
    this.#changes = [...options.changes]
    this.#order.addPart(0)
    for (let i = 0; i < options.queued; i++) this.#order.add(0)
    this.#numbers.set(options.first.place, 0)
  }

  get failed(): boolean {
    return this.#failed || this.#parts.some(({ lease }) => !isUsable(lease))
  }

  get unqueued(): boolean {
    return this.#unqueued
  }

  /** Whether the first part has the place as well: then the command goes the first part's own way. */
  isFirst(place: number): boolean {
    if (!this.#numbers.has(place) && this.#shardAt(place) === this.#options.first.shard)
      this.#numbers.set(place, 0)
    return this.#numbers.get(place) === 0
  }

  /** The first part queues the next command. */
  addFirst(): void {
    this.#order.add(0)
    this.#keep(COMMAND_BYTES)
  }

  /** The next command changes connections: the first part's is told by others. */
  addChange(frame: Buffer): void {
    this.#changes.push(frame)
    this.#order.addEverywhere()
    this.#keep(frame.length)
    for (const part of this.#parts) this.#sendOwn(part, frame)
  }

  /**
   * The shard of the place queues the request, or the client hears why not. False: it is deferred, or not
   * queued.
   */
  queue(request: Request, row: CommandRow, place: number): boolean {
    const number = this.#partFor(request, place)
    if (number === undefined) return false
    const { session } = this.#options.client
    const part = this.#parts[number - 1] as Part
    this.#loadScript(part, this.#options.scripts.scriptOf(request, row))
    this.#order.add(number)
    this.#keep(COMMAND_BYTES)
    const sink = new ClientReply(session, session.open(), (ending) => {
      if (ending !== 'done') this.#failed = true
    })
    part.lease.send(sink, 0, request.bytes, request.frameStart, request.frameEnd, false)
    return true
  }

  /** As `queue`, for a split command that was located last. */
  queueSplit(request: Request, row: CommandRow): boolean {
    const { sender, client, first } = this.#options
    const { frames, joining, bytes } = fragmentsOf(request, row, sender.plan)
    const numbers: number[] = []
    for (const { place } of frames) {
      const number = this.isFirst(place) ? 0 : this.#partFor(request, place)
      if (number === undefined) return false
      numbers.push(number)
    }
    this.#order.addSplit(numbers, joining)
    this.#keep(COMMAND_BYTES * frames.length + bytes)
    const sink = this.#queuedByAll(frames.length, client.session.open())
    for (const [fragment, { frame }] of frames.entries()) {
      const number = numbers[fragment] as number
      const { lease } = number === 0 ? first : (this.#parts[number - 1] as Part)
      lease.send(sink, fragment, frame, 0, frame.length, true)
    }
    return true
  }

  /** The client hears QUEUED once. */
  #queuedByAll(count: number, ticket: number): Collector {
    const { session } = this.#options.client
    return new Collector(count, (collected) => {
      const replies = Array.from({ length: count }, (_, part) => collected.frame(part))
      const error = replies.find((reply) => reply !== undefined && isError(reply))
      if (collected.error !== undefined || error !== undefined) this.#failed = true
      if (collected.error !== undefined) session.failed(ticket, collected.error)
      else session.settle(ticket, Buffer.from(error ?? (replies[0] as Buffer)))
    })
  }

  /** The number of the part that may be sent a request now; else it is deferred or refused. */
  #partFor(request: Request, place: number): number | undefined {
    const { session } = this.#options.client
    const number = this.#numbers.get(place) ?? this.#open(place)
    const part = number === undefined ? undefined : this.#parts[number - 1]
    if (part === undefined || !isUsable(part.lease) || part.refusal !== undefined) {
      this.#failed = true
      if (part?.refusal !== undefined) session.answer(part.refusal)
      else if (part !== undefined) session.refuse(part.shard.refusal())
    } else if (this.#awaited > 0) {
      session.defer(request)
    } else {
      return number
    }
    return undefined
  }

  #open(place: number): number | undefined {
    const { client } = this.#options
    const shard = this.#shardAt(place)
    const known = this.#parts.findIndex((part) => part.shard === shard)
    if (known >= 0) {
      this.#numbers.set(place, known + 1)
      return known + 1
    }
    const pool = shard.leases(client.lane)
    if (this.#parts.length + 1 >= TRANSACTION_PARTS_MAX) {
      client.session.refuse(TOO_MANY_PLACES)
      return undefined
    }
    const lease = takeLease(client, shard, pool, false)
    if (lease === undefined) return undefined
    const giveBack = (clean: boolean): void => {
      pool.giveBack(lease, clean && this.#changes.length === 0)
    }
    const part: Part = { shard, lease, giveBack, refusal: undefined }
    this.#parts.push(part)
    const number = this.#order.addPart(this.#changes.length)
    this.#numbers.set(place, number)
    this.#begin(part, pool)
    return number
  }

  /** Behind a MULTI that a shard refuses, commands would be executed: the first time they wait for it. */
  #begin(part: Part, pool: LeasePool): void {
    const isTried = pool.takesMulti
    if (!isTried) this.#await()
    this.#sendOwn(part, MULTI, (succeeded, error) => {
      pool.takesMulti = succeeded
      if (!succeeded && isTried && error !== undefined) this.#unqueued = true
      if (isTried) return
      part.refusal = error
      if (succeeded) for (const frame of this.#changes) this.#sendOwn(part, frame)
      this.#answered()
    })
    if (isTried) for (const frame of this.#changes) this.#sendOwn(part, frame)
  }

  /** As in a transaction on one shard: SCRIPT LOAD would be queued, so it goes over the shared connection. */
  #loadScript({ shard }: Part, script: Script | undefined): void {
    const { client, scripts } = this.#options
    if (script === undefined) return
    const shared = shard.connectionFor(client.lane, client.session.id)
    if (script.isLoaded(shared)) return
    this.#await()
    scripts.load(shared, script, () => this.#answered())
  }

  #await(): void {
    if (this.#awaited++ === 0) this.#options.client.session.hold()
  }

  #answered(): void {
    if (--this.#awaited === 0) this.#options.client.session.release()
  }

  #sendOwn(part: Part, frame: Buffer, done?: (succeeded: boolean, error?: Buffer) => void): void {
    const sink = new OwnReply((succeeded, error) => {
      if (!succeeded) this.#failed = true
      done?.(succeeded, error)
    })
    part.lease.send(sink, 0, frame, 0, frame.length, true)
  }

  #shardAt(place: number): Shard {
    return this.#options.sender.topology.shardAt(place)
  }

  #keep(bytes: number): void {
    this.#keptBytes += bytes
    this.#options.client.session.keptBytes += bytes
  }

  /** Gives the parts to the caller, which sends EXEC. */
  handOver(account: ExecAccount): readonly LeasedPart[] {
    return this.#takeParts().map(({ lease, giveBack }) => new LeasedPart(account, lease, giveBack))
  }

  readonly merge = (replies: readonly Buffer[]): Buffer | undefined => this.#order.merge(replies)

  /** The shards forget it, and the connections serve others then. */
  discard(): void {
    for (const { lease, giveBack } of this.#takeParts()) discardPart(lease, giveBack)
  }

  /** The client is gone. */
  abandon(): void {
    for (const { giveBack } of this.#takeParts()) giveBack(false)
  }

  #takeParts(): readonly Part[] {
    const parts = this.#parts
    this.#parts = []
    this.#options.client.session.keptBytes -= this.#keptBytes
    this.#keptBytes = 0
    return parts
  }
}

function isUsable({ state }: ShardConnection): boolean {
  return state === 'ready' || state === 'connecting'
}
