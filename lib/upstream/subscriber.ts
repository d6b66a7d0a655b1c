/**
 * One shard connection that the subscriptions of all clients share. It lives as long as anything is
 * subscribed, and a while longer. When it breaks it is not mended: whoever subscribed through it
 * must know that messages may be missing.
 */
import {
  PUBSUB_OUTPUT_BYTES_MAX,
  STALLED_MS,
  SUBSCRIBER_IDLE_MS,
  SUBSCRIBER_PING_MS,
} from '../limits.ts'
import { requestFrame } from '../resp/encode.ts'
import { messageKind, messageTopic, TOPIC_COMMANDS, type TopicKind } from '../resp/pubsub.ts'
import type { ShardConnection } from './connection/connection.ts'
import type { ConnectionOptions } from './connection/connection-options.ts'
import type { ReplySink } from './reply-sink.ts'

export interface SubscriberEvents {
  /** `bytes[start, end)` is a whole RESP2 message for `topic` (latin-1); valid during the call only. */
  message(kind: TopicKind, topic: string, bytes: Buffer, start: number, end: number): void
  /** For ever. Nothing is subscribed through it any more. */
  closed(): void
}

export interface SubscriberOptions {
  readonly open: (options: SubscriberConnectionOptions) => ShardConnection
  readonly requestTimeoutMs: number
  readonly events: SubscriberEvents
}

export type SubscriberConnectionOptions = Required<
  Pick<ConnectionOptions, 'requestTimeoutMs' | 'onUnasked' | 'onStateChange'>
>

/** For replies that tell nothing: to PING and to unsubscribing. Losing them says `closed` already. */
const IGNORE: ReplySink = { reply: () => {}, failed: () => {} }

const PING = requestFrame(['PING'])

export class Subscriber {
  readonly #connection: ShardConnection
  readonly #events: SubscriberEvents
  readonly #pingTimer: NodeJS.Timeout
  #left = false
  #idleTimer: NodeJS.Timeout | undefined
  /** Topics that somebody needs. */
  #topics = 0
  /** A message too large for one read comes in parts. */
  #parts: Buffer[] = []
  #partsBytes = 0

  /** Connects at once. */
  constructor(options: SubscriberOptions) {
    const { open, requestTimeoutMs, events } = options
    this.#events = events
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

  /** Takes requests, perhaps not yet connected. */
  get usable(): boolean {
    const { state } = this.#connection
    return state === 'ready' || state === 'connecting'
  }

  /** Topics subscribed or about to be. */
  get topics(): number {
    return this.#topics
  }

  /** Why it is closed, safe for a log. */
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

  /** The shard's confirmation, or its error, goes to `sink`. Each call needs one `unsubscribe` later. */
  subscribe(kind: TopicKind, name: Buffer, sink: ReplySink, tag: number): void {
    this.#topics++
    clearTimeout(this.#idleTimer)
    this.#idleTimer = undefined
    this.#send(requestFrame([TOPIC_COMMANDS[kind].subscribe, name]), sink, tag)
  }

  unsubscribe(kind: TopicKind, name: Buffer): void {
    this.#topics--
    if (!this.usable) return
    this.#send(requestFrame([TOPIC_COMMANDS[kind].unsubscribe, name]), IGNORE, 0)
    if (this.#topics > 0) return
    this.#idleTimer = setTimeout(() => this.close(), SUBSCRIBER_IDLE_MS)
  }

  close(): void {
    this.#stopTimers()
    this.#connection.close()
  }

  #send(frame: Buffer, sink: ReplySink, tag: number): void {
    this.#connection.send(sink, tag, frame, 0, frame.length, true)
  }

  /** One PING at a time: were they to pile up, their deadlines would say nothing new. */
  #ping(): void {
    if (this.#connection.inFlight === 0) this.#send(PING, IGNORE, 0)
  }

  #onUnasked(bytes: Buffer, start: number, end: number, last: boolean): boolean {
    if (this.#parts.length > 0) return this.#onPart(bytes, start, end, last)
    const kind = messageKind(bytes, start)
    if (kind === undefined) return false
    if (last) this.#events.message(kind, messageTopic(bytes, start, kind), bytes, start, end)
    else this.#onPart(bytes, start, end, false)
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
      this.#parts = []
      this.#partsBytes = 0
      this.#onUnasked(frame, 0, frame.length, true)
    }
    return true
  }

  #onStateChange(): void {
    if (this.usable) return
    this.#stopTimers()
    this.#parts = []
    this.#events.closed()
  }

  #stopTimers(): void {
    clearInterval(this.#pingTimer)
    clearTimeout(this.#idleTimer)
  }
}
