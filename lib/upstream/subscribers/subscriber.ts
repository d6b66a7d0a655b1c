/**
 * One shard connection that the subscriptions of all clients share. When it breaks it is made anew,
 * as other shared connections are. Its subscriptions are not, so the subscribing registry is told
 * and asks again.
 */
import {
  PUBSUB_OUTPUT_BYTES_MAX,
  STALLED_MS,
  SUBSCRIBER_IDLE_MS,
  SUBSCRIBER_PING_MS,
} from '../../limits.ts'
import { MINUS } from '../../resp/bytes.ts'
import { requestFrame } from '../../resp/encode.ts'
import {
  endedShardChannel,
  messageKind,
  messageTopic,
  TOPIC_COMMANDS,
  type TopicKind,
} from '../../resp/pubsub.ts'
import type { ConnectionState, ShardConnection } from '../connection/connection.ts'
import type { ConnectionOptions } from '../connection/connection-options.ts'
import type { ReplySink } from '../reply-sink.ts'

export interface SubscriberOwner {
  /** Topics that are subscribed through it. */
  readonly topics: number
  /** `bytes[start, end)` is a whole RESP2 message for `topic` (latin-1); valid during the call only. */
  message(kind: TopicKind, topic: string, bytes: Buffer, start: number, end: number): void
  /** The shard has dropped a shard channel (latin-1) by itself: its slot has moved. */
  dropped(channel: string): void
  /** It has become ready, has stopped being so, or could not be made: see `state`. */
  stateChanged(): void
}

export interface SubscriberOptions {
  readonly open: (options: SubscriberConnectionOptions) => ShardConnection
  readonly requestTimeoutMs: number
  readonly owner: SubscriberOwner
  /** Before the owner is told. */
  readonly onClosed: () => void
}

export type SubscriberConnectionOptions = Required<
  Pick<ConnectionOptions, 'requestTimeoutMs' | 'onUnasked' | 'onStateChange'>
>

/** For replies that do not matter: to PING and to unsubscribing. Their loss shows in the state. */
const IGNORE: ReplySink = { reply: () => {}, failed: () => {} }

const PING = requestFrame(['PING'])

/** Tickets of a farewell. */
const ANSWER = 0
const BEHIND = 1

/** Takes the answer to our SUNSUBSCRIBE, and to the PING behind it: what comes between the two is no answer. */
class Farewell implements ReplySink {
  readonly channel: string
  isAnswered = false
  readonly #done: (farewell: Farewell) => void

  /** `channel`: latin-1. */
  constructor(channel: string, done: (farewell: Farewell) => void) {
    this.channel = channel
    this.#done = done
  }

  reply(ticket: number): void {
    if (ticket === ANSWER) this.isAnswered = true
    else this.#done(this)
  }

  failed(ticket: number): void {
    if (ticket === BEHIND) this.#done(this)
  }
}

export class Subscriber {
  readonly #connection: ShardConnection
  readonly #owner: SubscriberOwner
  readonly #onClosed: () => void
  readonly #pingTimer: NodeJS.Timeout
  #idleTimer: NodeJS.Timeout | undefined
  #closed = false
  #left = false
  /** Shard channels that it has been asked to end, and has not answered. */
  readonly #leaving = new Set<Farewell>()
  /** A message too large for one read comes in parts. */
  #parts: Buffer[] = []
  #partsBytes = 0

