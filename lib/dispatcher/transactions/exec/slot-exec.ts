/**
 * A transaction on a slot of a cluster, at the moment of its EXEC: all of it goes out at once, so that it
 * can go again elsewhere when a node refuses a part of it, for then nothing of it has been executed. With
 * watched keys it cannot: they may have changed on their way.
 */
import { type Failure, OVERLOADED } from '../../../failures.ts'
import type { MovingPlaces } from '../../../pool/router/moving-places.ts'
import { MINUS } from '../../../resp/bytes.ts'
import { nullArrayFrame, requestFrame } from '../../../resp/encode.ts'
import type { RefusalLine } from '../../../routing/refusal-line.ts'
import { type ShardConnection, UNHEARD } from '../../../upstream/connection/connection.ts'
import type { LeasePool } from '../../../upstream/leases/lease-pool.ts'
import type { ReplySink } from '../../../upstream/reply-sink.ts'
import { ASKING, type Shard } from '../../../upstream/shard.ts'
import type { Client } from '../../core/client.ts'
import { type Collected, Collector } from '../../core/collector.ts'
import { endingOf } from '../../core/lease-sink.ts'
import type { Sender } from '../../core/sender.ts'
import { SlotAttempts } from '../../core/slot-attempts.ts'
import type { Scripts } from '../../scripts/scripts.ts'
import type { EarlyCommand } from '../kept-commands.ts'

const MULTI = requestFrame(['MULTI'])
const EXEC = requestFrame(['EXEC'])

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
  /** One of them changes the connection itself, which nobody else may get after that. */
  readonly changesConnection: boolean
  /** Undefined: no key is watched. */
  readonly watching: Watching | undefined
  readonly deadlineMs: number
  /** EXEC's reply, which nobody will change; or there is none. */
  readonly done: (reply: Buffer | Failure) => void
}

export class SlotExec {
  readonly #options: SlotExecOptions
  readonly #attempts: SlotAttempts
  /** Of the attempt under way. */
  #giveBack: (clean: boolean) => void = () => {}
  #refusal: RefusalLine | undefined

  constructor(options: SlotExecOptions) {
    this.#options = options
    const { client, sender, slot, deadlineMs } = options
    this.#attempts = new SlotAttempts({
      places: sender.moving as MovingPlaces,
      client,
      slot,
      deadlineMs,
      go: (node, asking) => this.#go(node, asking),
      failed: (failure) => options.done(failure),
    })
  }

  start(): void {
    const { watching } = this.#options
    if (watching === undefined) this.#attempts.begin()
    else {
      this.#giveBack = watching.giveBack
      this.#loadScripts(watching.shard, () => this.#send(watching.lease))
    }
  }

  #go(node: Shard, asking: boolean): void {
    const { client } = this.#options
    const pool = node.leases(client.lane)
    const lease = pool.take(false)
    if (lease === undefined) {
      this.#options.done(OVERLOADED)
      return
    }
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
      const reply = collected.frame(0)
      pool.takesMulti = reply !== undefined && reply[0] !== MINUS
      if (pool.takesMulti) this.#sendRest(lease)
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
    lease.send(this.#noted, 0, MULTI, 0, MULTI.length, true)
    this.#sendRest(lease)
  }

  #sendRest(lease: ShardConnection): void {
    for (const { frame } of this.#options.queued) {
      lease.send(this.#noted, 0, frame, 0, frame.length, false)
    }
    const exec = new Collector(1, (collected) => this.#ended(collected))
    lease.send(exec, 0, EXEC, 0, EXEC.length, true)
  }

  /** Each node has to have the scripts before; inside MULTI it would only queue them. */
  #loadScripts(node: Shard, then: () => void): void {
    const { client, scripts, queued } = this.#options
    const shared = node.connectionFor(client.lane, client.session.id)
    let missing = 1
    const loaded = (): void => {
      if (--missing === 0) then()
    }
    for (const { script } of queued) {
      if (script === undefined || script.isLoaded(shared)) continue
      missing++
      scripts.load(shared, script, loaded)
    }
    loaded()
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
    const reply = collected.frame(0)
    if (reply === undefined) this.#lost(collected.error as Failure)
    else if (reply[0] !== MINUS) this.#done(Buffer.from(reply), true)
    else {
      // EXECABORT does not say why.
      const refusal = this.#refusalIn(reply, 0, reply.length) ?? this.#refusal
      if (refusal === undefined) this.#done(Buffer.from(reply), endingOf(reply, 0) === 'done')
      else this.#refused(refusal)
    }
  }

  #refused(refusal: RefusalLine): void {
    const { watching, client } = this.#options
    if (watching !== undefined) {
      this.#done(nullArrayFrame(client.lane.protocol), false)
      return
    }
    this.#giveBack(true)
    this.#attempts.refused(refusal)
  }

  #lost(failure: Failure): void {
    const { watching, client } = this.#options
    if (failure.label === 'may have executed') {
      this.#giveBack(false)
      this.#options.done(failure)
    } else if (watching !== undefined) {
      this.#done(nullArrayFrame(client.lane.protocol), false)
    } else {
      this.#giveBack(false)
      this.#attempts.wait()
    }
  }

  #done(reply: Buffer, clean: boolean): void {
    this.#giveBack(clean)
    this.#options.done(reply)
  }
}
