/**
 * A command on its way to all shards, where masters come and go. A node that was not reached, or refuses, has
 * not executed its part: the part waits for that node or for its heir, as long as the command may take. Parts
 * are all alike, so an heir is any master that has none yet.
 */
import type { Failure } from '../../../failures.ts'
import { resendDelayMs } from '../../../pool/cluster/slot-queues.ts'
import type { MovingPlaces } from '../../../pool/router/moving-places.ts'
import { MINUS } from '../../../resp/bytes.ts'
import { refusalIn } from '../../../routing/refusal-line.ts'
import { timerMs } from '../../../timer.ts'
import type { Backend, Frame } from '../../../upstream/backend.ts'
import type { ReplySink } from '../../../upstream/reply-sink.ts'
import type { Shard } from '../../../upstream/shard.ts'
import type { Client } from '../client.ts'

/** A shard, or what stands before one. */
export type Node = Backend & Pick<Shard, 'isAway' | 'errors'>

export interface BroadcastOptions<T extends Node> {
  readonly client: Client
  readonly places: MovingPlaces
  /** The shards at this moment. */
  readonly shards: () => readonly T[]
  /** It never changes. */
  readonly frame: Frame
  /** Gets the reply of the shard that was number n at the beginning, or of its heir, with ticket n. */
  readonly sink: ReplySink
}

interface Part<T> {
  node: T
  /** The node was a master of a cluster: another may take its place. */
  readonly hasHeirs: boolean
  waits: number
  /** Some of the reply has come. */
  hasBegun: boolean
}

export class Broadcast<T extends Node> implements ReplySink {
  readonly #options: BroadcastOptions<T>
  readonly #parts: readonly Part<T>[]
  readonly #deadlineMs: number

  constructor(options: BroadcastOptions<T>) {
    this.#options = options
    const { shards, places } = options
    this.#deadlineMs = performance.now() + places.requestTimeoutMs
    this.#parts = shards().map((node) => {
      return { node, hasHeirs: places.has(node), waits: 0, hasBegun: false }
    })
  }

  send(): void {
    for (const number of this.#parts.keys()) this.#send(number)
  }

  /** ReplySink */
  reply(number: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const part = this.#parts[number] as Part<T>
    const mayRefuse = part.hasHeirs && !part.hasBegun && bytes[start] === MINUS
    if (mayRefuse && refusalIn(bytes, start, end)?.kind === 'later') {
      this.#options.places.lookAgain()
      this.#wait(number, part.node.errors.declined)
      return
    }
    part.hasBegun = true
    this.#options.sink.reply(number, bytes, start, end, last)
  }

  /** ReplySink */
  failed(number: number, failure: Failure): void {
    const { hasHeirs, hasBegun } = this.#parts[number] as Part<T>
    if (hasHeirs && !hasBegun && failure.kind === 'unavailable') this.#wait(number, failure)
    else this.#options.sink.failed(number, failure)
  }

  #send(number: number): void {
    const { client, frame } = this.#options
    const { node } = this.#parts[number] as Part<T>
    node.send(client.session.id, client.lane, frame, this, number)
  }

  #wait(number: number, why: Failure): void {
    const { client, sink } = this.#options
    const delayMs = resendDelayMs((this.#parts[number] as Part<T>).waits++)
    const isLate = performance.now() + delayMs > this.#deadlineMs
    if (client.session.closed || isLate) sink.failed(number, why)
    else setTimeout(() => this.#tryAgain(number, why), timerMs(delayMs))
  }

  #tryAgain(number: number, why: Failure): void {
    const { session, lane } = this.#options.client
    const part = this.#parts[number] as Part<T>
    const node = this.#heirOf(part.node)
    if (node === undefined || node.isAway(lane, session.id)) {
      this.#wait(number, why)
      return
    }
    part.node = node
    this.#send(number)
  }

  /** The node itself while it is a master. */
  #heirOf(node: T): T | undefined {
    const shards = this.#options.shards()
    if (shards.includes(node)) return node
    return shards.find((each) => !this.#parts.some((part) => part.node === each))
  }
}
