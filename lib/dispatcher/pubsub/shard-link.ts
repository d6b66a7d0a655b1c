/**
 * What one registry has subscribed on one shard. The connection mends itself; this class knows which
 * topics the shard has, asks again for lost ones, and tells the clients that may have missed
 * messages. It tells them at once if the shard is the topic's home, else when the shard is back:
 * until then nothing is known to be missing, and a shard that stays away must not disturb the
 * channels of others.
 */
import { SUBSCRIBER_BATCH, SUBSCRIBER_RETRY_MS } from '../../limits.ts'
import type { Logger } from '../../logger.ts'
import type { TopicKind } from '../../resp/pubsub.ts'
import type { Credentials } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import type { Subscriber } from '../../upstream/subscribers/subscriber.ts'
import { type Asker, ShardAnswer } from './shard-answer.ts'
import type { Receiver, Subscription } from './subscription.ts'

export interface LinkOwner {
  /** Undefined: each shard's configured ones. */
  readonly credentials: Credentials | undefined
  readonly logger: Logger
  /** Topics that clients want. */
  readonly size: number
  topics(): Iterable<Subscription>
  find(kind: TopicKind, key: string): Subscription | undefined
  deliver(kind: TopicKind, topic: string, frame: Buffer, from: ShardLink): void
  /** What a client is told whose topic was refused with this error; undefined: the error. */
  declinedAs(subscription: Subscription, error: Buffer, from: ShardLink): Buffer | undefined
  /** It has no connection any more, and needs none. */
  linkClosed(link: ShardLink): void
}

export class ShardLink implements Asker {
  readonly shard: Shard
  readonly #owner: LinkOwner
  #subscriber: Subscriber | undefined
  #ready = false
  /** It has not answered lately: no client waits for it. */
  #away: boolean
  #retired = false
  #retryTimer: NodeJS.Timeout | undefined
  // A topic that stands in none of these sets is subscribed.
  /** Asked for, and clients are not told before the answer. */
  readonly #awaited = new Set<Subscription>()
  /** Asked for, when clients may have been told already. */
  readonly #late = new Set<Subscription>()
  /** To be asked for once the connection is there, or after a while. */
  readonly #unsent = new Set<Subscription>()
  /** They belong to other shards. */
  readonly #elsewhere = new Set<Subscription>()
  /** The shard does not want them, as long as this connection lasts. */
  readonly #refused = new Set<Subscription>()
  /** Clients that were told of a topic before the shard had it. */
  readonly #misinformed = new Set<Receiver>()

  constructor(shard: Shard, owner: LinkOwner) {
    this.shard = shard
    this.#owner = owner
    this.#away = shard.lastUp === false
    // Which of them belong here it is told next.
    for (const topic of owner.topics()) this.#elsewhere.add(topic)
  }

  /** Whether the shard has the topic, which must be one of the registry. */
  has(subscription: Subscription): boolean {
    return !(
      this.#retired ||
      this.#elsewhere.has(subscription) ||
      this.#awaited.has(subscription) ||
      this.#late.has(subscription) ||
      this.#unsent.has(subscription) ||
      this.#refused.has(subscription)
    )
  }

  /** The topic belongs here, whatever the shard says to that. */
  knows(subscription: Subscription): boolean {
    return !this.#elsewhere.has(subscription)
  }

  /** A topic that is new belongs to other shards. */
  leaveOut(subscription: Subscription): void {
    this.#elsewhere.add(subscription)
  }

  /** The topic belongs to other shards from now on. */
  skip(subscription: Subscription): void {
    const { frame } = this.shard.errors.unavailable
    const wasAwaited = this.#awaited.has(subscription)
    const had = this.has(subscription)
    // The node drops a shard channel by itself, and would refuse to be asked.
    this.#forget(subscription, subscription.kind !== 'shardChannel')
    this.#elsewhere.add(subscription)
    if (had) subscription.gone(frame)
    if (wasAwaited) {
      subscription.missed(frame)
      subscription.answered()
    }
  }

