/**
 * Which clients have subscribed to which topics. Each topic is subscribed once on every shard for
 * all its clients, since a script publishes on the shard of its keys. One registry serves all
 * clients with the same credentials and outlives reloads.
 */
import type { Logger } from '../../logger.ts'
import { Message, patternChannel, type TopicKind } from '../../resp/pubsub.ts'
import type { Credentials } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { HomeOf, TopicPlaces } from './home.ts'
import { type LinkOwner, ShardLink } from './shard-link.ts'
import { type Receiver, type Registry, Subscription } from './subscription.ts'

/** Where topics are subscribed, by the configuration in use. */
export interface SubscribedShards {
  /** One for each server: two shards may be databases of one. */
  readonly servers: readonly Shard[]
  readonly homeOf: HomeOf
  readonly places: TopicPlaces
}

export interface SubscriptionsOptions {
  /** Looked at again with each topic. */
  readonly shards: SubscribedShards
  /** Undefined: each shard's configured ones. */
  readonly credentials: Credentials | undefined
  readonly logger: Logger
  /** Nothing is subscribed and no connection is left. */
  readonly onUnused: () => void
}

export class Subscriptions implements LinkOwner, Registry {
  readonly credentials: Credentials | undefined
  readonly logger: Logger
  readonly #options: SubscriptionsOptions
  readonly #topics: Readonly<Record<TopicKind, Map<string, Subscription>>> = {
    channel: new Map(),
    pattern: new Map(),
    shardChannel: new Map(),
  }
  readonly #links = new Map<Shard, ShardLink>()

  constructor(options: SubscriptionsOptions) {
    this.#options = options
    this.credentials = options.credentials
    this.logger = options.logger
  }

  /** Topics that clients want. */
  get size(): number {
    const { channel, pattern, shardChannel } = this.#topics
    return channel.size + pattern.size + shardChannel.size
  }

  get hasShardChannels(): boolean {
    return this.#topics.shardChannel.size > 0
  }

  *topics(): Iterable<Subscription> {
    for (const topics of Object.values(this.#topics)) yield* topics.values()
  }

  patterns(): Iterable<Subscription> {
    return this.#topics.pattern.values()
  }

  /** `key`: the topic's name in latin-1. */
  find(kind: TopicKind, key: string): Subscription | undefined {
    return this.#topics[kind].get(key)
  }

  /** Whether the topic is subscribed on this server. */
  isOn(subscription: Subscription, server: Shard): boolean {
    return this.#links.get(server)?.has(subscription) === true
  }

  /** One more user of the topic; subscribes when it is the first. Keeps `name`. */
  join(kind: TopicKind, name: Buffer): Subscription {
    const key = name.toString('latin1')
    const subscription = this.#topics[kind].get(key) ?? this.#begin(kind, name, key)
    subscription.users++
    return subscription
  }

  leave(subscription: Subscription): void {
    if (--subscription.users === 0) this.end(subscription)
  }

  end(subscription: Subscription): void {
    if (subscription.ended) return
    subscription.ended = true
    this.#topics[subscription.kind].delete(subscription.key)
    for (const link of this.#links.values()) link.remove(subscription)
  }

  /**
   * Shards or homes have changed. Topics are subscribed on shards that have come, and stay as they
   * are on the others. Clients of topics with another home are closed, so that they learn of it and
   * subscribe again. Every shard is a home of patterns.
   */
  follow(): void {
    const { servers, homeOf } = this.#options.shards
    const left = [...this.#links.values()].filter(({ shard }) => !servers.includes(shard))
    const come = servers.filter((server) => !this.#links.has(server))
    for (const { shard } of left) this.#links.delete(shard)
    const topics = [...this.topics()]
    const losers = new Set<Receiver>()
    let moved = 0
    for (const topic of topics) {
      const home = homeOf(topic.kind, topic.name)
      if (this.#followsSlot(topic, home)) moved++
      else if (home !== topic.home || (home === undefined && come.length > 0)) {
        for (const receiver of topic.receivers) losers.add(receiver)
      }
      topic.home = home
      // Nothing is settled while shards are being asked.
      topic.await()
    }
    if (topics.length > 0) for (const server of come) this.#link(server)
    for (const topic of topics) {
      for (const link of this.#links.values()) this.#place(topic, link)
      this.#requireHome(topic)
    }
    for (const link of left) {
      link.retire(servers.some(({ serverId }) => serverId === link.shard.serverId))
    }
    for (const topic of topics) topic.answered()
    for (const receiver of losers) receiver.lost()
    if (moved > 0) this.logger.info({ topics: moved }, 'shard channels follow their slots')
    this.#checkUse()
  }

  /** A shard channel whose slot has moved from one node of a cluster to another: its clients need not know. */
  #followsSlot({ kind, name, home: before }: Subscription, home: Shard | undefined): boolean {
    const { servers, places } = this.#options.shards
    if (kind !== 'shardChannel' || before === undefined || home === undefined) return false
    const isBetweenNodes = servers.includes(before) && servers.includes(home)
    return home !== before && isBetweenNodes && !places.isOn(kind, name, before)
  }

  /** Closes all connections. */
  close(): void {
    for (const link of this.#links.values()) link.retire(true)
    this.#links.clear()
  }

  deliver(kind: TopicKind, topic: string, frame: Buffer, link: ShardLink): void {
    const { shard } = link
    const { places } = this.#options.shards
    const channel = kind === 'pattern' ? patternChannel(frame, topic) : topic
    if (!places.passes(kind, channel, shard)) return
    const subscription = this.#topics[kind].get(topic)
    // Nobody has it any more, and the shard has not heard of that yet.
    if (subscription === undefined || subscription.receivers.size === 0) return
    // It belongs to another node by now, and this one has not said yet that it does not have it.
    if (kind === 'shardChannel' && !link.knows(subscription)) return
    const message = new Message(frame)
    for (const receiver of subscription.receivers) receiver.receive(message)
  }

  /** LinkOwner */
  declinedAs({ name }: Subscription, error: Buffer, { shard }: ShardLink): Buffer | undefined {
    return this.#options.shards.places.declinedAs(name, error, shard)
  }

  linkClosed(link: ShardLink): void {
    this.#links.delete(link.shard)
    this.#checkUse()
  }

  #begin(kind: TopicKind, name: Buffer, key: string): Subscription {
    const { servers, homeOf } = this.#options.shards
    const subscription = new Subscription(kind, name, key, homeOf(kind, name), this)
    this.#topics[kind].set(key, subscription)
    // Nothing is settled while shards are being asked.
    subscription.await()
    const links = servers.map((server) => this.#link(server))
    const { places } = this.#options.shards
    let isAwaited = false
    for (const link of links) {
      if (!places.isOn(kind, name, link.shard)) link.leaveOut(subscription)
      else if (link.add(subscription)) isAwaited = true
      // Its home has refused at once.
      if (subscription.ended) break
    }
    const { home } = subscription
    if (home !== undefined) subscription.missed(home.errors.unavailable.frame)
    // All seem to be away: then the one that is back first is worth the wait.
    if (!isAwaited) for (const link of links) link.require(subscription)
    subscription.answered()
    return subscription
  }

  /** The topic is subscribed on the link's shard if it belongs there, and not otherwise. */
  #place(topic: Subscription, link: ShardLink): void {
    if (topic.ended) return
    const { places } = this.#options.shards
    const isWanted = places.isOn(topic.kind, topic.name, link.shard)
    if (isWanted && !link.knows(topic)) link.add(topic)
    else if (!isWanted && link.knows(topic)) link.skip(topic)
  }

  /** Waiting clients are not told before the new home has the topic. */
  #requireHome(topic: Subscription): void {
    const { home, ended } = topic
    if (home !== undefined && !ended) this.#links.get(home)?.require(topic)
  }

  #link(server: Shard): ShardLink {
    const known = this.#links.get(server)
    if (known !== undefined) return known
    const link = new ShardLink(server, this)
    this.#links.set(server, link)
    return link
  }

  #checkUse(): void {
    if (this.size === 0 && this.#links.size === 0) this.#options.onUnused()
  }
}
