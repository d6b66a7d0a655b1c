/**
 * One connection to a shard that speaks RESP3 and gets the announcements for all connections to it that
 * speak RESP2. It is opened when it is first needed, and again after it was lost.
 */
import { requestFrame } from '../../resp/encode.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { ReplyHandler } from '../../upstream/connection/reply-cutter.ts'
import type { Lane } from '../../upstream/lane.ts'
import type { Shard } from '../../upstream/shard.ts'
import { ask, HELLO, PING } from './own-request.ts'
import { type Refusal, refusalOf, unsupported } from './tracking-support.ts'

/** No client is in it, so that it has no id of its own. */
const LANE: Lane = { id: -1, protocol: 3, database: 0, credentials: undefined }

const CLIENT_ID = requestFrame(['CLIENT', 'ID'])

/** After an attempt that failed, milliseconds. */
const OPEN_AGAIN_MS = 1000

export interface FeedOwner {
  /** Numbers are never given twice. */
  nextNumber(): number
  readonly now: () => number
  /** A push has come, or a part of one. */
  announced(feed: Feed, bytes: Buffer, start: number, end: number, last: boolean): void
  /** There can be no feed from this shard. */
  feedRefused(feed: Feed, words: string): void
}

export class Feed {
  readonly shard: Shard
  /** By which the shard knows it. */
  clientId = ''
  readonly #owner: FeedOwner
  #connection: ShardConnection | undefined
  /** Of this stretch of time without a break; 0: none. */
  #number = 0
  #confirmedMs = 0
  #openAgainMs = Number.NEGATIVE_INFINITY
  #pinging = false

  constructor(shard: Shard, owner: FeedOwner) {
    this.shard = shard
    this.#owner = owner
  }

  /** 0 when announcements do not come. */
  get number(): number {
    if (this.#number !== 0 && this.#connection?.state !== 'ready') this.#number = 0
    return this.#number
  }

  get confirmedMs(): number {
    return this.#confirmedMs
  }

  /** As `number`, and opens the feed if it is not open. */
  current(): number {
    const { number } = this
    if (number !== 0 || this.#isOpen) return number
    const nowMs = this.#owner.now()
    if (nowMs >= this.#openAgainMs) {
      this.#openAgainMs = nowMs + OPEN_AGAIN_MS
      this.#open(nowMs)
    }
    return 0
  }

  /** Asks for a sign of life, unless there has been one since. */
  refresh(sinceMs: number): void {
    const connection = this.#connection
    if (this.number === 0 || connection === undefined) return
    if (this.#confirmedMs >= sinceMs || this.#pinging) return
    this.#pinging = true
    const enteredMs = this.#owner.now()
    ask(connection, PING, (reply) => {
      if (connection !== this.#connection) return
      this.#pinging = false
      if (reply !== undefined) this.#confirmedMs = enteredMs
    })
  }

  /** It cannot be relied on any more. */
  close(): void {
    this.#number = 0
    this.#connection?.close()
    this.#connection = undefined
  }

  get #isOpen(): boolean {
    return this.#connection !== undefined && this.#connection.state !== 'closed'
  }

  #open(nowMs: number): void {
    const connection = this.shard.openAside(LANE)
    this.#connection = connection
    this.#pinging = false
    const onPush: ReplyHandler = (bytes, start, end, last) => {
      if (connection === this.#connection) this.#owner.announced(this, bytes, start, end, last)
      return true
    }
    connection.watchPushes(onPush)
    connection.onceSettled((rejection) => {
      // A server that knows no RESP3 refuses HELLO.
      if (rejection !== undefined) this.#owner.feedRefused(this, rejection)
    })
    let refusal: Refusal = unsupported('')
    ask(connection, HELLO, (reply) => {
      if (reply !== undefined) refusal = refusalOf(reply)
    })
    ask(connection, CLIENT_ID, (reply) => {
      if (connection !== this.#connection || reply === undefined) return
      if (refusal === undefined && reply.startsWith(':')) this.#begin(reply, nowMs)
      else this.#owner.feedRefused(this, refusal ?? reply)
    })
  }

  #begin(reply: string, enteredMs: number): void {
    this.clientId = reply.slice(1).trimEnd()
    this.#number = this.#owner.nextNumber()
    this.#confirmedMs = enteredMs
  }
}
