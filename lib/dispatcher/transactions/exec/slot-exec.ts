/**
 * A transaction on a slot of a cluster, at the moment of its EXEC: all of it goes out at once, so that it
 * can go again elsewhere when a node refuses a part of it, for then nothing of it has been executed. With
 * watched keys it cannot: they may have changed on their way.
 */
import { errorFrame } from '../../../errors.ts'
import { type Failure, OVERLOADED, UNEXPECTED_REPLIES } from '../../../failures.ts'
import type { MovingPlaces } from '../../../pool/router/moving-places.ts'
import { MINUS } from '../../../resp/bytes.ts'
import { nullArrayFrame, requestFrame } from '../../../resp/encode.ts'
import { isError } from '../../../resp/reply-reader.ts'
import type { RefusalLine } from '../../../routing/refusal-line.ts'
import { type ShardConnection, UNHEARD } from '../../../upstream/connection/connection.ts'
import type { LeasePool } from '../../../upstream/leases/lease-pool.ts'
import type { ReplySink } from '../../../upstream/reply-sink.ts'
import { ASKING, type Shard } from '../../../upstream/shard.ts'
import type { Client } from '../../core/client.ts'
import { type Collected, Collector } from '../../core/collector.ts'
import { endingOf, OwnReply } from '../../core/lease-sink.ts'
import type { Sender } from '../../core/sender.ts'
import { SlotAttempts } from '../../core/slot-attempts.ts'
import type { Scripts } from '../../scripts/scripts.ts'
import type { EarlyCommand } from '../kept-commands.ts'
import type { Outcome, QueuedPart } from '../split/split-exec.ts'
import type { ExecAccount } from './exec-replies.ts'

/** Redis's words for EXEC after an error while queueing. */
export const EXECABORT = errorFrame('EXECABORT Transaction discarded because of previous errors.')

const MULTI = requestFrame(['MULTI'])
const EXEC = requestFrame(['EXEC'])
const DISCARD = requestFrame(['DISCARD'])

/** The connection on which keys are watched. */
export interface Watching {
  readonly shard: Shard
  readonly lease: ShardConnection
  /** As in LeasePool. */
  readonly giveBack: (clean: boolean) => void
}

export interface SlotExecOptions {
  readonly client: Client
  readonly sender: Sender
  readonly scripts: Scripts
  readonly slot: number
  readonly queued: readonly EarlyCommand[]
  /** One of them changes the connection itself, which must not serve another client after that. */
  readonly changesConnection: boolean
  /** Undefined: no key is watched. */
  readonly watching: Watching | undefined
  readonly deadlineMs: number
  readonly account: ExecAccount
  /** The node has queued everything, and EXEC is up to the caller. Undefined: it follows at once. */
  readonly ready?: () => void
  /** Gets EXEC's reply, which never changes, or the failure. */
  readonly done: (outcome: Outcome) => void
}

export class SlotExec implements QueuedPart {
  readonly #options: SlotExecOptions
  readonly #attempts: SlotAttempts
  /** Of the attempt under way. */
  #giveBack: (clean: boolean) => void = () => {}
  #lease: ShardConnection | undefined
  #refusal: RefusalLine | undefined
  #done: (outcome: Outcome) => void
  /** EXEC need not wait for the caller. */
  #isDue: boolean
  #isReady = false
  /** The caller wants none of it any more. */
  #isOver = false