  /** Connects at once. */
  constructor(options: SubscriberOptions) {
    const { open, requestTimeoutMs, owner, onClosed } = options
    this.#owner = owner
    this.#onClosed = onClosed
    this.#connection = open({
      // A connection that owes an answer past its deadline, and is silent, is given up as dead; so
      // there is a deadline for the PINGs even where clients have none.
      requestTimeoutMs: Math.min(requestTimeoutMs, STALLED_MS),
      onUnasked: (bytes, start, end, last) => this.#onUnasked(bytes, start, end, last),
      onStateChange: () => this.#onStateChange(),
    })
    this.#connection.connect()
    this.#pingTimer = setInterval(() => this.#ping(), SUBSCRIBER_PING_MS)
  }

  get state(): ConnectionState {
    return this.#connection.state
  }

  /** Takes requests, perhaps not yet connected. */
  get usable(): boolean {
    return this.state === 'ready' || this.state === 'connecting'
  }

  get topics(): number {
    return this.#owner.topics
  }

  /** Why it is not ready, safe for a log. */
  get reason(): string | undefined {
    return this.#connection.reason
  }

  get connection(): ShardConnection {
    return this.#connection
  }

  /** It was closed because the shard has moved. */
  get left(): boolean {
    return this.#left
  }

  /** Closes it, since the shard has moved. */
  leave(): void {
    this.#left = true
    this.close()
  }

  /** The shard's confirmation, its error or the failure goes to `sink`. */
  subscribe(kind: TopicKind, name: Buffer, sink: ReplySink): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = undefined
    this.#send(requestFrame([TOPIC_COMMANDS[kind].subscribe, name]), sink)
  }

  unsubscribe(kind: TopicKind, name: Buffer): void {
    const frame = requestFrame([TOPIC_COMMANDS[kind].unsubscribe, name])
    if (kind !== 'shardChannel') {
      this.#send(frame, IGNORE)
      return
    }
    const farewell = new Farewell(name.toString('latin1'), (done) => this.#leaving.delete(done))
    this.#leaving.add(farewell)
    this.#send(frame, farewell, ANSWER)
    this.#send(PING, farewell, BEHIND)
  }

  /** Nothing is subscribed any more: it is closed, unless something is before long. */
  idle(): void {
    this.#idleTimer ??= setTimeout(() => this.close(), SUBSCRIBER_IDLE_MS)
  }

  /** For ever. The owner is told within the call. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#pingTimer)
    clearTimeout(this.#idleTimer)
    this.#connection.close()
    this.#onClosed()
    this.#owner.stateChanged()
  }

  #send(frame: Buffer, sink: ReplySink, ticket = 0): void {
    this.#connection.send(sink, ticket, frame, 0, frame.length, true)
  }

  /** One PING at a time: were they to pile up, their deadlines would say nothing new. */
  #ping(): void {
    if (this.state === 'ready' && this.#connection.inFlight === 0) this.#send(PING, IGNORE)
  }

  #onUnasked(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#parts.length > 0) return this.#onPart(bytes, start, end, last)
    const kind = messageKind(bytes, start)
    if (kind === undefined) return last && this.#answersNothing(bytes, start)
    if (last) this.#owner.message(kind, messageTopic(bytes, start, kind), bytes, start, end)
    else this.#onPart(bytes, start, end, false)
    return true
  }

  /**
   * A shard drops a channel whose slot moves, unasked, in the words in which it answers SUNSUBSCRIBE. When it
   * is asked in that moment it says both: this, and an error or the same words once more.
   */
  #answersNothing(bytes: Buffer, start: number): boolean {
    const { nextSink, inFlight } = this.#connection
    const channel = endedShardChannel(bytes, start)
    if (nextSink instanceof Farewell && (channel ?? nextSink.channel) === nextSink.channel) {
      return nextSink.isAnswered && (channel !== undefined || bytes[start] === MINUS)
    }
    if (channel === undefined) return false
    if (nextSink === undefined && inFlight > 0) {
      // It may be the answer to something that was given up.
      this.close()
    } else if (![...this.#leaving].some((farewell) => farewell.channel === channel)) {
      this.#owner.dropped(channel)
    }
    return true
  }

  #onPart(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    this.#parts.push(Buffer.from(bytes.subarray(start, end)))
    this.#partsBytes += end - start
    if (this.#partsBytes > PUBSUB_OUTPUT_BYTES_MAX) {
      // More than any client may have waiting. Redis, too, would cut off every subscriber.
      this.close()
    } else if (last) {
      const frame = Buffer.concat(this.#parts)
      this.#dropParts()
      this.#onUnasked(frame, 0, frame.length, true)
    }
    return true
  }

  #dropParts(): void {
    this.#parts = []
    this.#partsBytes = 0
  }

  #onStateChange(): void {
    if (this.#closed) return
    if (this.state !== 'ready') this.#dropParts()
    this.#owner.stateChanged()
  }
}
