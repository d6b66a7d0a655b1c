/**
 * What one client has subscribed to. Its commands take effect in their order, each when all shards
 * concerned have confirmed: a message published after the client has seen its confirmation cannot
 * be missed, and none comes before it.
 */
import type { CommandRow } from '../../commands/row.ts'
import type { ScannedRequest, Session } from '../../downstream/session.ts'
import { OVERLOADED } from '../../failures.ts'
import {
  CLIENT_SUBSCRIPTIONS_BYTES_MAX,
  PUBSUB_OUTPUT_BYTES_MAX,
  PUBSUB_SLOW_BYTES,
  PUBSUB_SLOW_MS,
} from '../../limits.ts'
import { confirmation, type Message, TOPIC_COMMANDS, type TopicKind } from '../../resp/pubsub.ts'
import type { Lane } from '../../upstream/lane.ts'
import { argument } from '../core/arguments.ts'
import type { Mode } from '../core/mode.ts'
import { answerToSubscriber } from './subscriber-answers.ts'
import { bytesOf, type Receiver, type Subscription } from './subscription.ts'
import type { SubscriptionRegistries } from './subscription-registries.ts'

/** What subscriptions need of their client. */
export interface SubscribingClient {
  readonly session: Session
  /** The lane that it is in now. */
  readonly lane: Lane
  /** A transaction, which is told what is refused here. */
  readonly mode?: Mode | undefined
}

/** A subscription command that has not been answered. */
interface Pending {
  readonly ticket: number
  readonly kind: TopicKind
  /** For subscribing: what has been asked for. */
  readonly joined: Subscription[]
  /** For unsubscribing: from what; undefined: from all. */
  readonly names: readonly Buffer[] | undefined
  readonly subscribes: boolean
  unsettled: number
  error: Buffer | undefined
}

