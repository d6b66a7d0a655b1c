/**
 * Finds the node for a request that needs a connection of its own in a cluster: the owner of its slot,
 * then other nodes when that refuses it. One attempt follows the other until a node takes the request, or
 * its time is up.
 */
import { type Failure, NOT_SERVED } from '../../failures.ts'
import { REDIRECTS_MAX } from '../../limits.ts'
import { resendDelayMs } from '../../pool/cluster/slot-queues.ts'
import type { MovingPlaces } from '../../pool/router/moving-places.ts'
import type { RefusalLine } from '../../routing/refusal-line.ts'
import { timerMs } from '../../timer.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Client } from './client.ts'

export interface SlotAttemptsOptions {
  readonly places: MovingPlaces
  readonly client: Client
  readonly slot: number
  /** Until when an attempt may begin; `performance.now()`. */
  readonly deadlineMs: number
  /** Try there. `asking`: behind ASKING. */
  readonly go: (node: Shard, asking: boolean) => void
  readonly failed: (failure: Failure) => void
}

export class SlotAttempts {
  readonly #options: SlotAttemptsOptions
  #node: Shard | undefined
  #nodeBefore: Shard | undefined
  #declined = false
  #hops = 0
  #waits = 0
  #timer: NodeJS.Timeout | undefined
  #deadlineMs: number

  constructor(options: SlotAttemptsOptions) {
    this.#options = options
    this.#deadlineMs = options.deadlineMs
  }

  /** Attempts may begin until then. */
  extend(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs
    this.#waits = 0
  }

  /** Makes the first attempt, or another one at the present owner of the slot. */
  begin(): void {
    const { places, client, slot } = this.#options
    const node = places.ownerOf(slot)
    if (node === undefined || node.isAway(client.lane, client.session.id)) this.wait()
    else this.#go(node, false)
  }

  /** The node has refused it, with this line. */
  refused(line: RefusalLine): void {
    const { places, slot } = this.#options
    const node = this.#node as Shard
    this.#declined = true
    this.#hops = line.kind === 'later' ? 0 : this.#hops + 1
    if (this.#hops > REDIRECTS_MAX) {
      this.#fail()
      return
    }
    const to = places.follow(line, slot, node, this.#nodeBefore)
    if (to === undefined) this.wait()
    else this.#go(to.node, to.asking)
  }

  /** Nothing of it was sent, or nothing was executed: again after a while. */
  wait(): void {
    const { client } = this.#options
    const delayMs = resendDelayMs(this.#waits++)
    if (client.session.closed || performance.now() + delayMs > this.#deadlineMs) this.#fail()
    else this.#timer = setTimeout(() => this.begin(), timerMs(delayMs))
  }

  /** No attempt is made any more. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  #go(node: Shard, asking: boolean): void {
    const { client, go, places, slot } = this.#options
    if (client.session.closed) {
      this.#fail()
      return
    }
    if (this.#node !== undefined) places.sentAgain(slot)
    if (node !== this.#node) this.#nodeBefore = this.#node
    this.#node = node
    go(node, asking)
  }

  #fail(): void {
    const { failed } = this.#options
    const errors = this.#node?.errors
    failed((this.#declined ? errors?.declined : errors?.unavailable) ?? NOT_SERVED)
  }
}
