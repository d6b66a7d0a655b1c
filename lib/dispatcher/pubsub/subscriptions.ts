/**
 * Who has subscribed to what: every topic once on the shards that have its messages, however many
 * clients want it. One registry serves all clients with the same credentials.
 */
import type { Failure } from '../../failures.ts'
import { SUBSCRIPTION_BYTES } from '../../limits.ts'
import { Message, type TopicKind } from '../../resp/pubsub.ts'
import { isError } from '../../resp/reply-reader.ts'
import type { Credentials } from '../../upstream/lane.ts'
import type { ReplySink } from '../../upstream/reply-sink.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Subscriber } from '../../upstream/subscriber.ts'

/** A client, as far as messages are concerned. */
export interface Receiver {
  receive(message: Message): void
  /** Messages may be missing from now on. */
  lost(): void
}

/** The error frame when the shards have not taken the subscription. */
type Settled = (error: Buffer | undefined) => void

/** The index of the one shard that has the topic's messages, or EVERY_SHARD. */
export type Place = (kind: TopicKind, name: Buffer) => number

export const EVERY_SHARD = -1

/** One topic that at least one client wants. */
export class Subscription implements ReplySink {
  readonly kind: TopicKind
  readonly name: Buffer
  /** The name in latin-1, which Maps can find. */
  readonly key: string
  readonly registry: Subscriptions
  /** Those who have been told that they are subscribed. */
  readonly receivers = new Set<Receiver>()
  /** The same and those who will be told. */
  users = 0
  /** Shards that have not confirmed. */
  unconfirmed = 0
  /** Through which it is subscribed. */
  readonly subscribers: Subscriber[] = []
  /** Not subscribed any more; the error frame says why, if anybody wanted it still. */
  ended = false
  error: Buffer | undefined
  #waiting: Settled[] = []
  /** Subscribers of whose confirmation a part has come: the name in it is long. */
  #begun: Set<number> | undefined

  constructor(kind: TopicKind, name: Buffer, key: string, registry: Subscriptions) {
    this.kind = kind
    this.name = name
    this.key = key
    this.registry = registry
  }

  /** Bytes it counts for against our bounds, for each client. */
  get bytes(): number {
    return bytesOf(this.name)
  }

  /** Clients that hear it beyond those whom the shards count: to them we are one on each shard. */
  get uncounted(): number {
    return this.receivers.size - (this.subscribers.length - this.unconfirmed)
  }

  /** The same as one of the shards sees it. */
  get uncountedByOne(): number {
    return this.unconfirmed === 0 ? this.receivers.size - 1 : 0
  }

  /** Calls back, perhaps at once, when all shards have confirmed or one has not. */
  onceSettled(callback: Settled): void {
    if (this.unconfirmed > 0 && !this.ended) this.#waiting.push(callback)
    else callback(this.error)
  }

  reply(tag: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    const begun = this.#begun?.delete(tag) === true
    if (!last) {
      this.#begun ??= new Set()
      this.#begun.add(tag)
      return
    }
    // Errors are short: they come whole.
    const frame = bytes.subarray(start, end)
    if (!begun && isError(frame)) this.fail(Buffer.from(frame))
    else if (--this.unconfirmed === 0) this.#settle()
  }

  failed(_tag: number, error: Failure): void {
    this.fail(error.frame)
  }

  /** Ends it with an error frame. Who has been told otherwise has to be told by the caller. */
  fail(error: Buffer): void {
    if (this.ended) return
    this.error = error
    this.registry.end(this)
    this.#settle()
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

export interface SubscriptionsOptions {
  readonly shards: readonly Shard[]
  readonly place: Place
  /** Undefined: each shard's configured ones. */
  readonly credentials: Credentials | undefined
  /** Nothing is subscribed and no connection is left. */
  readonly onUnused: () => void
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #topics: Readonly<Record<TopicKind, Map<string, Subscription>>> = {
    channel: new Map(),
    pattern: new Map(),
    shardChannel: new Map(),
  }
  /** By shard; single connections open when first needed. */
  readonly #subscribers: (Subscriber | undefined)[]

  constructor(options: SubscriptionsOptions) {
    this.#options = options
    this.#subscribers = new Array(options.shards.length).fill(undefined)
  }

  /** Topics that clients want. */
  get size(): number {
    const { channel, pattern, shardChannel } = this.#topics
    return channel.size + pattern.size + shardChannel.size
  }

  patterns(): Iterable<Subscription> {
    return this.#topics.pattern.values()
  }

  /** `key`: the topic's name in latin-1. */
  find(kind: TopicKind, key: string): Subscription | undefined {
    return this.#topics[kind].get(key)
  }

  /** One more user of the topic; subscribes when it is the first. Keeps `name`. */
  join(kind: TopicKind, name: Buffer): Subscription {
    const key = name.toString('latin1')
    const subscription = this.#topics[kind].get(key) ?? this.#begin(kind, name, key)
    subscription.users++
    return subscription
  }

  /** One user less; unsubscribes after the last. */
  leave(subscription: Subscription): void {
    if (--subscription.users === 0) this.end(subscription)
  }

  /** Nobody gets its messages any more. */
  end(subscription: Subscription): void {
    if (subscription.ended) return
    subscription.ended = true
    this.#topics[subscription.kind].delete(subscription.key)
    for (const subscriber of subscription.subscribers) {
      subscriber.unsubscribe(subscription.kind, subscription.name)
    }
  }

  #begin(kind: TopicKind, name: Buffer, key: string): Subscription {
    const subscription = new Subscription(kind, name, key, this)
    this.#topics[kind].set(key, subscription)
    const place = this.#options.place(kind, name)
    const places = place === EVERY_SHARD ? [...this.#subscribers.keys()] : [place]
    subscription.unconfirmed = places.length
    for (const index of places) {
      const subscriber = this.#subscriber(index)
      subscription.subscribers.push(subscriber)
      subscriber.subscribe(kind, name, subscription, index)
      // Refused at once, as overload.
      if (subscription.ended) break
    }
    return subscription
  }

  #subscriber(index: number): Subscriber {
    const open = this.#subscribers[index]
    if (open?.usable) return open
    const shard = this.#options.shards[index] as Shard
    const subscriber = shard.openSubscriber(this.#options.credentials, {
      message: (kind, topic, bytes, start, end) => {
        this.#deliver(kind, topic, bytes.subarray(start, end))
      },
      closed: () => this.#onClosed(index, subscriber),
    })
    this.#subscribers[index] = subscriber
    return subscriber
  }

  #deliver(kind: TopicKind, topic: string, frame: Buffer): void {
    const subscription = this.#topics[kind].get(topic)
    // Nobody has it any more, and the shard has not heard of that yet.
    if (subscription === undefined || subscription.receivers.size === 0) return
    const message = new Message(frame)
    for (const receiver of subscription.receivers) receiver.receive(message)
  }

  /** What came through a connection that broke may have gaps: whoever used it has to know. */
  #onClosed(index: number, subscriber: Subscriber): void {
    if (this.#subscribers[index] === subscriber) this.#subscribers[index] = undefined
    const { unavailable } = (this.#options.shards[index] as Shard).errors
    const losers = new Set<Receiver>()
    for (const topics of Object.values(this.#topics)) {
      for (const subscription of topics.values()) {
        if (!subscription.subscribers.includes(subscriber)) continue
        for (const receiver of subscription.receivers) losers.add(receiver)
        subscription.fail(unavailable.frame)
      }
    }
    for (const receiver of losers) receiver.lost()
    const unused = this.size === 0 && this.#subscribers.every((each) => each === undefined)
    if (unused) this.#options.onUnused()
  }
}