  constructor(options: SlotExecOptions) {
    this.#options = options
    this.#done = options.done
    this.#isDue = options.ready === undefined
    const { client, sender, slot, deadlineMs } = options
    this.#attempts = new SlotAttempts({
      places: sender.moving as MovingPlaces,
      client,
      slot,
      deadlineMs,
      go: (node, asking) => this.#go(node, asking),
      failed: (failure) => this.#done(failure),
    })
  }

  start(): void {
    const { watching } = this.#options
    if (this.#isOver) return
    if (watching === undefined) this.#attempts.begin()
    else {
      this.#giveBack = watching.giveBack
      this.#lease = watching.lease
      this.#loadScripts(watching.shard, () => this.#send(watching.lease))
    }
  }

  /** QueuedPart: the node is ready. From now on only a proof that nothing was executed lets it go again. */
  exec(done: (outcome: Outcome) => void): void {
    this.#done = done
    this.#isDue = true
    this.#sendExec(this.#lease as ShardConnection)
  }

  /** QueuedPart */
  discard(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#attempts.stop()
    if (this.#isReady) this.#sendDiscard()
    else this.#giveBack(false)
  }

  #sendDiscard(): void {
    this.#lease?.send(new OwnReply(this.#giveBack), 0, DISCARD, 0, DISCARD.length, true)
  }

  #go(node: Shard, asking: boolean): void {
    const { client } = this.#options
    const pool = node.leases(client.lane)
    const lease = pool.take(false)
    if (lease === undefined) {
      this.#done(OVERLOADED)
      return
    }
    this.#lease = lease
    const { changesConnection } = this.#options
    this.#giveBack = (clean) => pool.giveBack(lease, clean && !changesConnection)
    this.#refusal = undefined
    this.#loadScripts(node, () => {
      if (asking) lease.send(UNHEARD, 0, ASKING, 0, ASKING.length, true)
      this.#begin(lease, pool)
    })
  }

  /** Behind a MULTI that a node does not let us use, the commands would be executed one by one. */
  #begin(lease: ShardConnection, pool: LeasePool): void {
    if (pool.takesMulti) {
      this.#send(lease)
      return
    }
    const multi = new Collector(1, (collected) => {
      if (this.#isOver) return
      const reply = collected.frame(0)
      pool.takesMulti = reply !== undefined && reply[0] !== MINUS
      if (pool.takesMulti && !this.#isDue) this.#queue(lease, true)
      else if (pool.takesMulti) this.#sendRest(lease)
      else if (reply !== undefined) this.#ended(collected)
      else {
        // MULTI alone does nothing.
        this.#giveBack(false)
        this.#attempts.wait()
      }
    })
    lease.send(multi, 0, MULTI, 0, MULTI.length, true)
  }

  #send(lease: ShardConnection): void {
    if (!this.#isDue) {
      this.#queue(lease, false)
      return
    }
    lease.send(this.#noted, 0, MULTI, 0, MULTI.length, true)
    this.#sendRest(lease)
  }

  #sendRest(lease: ShardConnection): void {
    for (const { frame } of this.#options.queued) {
      lease.send(this.#noted, 0, frame, 0, frame.length, false)
    }
    this.#sendExec(lease)
  }

  #sendExec(lease: ShardConnection): void {
    const exec = this.#options.account.collector((collected) => this.#ended(collected))
    lease.send(exec, 0, EXEC, 0, EXEC.length, true)
  }

  /** Sends everything but EXEC. `multiTaken`: MULTI has been answered. */
  #queue(lease: ShardConnection, multiTaken: boolean): void {
    const { queued } = this.#options
    const first = multiTaken ? 0 : 1
    if (first + queued.length === 0) {
      this.#queued(undefined, undefined, true)
      return
    }
    const sink = new Collector(first + queued.length, (collected) => {
      const replies = Array.from({ length: collected.count }, (_, part) => collected.frame(part))
      const error = replies.find((reply) => reply !== undefined && isError(reply))
      const [multi] = replies
      const isTaken = multiTaken || (multi !== undefined && !isError(multi))
      if (!this.#isOver) this.#queued(error, collected.error, isTaken)
    })
    if (!multiTaken) lease.send(sink, 0, MULTI, 0, MULTI.length, true)
    for (const [at, { frame }] of queued.entries()) {
      lease.send(sink, first + at, frame, 0, frame.length, true)
    }
  }

  /** `error`: the node's first. Behind a MULTI that was taken nothing has been executed. */
  #queued(error: Buffer | undefined, failure: Failure | undefined, isTaken: boolean): void {
    const refusal = error && this.#refusalIn(error, 0, error.length)
    if (failure !== undefined && !isTaken) this.#lost(failure)
    else if (failure !== undefined) this.#again()
    else if (error === undefined) {
      this.#isReady = true
      this.#options.ready?.()
    } else if (!isTaken) {
      this.#giveBack(false)
      this.#done(UNEXPECTED_REPLIES)
    } else if (refusal === undefined) {
      this.#sendDiscard()
      this.#giveBack = () => {}
      this.#done(EXECABORT)
    } else {
      this.#refused(refusal, false)
    }
  }

  /** Each node has to have the scripts before; inside MULTI it would only queue them. */
  #loadScripts(node: Shard, then: () => void): void {
    const { client, scripts, queued } = this.#options
    const shared = node.connectionFor(client.lane, client.session.id)
    const needed = queued.map(({ script }) => script)
    scripts.loadAll(shared, needed, () => {
      if (!this.#isOver) then()
    })
  }

  /** Sees why a command was not queued. */
  get #noted(): ReplySink {
    return {
      reply: (_ticket, bytes, start, end) => {
        if (bytes[start] === MINUS) this.#refusal ??= this.#refusalIn(bytes, start, end)
      },
      failed: () => {},
    }
  }

  #refusalIn(bytes: Buffer, start: number, end: number): RefusalLine | undefined {
    const { sender, slot } = this.#options
    return sender.moving?.refusalIn(bytes, start, end, slot)
  }

  #ended(collected: Collected): void {
    const reply = collected.ownFrame(0)
    if (reply === undefined) this.#lost(collected.error as Failure)
    else if (reply[0] !== MINUS) this.#end(reply, true)
    else {
      // EXECABORT does not say why.
      const refusal = this.#refusalIn(reply, 0, reply.length) ?? this.#refusal
      if (refusal === undefined) this.#end(reply, endingOf(reply, 0) === 'done')
      else this.#refused(refusal)
    }
  }

  /** `clean`: the node has forgotten it. */
  #refused(refusal: RefusalLine, clean = true): void {
    const { watching, client } = this.#options
    if (watching !== undefined) {
      this.#end(nullArrayFrame(client.lane.protocol), false)
      return
    }
    this.#giveBack(clean)
    this.#attempts.refused(refusal)
  }

  #lost(failure: Failure): void {
    if (failure.label === 'may have executed') {
      this.#giveBack(false)
      this.#done(failure)
    } else {
      this.#again()
    }
  }

  /** Nothing was executed. What was watched is watched no more. */
  #again(): void {
    const { watching, client } = this.#options
    if (watching !== undefined) {
      this.#end(nullArrayFrame(client.lane.protocol), false)
    } else {
      this.#giveBack(false)
      this.#attempts.wait()
    }
  }

  #end(reply: Buffer, clean: boolean): void {
    this.#giveBack(clean)
    this.#done(reply)
  }
}