  /** Subscribes to a topic that is new here. Returns whether clients wait for the answer. */
  add(subscription: Subscription): boolean {
    this.#elsewhere.delete(subscription)
    const subscriber = this.#open()
    if (subscription.home === this.shard || (subscriber.usable && !this.#away)) {
      this.#ask(subscriber, subscription, this.#awaited)
      return true
    }
    subscription.missed(this.shard.errors.unavailable.frame)
    if (subscriber.usable) this.#ask(subscriber, subscription, this.#late)
    else this.#unsent.add(subscription)
    return false
  }

  /** Clients who have not been told wait for this shard's answer, too. */
  require(subscription: Subscription): void {
    if (this.#late.delete(subscription)) {
      this.#awaited.add(subscription)
      subscription.await()
    } else if (this.#unsent.delete(subscription) || this.#refused.delete(subscription)) {
      this.#ask(this.#open(), subscription, this.#awaited)
    }
  }

  remove(subscription: Subscription): void {
    this.#forget(subscription, true)
  }

  #forget(subscription: Subscription, unsubscribes: boolean): void {
    // Nothing of it is here.
    if (this.#elsewhere.delete(subscription)) return
    const asked = this.#awaited.delete(subscription) || this.#late.delete(subscription)
    this.#unsent.delete(subscription)
    this.#refused.delete(subscription)
    const subscriber = this.#subscriber
    const isThere = subscriber?.state === 'ready' || (asked && subscriber?.usable)
    if (unsubscribes && isThere) {
      subscriber.unsubscribe(subscription.kind, subscription.name)
    }
    if (this.#unsent.size === 0) this.#stopRetrying()
    if (this.#owner.size === 0) subscriber?.idle()
    this.#goOn()
  }

  /**
   * The shard belongs to no configuration any more. What it still delivers is heard until it is
   * closed: a transaction may end there. `atOnce`: another shard is the same server by now, and
   * would deliver the same.
   */
  retire(atOnce: boolean): void {
    const { frame } = this.shard.errors.unavailable
    const has = [...this.#owner.topics()].filter((each) => this.has(each))
    const awaited = [...this.#awaited]
    this.#retired = true
    this.#stopRetrying()
    for (const topics of [this.#awaited, this.#late, this.#unsent, this.#refused]) topics.clear()
    for (const subscription of has) subscription.gone(frame)
    for (const subscription of awaited) {
      subscription.missed(frame)
      subscription.answered()
    }
    if (atOnce || !this.#ready) this.#subscriber?.close()
  }

  #open(): Subscriber {
    if (this.#subscriber !== undefined) return this.#subscriber
    const link = this
    const subscriber = this.shard.openSubscriber(this.#owner.credentials, {
      get topics() {
        return link.#topics
      },
      message: (kind, topic, bytes, start, end) => {
        this.#owner.deliver(kind, topic, bytes.subarray(start, end), this)
      },
      dropped: (channel) => this.#dropped(channel),
      stateChanged: () => this.#stateChanged(subscriber),
    })
    this.#subscriber = subscriber
    return subscriber
  }

  get #topics(): number {
    const { size } = this.#owner
    const missing = this.#awaited.size + this.#late.size + this.#unsent.size + this.#refused.size
    return size - missing - this.#elsewhere.size
  }

  #ask(subscriber: Subscriber, subscription: Subscription, among: Set<Subscription>): void {
    among.add(subscription)
    if (among === this.#awaited) subscription.await()
    const answer = new ShardAnswer(this, subscription)
    subscriber.subscribe(subscription.kind, subscription.name, answer)
  }

  /** The slot of the channel has left the shard: asked once more, it says where to. */
  #dropped(channel: string): void {
    const subscription = this.#owner.find('shardChannel', channel)
    if (subscription === undefined || !this.has(subscription)) return
    subscription.dropped()
    this.#ask(this.#open(), subscription, this.#late)
  }

  /** Asker */
  confirmed(subscription: Subscription): void {
    this.#away = false
    if (this.#late.delete(subscription)) {
      subscription.confirmed()
      for (const receiver of subscription.receivers) this.#misinformed.add(receiver)
    } else if (this.#awaited.delete(subscription)) {
      subscription.confirmed()
      subscription.answered()
    }
    this.#goOn()
  }

  /** Asker */
  missed(subscription: Subscription, said: Buffer, refused: boolean): void {
    const declined = refused ? this.#owner.declinedAs(subscription, said, this) : undefined
    const error = declined ?? said
    const wasAwaited = this.#awaited.delete(subscription)
    if (!wasAwaited && !this.#late.delete(subscription)) return
    const isHome = subscription.home === this.shard
    if (declined !== undefined && !wasAwaited) {
      // Its new home is not known yet. It goes there with the map.
      this.#tryAgain(subscription)
      return
    }
    // Clients that may not hear all of a pattern get an error, rather than a part of the messages.
    if (isHome || (refused && wasAwaited && subscription.home === undefined)) {
      const losers = [...subscription.receivers]
      subscription.fail(error)
      for (const receiver of losers) receiver.lost()
    } else {
      subscription.missed(error)
      if (!refused) this.#away = true
      if (refused && !isBusy(error)) this.#refused.add(subscription)
      else this.#tryAgain(subscription)
      if (wasAwaited) subscription.answered()
    }
    this.#goOn()
  }

  #stateChanged(subscriber: Subscriber): void {
    const { state } = subscriber
    const wasReady = this.#ready
    this.#ready = state === 'ready'
    if (this.#retired) {
      if (!this.#ready) subscriber.close()
      return
    }
    if (this.#ready) this.#away = false
    else if (state === 'waiting') this.#away = true
    if (state === 'waiting' && this.#owner.size === 0) {
      subscriber.close()
      return
    }
    if (state === 'closed') this.#subscriber = undefined
    if (wasReady && !this.#ready) this.#lost(subscriber)
    if (this.#ready && !wasReady) this.#goOn()
    if (state === 'closed') this.#closed()
  }

  /** What came through a connection that broke may have gaps. */
  #lost({ reason, left }: Subscriber): void {
    this.#stopRetrying()
    const { frame } = this.shard.errors.unavailable
    const topics = [...this.#owner.topics()].filter((each) => this.has(each))
    const losers = new Set<Receiver>()
    for (const each of this.#refused) this.#unsent.add(each)
    this.#refused.clear()
    for (const subscription of topics) {
      const { home, receivers } = subscription
      if (home === this.shard || home === undefined) for (const each of receivers) losers.add(each)
      if (home === this.shard) {
        subscription.fail(frame)
      } else {
        this.#unsent.add(subscription)
        subscription.gone(frame)
      }
    }
    if (topics.length > 0 && !left) {
      const facts = { shard: this.shard.name, reason, topics: topics.length }
      this.#owner.logger.warn(facts, 'subscriber lost')
    }
    for (const receiver of losers) receiver.lost()
  }

  #closed(): void {
    if (this.#owner.size > 0) this.#open()
    else this.#owner.linkClosed(this)
  }

  /**
   * Asks for the remaining topics, SUBSCRIBER_BATCH at a time, and at the end tells the misinformed clients.
   */
  #goOn(): void {
    if (!this.#ready || this.#late.size > 0 || this.#retryTimer !== undefined) return
    const subscriber = this.#subscriber as Subscriber
    const batch = take(this.#unsent, SUBSCRIBER_BATCH)
    for (const subscription of batch) this.#unsent.delete(subscription)
    for (const subscription of batch) this.#ask(subscriber, subscription, this.#late)
    if (batch.length === 0 && this.#misinformed.size > 0) this.#back()
  }

  #back(): void {
    const clients = [...this.#misinformed]
    this.#misinformed.clear()
    this.#owner.logger.info({ shard: this.shard.name, clients: clients.length }, 'subscriber back')
    for (const receiver of clients) receiver.lost()
  }

  #stopRetrying(): void {
    clearTimeout(this.#retryTimer)
    this.#retryTimer = undefined
  }

  /** When the connection is there again, or in a while if it is there. */
  #tryAgain(subscription: Subscription): void {
    this.#unsent.add(subscription)
    if (!this.#ready) return
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined
      this.#goOn()
    }, SUBSCRIBER_RETRY_MS)
  }
}

/** A shard that runs a long script takes subscriptions again when it is done. */
function isBusy(error: Buffer): boolean {
  return error.toString('latin1', 0, 6) === '-BUSY '
}

function take<T>(from: Iterable<T>, count: number): T[] {
  const taken: T[] = []
  for (const each of from) {
    if (taken.length === count) break
    taken.push(each)
  }
  return taken
}