export class ClientSubscriptions implements Mode, Receiver {
  readonly #client: SubscribingClient
  readonly #registries: SubscriptionRegistries
  readonly #topics: Readonly<Record<TopicKind, Map<string, Subscription>>> = {
    channel: new Map(),
    pattern: new Map(),
    shardChannel: new Map(),
  }
  readonly #pending: Pending[] = []
  #bytes = 0
  /** Since when more waits for the client than PUBSUB_SLOW_BYTES. */
  #slowSinceMs: number | undefined
  #abandoned = false

  constructor(client: SubscribingClient, registries: SubscriptionRegistries) {
    this.#client = client
    this.#registries = registries
  }

  /** How many topics of a kind the client has. */
  count(kind: TopicKind): number {
    return this.#topics[kind].size
  }

  /** The client has commands unanswered, or is subscribed to something. */
  get inUse(): boolean {
    const { channel, pattern, shardChannel } = this.#topics
    return this.#pending.length + channel.size + pattern.size + shardChannel.size > 0
  }

  /** Mode: in RESP2 a subscriber may do little else, since it could not tell replies from messages. */
  handle(request: ScannedRequest, row: CommandRow): boolean {
    if (row.handling === 'subscription') return false
    if (this.#pending.length > 0) {
      this.#client.session.defer(request)
      return true
    }
    if (!this.inUse || this.#client.lane.protocol === 3) return false
    if (row.name === 'quit' || row.name === 'reset') return false
    if (row.name !== 'ping') this.#client.mode?.refused(row)
    this.#client.session.answer(answerToSubscriber(request, row))
    return true
  }

  refused(): void {}

  /** Subscribes to arguments 1 and on. */
  subscribe(kind: TopicKind, request: ScannedRequest): void {
    const { session } = this.#client
    if (this.#deferBehindOthers(request)) return
    const names = namesOf(request)
    if (!this.#charge(names.reduce((sum, name) => sum + bytesOf(name), 0))) {
      session.refuse(OVERLOADED)
      return
    }
    const registry = this.#registries.registryFor(this.#client.lane.credentials)
    const joined = names.map((name) => registry.join(kind, name))
    const unsettled = joined.length
    const pending: Pending = {
      ticket: session.open(),
      kind,
      joined,
      names: undefined,
      subscribes: true,
      unsettled,
      error: undefined,
    }
    this.#pending.push(pending)
    for (const subscription of joined) {
      subscription.onceSettled((error) => {
        pending.error ??= error
        pending.unsettled--
        if (pending.unsettled === 0) this.#settle()
      })
    }
  }

  /** Unsubscribes from arguments 1 and on; from all of the kind when there are none. */
  unsubscribe(kind: TopicKind, request: ScannedRequest): void {
    if (this.#deferBehindOthers(request)) return
    this.#pending.push({
      ticket: this.#client.session.open(),
      kind,
      joined: [],
      names: request.argc > 1 ? namesOf(request) : undefined,
      subscribes: false,
      unsettled: 0,
      error: undefined,
    })
    this.#settle()
  }

  receive(message: Message): void {
    const { session, lane } = this.#client
    if (session.outputBytes <= PUBSUB_SLOW_BYTES) this.#slowSinceMs = undefined
    else if (this.#isSlowForLong()) session.destroy()
    session.push(message.frame(lane.protocol), PUBSUB_OUTPUT_BYTES_MAX)
  }

  lost(): void {
    this.#client.session.destroy()
  }

  /** RESET, or the client is gone. */
  abandon(): void {
    this.#abandoned = true
    for (const topics of Object.values(this.#topics)) {
      for (const subscription of topics.values()) this.#leave(subscription)
      topics.clear()
    }
    for (const { joined } of this.#pending.splice(0)) this.#giveUp(joined)
  }

  /**
   * Waits until all that is unanswered are subscription commands: then the confirmation, when it is
   * due, goes out at once, and messages can begin behind it.
   */
  #deferBehindOthers(request: ScannedRequest): boolean {
    const { session } = this.#client
    if (session.inFlight === this.#pending.length) return false
    session.defer(request)
    return true
  }

  /** Answers what is due, in order. */
  #settle(): void {
    if (this.#abandoned) return
    const { session, lane } = this.#client
    for (;;) {
      const pending = this.#pending[0]
      if (pending === undefined || pending.unsettled > 0) break
      this.#pending.shift()
      session.settle(pending.ticket, this.#execute(pending, lane.protocol))
    }
  }

  /** To Redis confirmations are pushes, which CLIENT REPLY does not silence; errors are replies. */
  #execute(pending: Pending, protocol: 2 | 3): Buffer {
    if (!pending.subscribes) return this.#remove(pending, protocol)
    // One that was confirmed may have been lost while this command waited for its turn.
    const error = pending.error ?? pending.joined.find(({ ended }) => ended)?.error
    if (error === undefined) return this.#add(pending, protocol)
    this.#giveUp(pending.joined)
    return error
  }

  #add({ ticket, kind, joined }: Pending, protocol: 2 | 3): Buffer {
    this.#client.session.keepReply(ticket)
    const word = TOPIC_COMMANDS[kind].subscribe
    const topics = this.#topics[kind]
    const frames = joined.map((subscription) => {
      if (topics.has(subscription.key)) {
        this.#giveUp([subscription])
      } else {
        topics.set(subscription.key, subscription)
        subscription.receivers.add(this)
      }
      return confirmation(word, subscription.name, this.#confirmedCount(kind), protocol)
    })
    return Buffer.concat(frames)
  }

  #remove({ ticket, kind, names }: Pending, protocol: 2 | 3): Buffer {
    this.#client.session.keepReply(ticket)
    const word = TOPIC_COMMANDS[kind].unsubscribe
    const topics = this.#topics[kind]
    const all = names ?? [...topics.values()].map(({ name }) => name)
    if (all.length === 0) return confirmation(word, null, this.#confirmedCount(kind), protocol)
    const frames = all.map((name) => {
      const key = name.toString('latin1')
      const subscription = topics.get(key)
      if (subscription !== undefined) {
        topics.delete(key)
        this.#leave(subscription)
      }
      return confirmation(word, name, this.#confirmedCount(kind), protocol)
    })
    return Buffer.concat(frames)
  }

  /** As Redis counts: channels and patterns together, shard channels for themselves. */
  #confirmedCount(kind: TopicKind): number {
    const { channel, pattern, shardChannel } = this.#topics
    return kind === 'shardChannel' ? shardChannel.size : channel.size + pattern.size
  }

  #leave(subscription: Subscription): void {
    subscription.receivers.delete(this)
    this.#giveUp([subscription])
  }

  /** Undoes joining. */
  #giveUp(joined: readonly Subscription[]): void {
    for (const subscription of joined) {
      subscription.registry.leave(subscription)
      this.#charge(-subscription.bytes)
    }
  }

  #charge(bytes: number): boolean {
    const { budget } = this.#registries
    const fits =
      this.#bytes + bytes <= CLIENT_SUBSCRIPTIONS_BYTES_MAX &&
      budget.bytes + bytes <= budget.bytesMax
    if (!fits && bytes > 0) return false
    this.#bytes += bytes
    budget.bytes += bytes
    return true
  }

  #isSlowForLong(): boolean {
    const nowMs = performance.now()
    this.#slowSinceMs ??= nowMs
    return nowMs - this.#slowSinceMs > PUBSUB_SLOW_MS
  }
}

/** The names must outlive the request. */
function namesOf(request: ScannedRequest): Buffer[] {
  return Array.from({ length: request.argc - 1 }, (_, i) => Buffer.from(argument(request, i + 1)))
}
