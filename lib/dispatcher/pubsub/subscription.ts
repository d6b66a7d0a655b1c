/** One topic that at least one client wants, and how far its subscription has come on the shards. */
import { SUBSCRIPTION_BYTES } from '../../limits.ts'
import type { Message, TopicKind } from '../../resp/pubsub.ts'
import type { Shard } from '../../upstream/shard.ts'

/** A client, as far as messages are concerned. */
export interface Receiver {
  receive(message: Message): void
  /** Messages may be missing, or may be from now on. */
  lost(): void
}

/** The error frame when the shards have not taken the subscription. */
type Settled = (error: Buffer | undefined) => void

/** Where topics are registered. */
export interface Registry {
  /** One user less; unsubscribes after the last. */
  leave(subscription: Subscription): void
  /** Nobody gets its messages any more. */
  end(subscription: Subscription): void
}

export class Subscription {
  readonly kind: TopicKind
  readonly name: Buffer
  /** The name in latin-1, which Maps can find. */
  readonly key: string
  readonly registry: Registry
  /** Without it there is no subscription; undefined: any shard will do. */
  home: Shard | undefined
  /** Clients that have been told that they are subscribed. */
  readonly receivers = new Set<Receiver>()
  /** The number of receivers and of clients that wait to be told. */
  users = 0
  /** Not subscribed any more; the error frame says why, if anybody wanted it still. */
  ended = false
  error: Buffer | undefined
  /** Answers without which clients are not told. */
  #awaited = 0
  /** Shards that have it. */
  #confirmed = 0
  /** The reason of the first shard that did not take it. */
  #firstMiss: Buffer | undefined
  #waiting: Settled[] = []

  constructor(
    kind: TopicKind,
    name: Buffer,
    key: string,
    home: Shard | undefined,
    registry: Registry,
  ) {
    this.kind = kind
    this.name = name
    this.key = key
    this.home = home
    this.registry = registry
  }

  /** Bytes it counts for against our bounds, for each client. */
  get bytes(): number {
    return bytesOf(this.name)
  }

  /** Clients wait to be told. */
  get unsettled(): boolean {
    return this.#awaited > 0
  }

  /** Calls back, perhaps at once, when clients can be told. */
  onceSettled(callback: Settled): void {
    if (this.unsettled && !this.ended) this.#waiting.push(callback)
    else callback(this.error)
  }

  /** Clients are not told before one more `answered`. */
  await(): void {
    this.#awaited++
  }

  answered(): void {
    this.#awaited--
    this.#settleIfDue()
  }

  /** A shard has it. */
  confirmed(): void {
    this.#confirmed++
  }

  /** A shard does not have it any more. */
  gone(error: Buffer): void {
    this.#confirmed--
    this.missed(error)
    if (this.#confirmed === 0 && !this.unsettled) this.fail(error)
  }

  /** A shard has dropped it, and it is asked for again at once. */
  dropped(): void {
    this.#confirmed--
  }

  /** A shard does not have it, for now. */
  missed(error: Buffer): void {
    this.#firstMiss ??= error
  }

  /**
   * Ends it with an error frame for the clients that wait. The caller must tell the clients that
   * were told of a subscription before.
   */
  fail(error: Buffer): void {
    if (this.ended) return
    this.error = error
    this.registry.end(this)
    this.#settle()
  }

  #settleIfDue(): void {
    if (this.unsettled || this.ended) return
    if (this.#confirmed > 0) this.#settle()
    else this.fail(this.#firstMiss as Buffer)
  }

  #settle(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const callback of waiting) callback(this.error)
  }
}

export function bytesOf(name: Buffer): number {
  return SUBSCRIPTION_BYTES + name.length
}
