/**
 * A shared connection whose reads Redis tracks: what is read over it may be kept as long as the announcements
 * of changed keys reach us. Each unbroken stretch of time in which they do has a number of its own, and
 * entries are found by it: to end a source is to give up its number.
 *
 * A connection that speaks RESP3 gets the announcements itself, between its replies. One that speaks RESP2
 * cannot, and has them sent to the shard's feed.
 *
 * A connection to a node of a cluster is relied on only as long as the node says that it serves its slots.
 */
import { requestFrame } from '../../resp/encode.ts'
import type { NearCacheStats, SourceEnd } from '../../stats/near-cache-stats.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { Feed } from './feed.ts'
import { ask, type Ended, HELLO, isOk, PING, wordsOf } from './own-request.ts'
import type { Ownership } from './ownership.ts'
import { refusalOf, refusalOfInfo } from './tracking-support.ts'

/** The number of a source that does not track at the moment. */
export const UNTRACKED = 0

const TRACKING_INFO = requestFrame(['CLIENT', 'TRACKINGINFO'])

/** After the shard has refused, milliseconds. */
const ASK_AGAIN_MS = 5000

export interface SourceOwner {
  /** Numbers are never given twice. */
  nextNumber(): number
  readonly now: () => number
  readonly stats: NearCacheStats
  /** The shard does not track for us; `words` are its own, safe for a log. */
  refused(source: Source, words: string): void
  began(source: Source): void
}

export class Source {
  readonly connection: ShardConnection
  /** Undefined: announcements come over the connection itself. */
  readonly feed: Feed | undefined
  readonly shardName: string
  /** Undefined: the shard is no node of a cluster. */
  readonly ownership: Ownership | undefined
  number = UNTRACKED
  readonly #owner: SourceOwner
  /** Of the connection, and of the feed, since when they are tracked. */
  #incarnation = 0
  #feedNumber = 0
  /** When the newest request that has been answered was entered. */
  #confirmedMs = 0
  #asking = false
  #askAgainMs = Number.NEGATIVE_INFINITY
  #pinging = false

  constructor(
    connection: ShardConnection,
    feed: Feed | undefined,
    shardName: string,
    owner: SourceOwner,
    ownership?: Ownership,
  ) {
    this.connection = connection
    this.feed = feed
    this.shardName = shardName
    this.#owner = owner
    this.ownership = ownership
  }

  /**
   * Its number if announcements have reached us without a break, else UNTRACKED; then it asks the shard to
   * track it again, if there is a point in that.
   */
  current(): number {
    if (this.number === UNTRACKED) {
      this.#ask()
      return UNTRACKED
    }
    const { connection, feed } = this
    if (connection.state !== 'ready' || connection.incarnation !== this.#incarnation) {
      this.end('lost')
    } else if (feed !== undefined && feed.number !== this.#feedNumber) {
      this.end('feedLost')
    }
    return this.number
  }

  /** Everything that was executed by then has been announced to us, if it concerns us. */
  get confirmedMs(): number {
    const { feed } = this
    return feed === undefined ? this.#confirmedMs : Math.min(this.#confirmedMs, feed.confirmedMs)
  }

  /**
   * A request that was entered then has been answered over the connection. Of a cluster's node that says
   * something about one slot only.
   */
  confirm(enteredMs: number): void {
    if (this.ownership === undefined) this.#confirm(enteredMs)
  }

  #confirm(enteredMs: number): void {
    if (enteredMs > this.#confirmedMs) this.#confirmedMs = enteredMs
  }

  end(why: SourceEnd): void {
    if (this.number === UNTRACKED) return
    this.number = UNTRACKED
    this.#owner.stats.sourcesEnded[why]++
  }

  /** Goes on under another number, so that all that was read before is dropped. */
  renumber(why: SourceEnd): void {
    if (this.number === UNTRACKED) return
    this.number = this.#owner.nextNumber()
    this.#owner.stats.sourcesEnded[why]++
  }

  /** Asks for a sign of life, unless there has been one since. */
  refresh(sinceMs: number): void {
    if (this.current() === UNTRACKED || this.#confirmedMs >= sinceMs || this.#pinging) return
    this.#pinging = true
    const enteredMs = this.#owner.now()
    const incarnation = this.#incarnation
    const isSame = (): boolean => this.connection.incarnation === incarnation
    const done: Ended = (reply) => {
      this.#pinging = false
      if (reply !== undefined && isSame()) this.confirm(enteredMs)
    }
    // It is the last that is sent, so that it ends the asking whatever becomes of the others.
    this.ownership?.ask(this.connection, (trouble) => {
      if (!isSame()) return
      if (trouble === undefined) this.#confirm(enteredMs)
      else this.#refused(trouble, enteredMs)
    })
    ask(this.connection, PING, done)
  }

  #ask(): void {
    const { connection, feed } = this
    const nowMs = this.#owner.now()
    if (this.#asking || nowMs < this.#askAgainMs || connection.state !== 'ready') return
    if (feed !== undefined && feed.current() === 0) return
    this.#asking = true
    const { incarnation } = connection
    const feedNumber = feed?.number ?? 0
    let refusal: string | undefined
    if (feed === undefined) {
      ask(connection, HELLO, (reply) => {
        refusal = reply === undefined ? undefined : refusalOf(reply)
      })
    }
    const redirect = feed === undefined ? [] : ['REDIRECT', feed.clientId]
    ask(connection, requestFrame(['CLIENT', 'TRACKING', 'ON', ...redirect, 'OPTIN']), (reply) => {
      if (reply !== undefined && !isOk(reply)) refusal ??= wordsOf(reply)
    })
    this.ownership?.ask(connection, (trouble) => {
      refusal ??= trouble
    })
    // A proxy in between may say OK without doing it.
    ask(connection, TRACKING_INFO, (reply) => {
      this.#asking = false
      const isSame = connection.incarnation === incarnation && (feed?.number ?? 0) === feedNumber
      if (!isSame || reply === undefined) return
      refusal ??= refusalOfInfo(reply, feed?.clientId)
      if (refusal !== undefined) this.#refused(refusal, nowMs)
      else this.#begin(incarnation, feedNumber, nowMs)
    })
  }

  #begin(incarnation: number, feedNumber: number, enteredMs: number): void {
    this.number = this.#owner.nextNumber()
    this.#incarnation = incarnation
    this.#feedNumber = feedNumber
    this.#confirmedMs = enteredMs
    this.#owner.began(this)
  }

  #refused(words: string, nowMs: number): void {
    this.end('refused')
    this.#askAgainMs = nowMs + ASK_AGAIN_MS
    this.#owner.refused(this, words)
  }
}
