/**
 * One client's XREAD BLOCK of streams on several shards: each shard is asked to wait for its own streams. When
 * one of them has something, the others are told to wait no longer (CLIENT UNBLOCK), and what they have by
 * then comes into the same reply. A read takes nothing, so that none is lost by it.
 */
import type { Session } from '../../downstream/session.ts'
import type { Failure } from '../../failures.ts'
import { nullArrayFrame, requestFrame } from '../../resp/encode.ts'
import { isRefusal } from '../../resp/refusal.ts'
import { ownFrame } from '../../upstream/backend.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { LeasePool } from '../../upstream/leases/lease-pool.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Blocked, Client, UnblockReason } from '../core/client.ts'
import { Collector } from '../core/collector.ts'
import { isNothing } from './pops/pop-request.ts'
import { unblockedFrame } from './unblocked.ts'

export interface ReadPartOptions {
  readonly shard: Shard
  readonly pool: LeasePool
  readonly lease: ShardConnection
  /** The request of the part, which nobody changes. */
  readonly frame: Buffer
}

/** What one shard is asked for, and the connection that waits for it. */
export class ReadPart {
  readonly #options: ReadPartOptions
  /** It has its reply, or there will be none. */
  isAnswered = false
  /** It has been told to wait no longer, and that has not been answered. */
  #isCallingOff = false
  /** It has been told so. */
  isCalledOff = false
  #isGivenBack = false

  constructor(options: ReadPartOptions) {
    this.#options = options
  }

  get shard(): Shard {
    return this.#options.shard
  }

  /** `ms`: how long the client waits. */
  send(sink: ReplySink, part: number, ms: number): void {
    const { lease, frame } = this.#options
    lease.send(sink, part, frame, 0, frame.length, true, ms + lease.requestTimeoutMs)
  }

  callOff({ session, lane }: Client): void {
    if (this.isAnswered || this.isCalledOff) return
    this.isCalledOff = true
    const { shard, lease } = this.#options
    const id = lease.shardClientId
    if (id === undefined) {
      this.giveBack(false)
      return
    }
    this.#isCallingOff = true
    const told = (isDone: boolean): void => {
      this.#isCallingOff = false
      if (!isDone) this.giveBack(false)
      else if (this.isAnswered) this.giveBack(true)
    }
    const sink: ReplySink = {
      reply: (_ticket, bytes, start) => told(!isRefusal(bytes, start)),
      failed: () => told(false),
    }
    shard.send(session.id, lane, ownFrame(requestFrame(['CLIENT', 'UNBLOCK', id])), sink, 0)
  }

  /** It has its reply. Whoever unblocks it late must not meet the next request of the connection. */
  answered(): void {
    this.isAnswered = true
    if (!this.#isCallingOff) this.giveBack(true)
  }

  /** `clean`: it owes nothing. */
  giveBack(clean: boolean): void {
    if (this.#isGivenBack) return
    this.#isGivenBack = true
    this.#options.pool.giveBack(this.#options.lease, clean)
  }
}

export class SeveralReads implements Blocked, ReplySink {
  readonly shard: Shard
  unblocked = false
  readonly #client: Client
  readonly #session: Session
  readonly #parts: readonly ReadPart[]
  readonly #ticket: number
  readonly #collector: Collector
  readonly #nothing: Buffer
  /** Part of the reply of the part has come. */
  readonly #begun = new Set<number>()
  #cut: { readonly answer: Buffer; readonly done: (cutShort: boolean) => void } | undefined
  #isOver = false

  /** From now on the client's later requests wait. `finish`: makes one reply of those to the parts. */
  constructor(
    client: Client,
    parts: readonly ReadPart[],
    finish: (replies: readonly Buffer[]) => Buffer | undefined,
  ) {
    const { session } = client
    this.#client = client
    this.#session = session
    this.#parts = parts
    this.shard = (parts[0] as ReadPart).shard
    this.#nothing = nullArrayFrame(client.lane.protocol)
    this.#ticket = session.open()
    session.untime(this.#ticket)
    this.#collector = new Collector(
      parts.length,
      (collected) => {
        const replies = parts.map((_, part) => collected.frame(part) ?? this.#nothing)
        const reply = collected.error ?? finish(replies) ?? this.#nothing
        this.#end(reply instanceof Buffer ? Buffer.from(reply) : reply)
      },
      undefined,
      session,
    )
    client.blocked = this
    session.hold(true)
  }

  begin(ms: number): void {
    for (const [at, part] of this.#parts.entries()) if (!this.#isOver) part.send(this, at, ms)
  }

  /** ReplySink */
  reply(at: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const part = this.#parts[at] as ReadPart
    if (last) part.answered()
    if (this.#isOver) return
    const isNews = !this.#begun.has(at) && !isNothing(bytes, start)
    this.#begun.add(at)
    if (isNews) this.#callOff()
    if (!this.#isOver) this.#collector.reply(at, bytes, start, end, last)
  }

  /** ReplySink */
  failed(at: number, error: Failure): void {
    const part = this.#parts[at] as ReadPart
    part.isAnswered = true
    part.giveBack(false)
    if (this.#isOver) return
    if (part.isCalledOff && !this.#begun.has(at)) {
      this.#collector.reply(at, this.#nothing, 0, this.#nothing.length, true)
    } else {
      this.#end(error)
    }
  }

  #callOff(): void {
    for (const part of this.#parts) if (!this.#isOver) part.callOff(this.#client)
  }

  /** Blocked: several shards know one each. */
  shardClientId(): undefined {
    return undefined
  }

  /** Blocked */
  cutShort(reason: UnblockReason, done: (cutShort: boolean) => void): void {
    if (this.#cut !== undefined) {
      done(false)
      return
    }
    this.#cut = { answer: unblockedFrame(reason, this.#client.lane.protocol), done }
    this.#callOff()
  }

  /** Blocked */
  abandon(): void {
    this.#isOver = true
    for (const part of this.#parts) if (!part.isAnswered) part.giveBack(false)
  }

  #end(answer: Buffer | Failure): void {
    this.abandon()
    const session = this.#session
    const ticket = this.#ticket
    this.#client.blocked = undefined
    const isCut = this.#cut !== undefined && Buffer.isBuffer(answer) && isNothing(answer, 0)
    if (isCut) session.settle(ticket, this.#cut?.answer as Buffer)
    else if (Buffer.isBuffer(answer)) session.reply(ticket, answer, 0, answer.length, true)
    else session.failed(ticket, answer)
    session.release()
    this.#cut?.done(isCut)
  }
}
