/** All tracked connections and the feeds of their shards. Turns their announcements into changed keys. */
import type { Logger } from '../../logger.ts'
import type { NearCacheStats, SourceEnd } from '../../stats/near-cache-stats.ts'
import type { ShardConnection } from '../../upstream/connection/connection.ts'
import type { Shard } from '../../upstream/shard.ts'
import { hashBytes } from '../memory/hash.ts'
import { Feed, type FeedOwner } from './feed.ts'
import { type ChangedKeys, readAnnouncement } from './invalidations.ts'
import { Ownership, type SlotDoubts } from './ownership.ts'
import { Source, type SourceOwner, UNTRACKED } from './source.ts'

/** So many are looked through before the map is asked, which costs as much as a dozen of them. */
const RECENT_MAX = 6

export interface SourcesOptions {
  readonly now: () => number
  readonly stats: NearCacheStats
  readonly logger: Logger
  /** Undefined: the shards are no nodes of a cluster. */
  readonly slots: () => SlotDoubts | undefined
  /** A key has changed; `from`: as `Flights.changed` has it. */
  readonly changed: (keyHash: number, from: Source | undefined) => void
}

export class Sources implements SourceOwner, FeedOwner, ChangedKeys {
  readonly now: () => number
  readonly stats: NearCacheStats
  readonly #options: SourcesOptions
  readonly #byConnection = new Map<ShardConnection, Source>()
  /** Some of them. */
  readonly #recent: Source[] = []
  readonly #feeds = new Map<Shard, Feed>()
  /** Shards and connections that have been complained about. */
  readonly #complaints = new WeakMap<object, string>()
  #lastNumber = UNTRACKED
  /** Of the announcement that is read. */
  #from: Source | undefined

  constructor(options: SourcesOptions) {
    this.#options = options
    this.now = options.now
    this.stats = options.stats
  }

  of(shard: Shard, connection: ShardConnection, protocol: 2 | 3): Source {
    const recent = this.#recent
    for (let i = 0; i < recent.length; i++) {
      const source = recent[i] as Source
      if (source.connection === connection) return source
    }
    const source = this.#byConnection.get(connection) ?? this.#open(shard, connection, protocol)
    if (recent.length === RECENT_MAX) recent.length = 0
    recent.push(source)
    return source
  }

  /** Those that are tracked, at this moment or until something is noticed. */
  get tracked(): readonly Source[] {
    return [...this.#byConnection.values()].filter((source) => source.number !== UNTRACKED)
  }

  /** Connections that could be tracked, and those of them that are not at the moment. */
  get standing(): { readonly connections: number; readonly untracked: number } {
    const sources = [...this.#byConnection.values()]
    const untracked = sources.filter((source) => source.number === UNTRACKED).length
    return { connections: sources.length, untracked }
  }

  /** By shard: how long ago it was last certain that nothing had changed unheard, milliseconds. */
  confirmedAges(): ReadonlyMap<string, number> {
    const ages = new Map<string, number>()
    const nowMs = this.now()
    for (const source of this.#byConnection.values()) {
      if (source.number === UNTRACKED) continue
      const ageMs = nowMs - source.confirmedMs
      ages.set(source.shardName, Math.max(ageMs, ages.get(source.shardName) ?? 0))
    }
    return ages
  }

  /** Drops all that was read so far. What is read from now on may be kept. */
  renumberAll(why: SourceEnd): void {
    for (const source of this.#byConnection.values()) source.renumber(why)
  }

  /**
   * Asks sources that have been quiet since then for a sign of life, and forgets those that are
   * gone.
   */
  refresh(sinceMs: number): void {
    for (const [connection, source] of this.#byConnection) {
      source.refresh(sinceMs)
      if (connection.state === 'closed') this.#byConnection.delete(connection)
    }
    this.#recent.length = 0
    const used = new Set([...this.#byConnection.values()].map(({ feed }) => feed))
    for (const [shard, feed] of this.#feeds) {
      feed.refresh(sinceMs)
      if (used.has(feed)) continue
      feed.close()
      this.#feeds.delete(shard)
    }
  }

  close(): void {
    for (const source of this.#byConnection.values()) source.end('cleared')
    for (const feed of this.#feeds.values()) feed.close()
    this.#byConnection.clear()
    this.#recent.length = 0
    this.#feeds.clear()
  }

  /** SourceOwner, FeedOwner */
  nextNumber(): number {
    return ++this.#lastNumber
  }

  /** SourceOwner */
  began(source: Source): void {
    this.#complaints.delete(source.connection)
  }

  /** SourceOwner */
  refused(source: Source, words: string): void {
    this.#complain(source.connection, source.shardName, words)
  }

  /** FeedOwner */
  feedRefused(feed: Feed, words: string): void {
    this.#complain(feed, feed.shard.name, words)
    feed.close()
  }

  /** FeedOwner */
  announced(feed: Feed, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#from = undefined
    const why = this.#read(bytes, start, end, last)
    if (why === undefined) return
    for (const source of this.#byConnection.values()) {
      if (source.feed !== feed) continue
      if (why === 'broken') source.end(why)
      else source.renumber(why)
    }
    // One that has come to the end of an announcement in parts would go on in its middle.
    if (why === 'broken') feed.close()
  }

  /** ChangedKeys */
  changed(bytes: Buffer, start: number, end: number): void {
    this.#options.changed(hashBytes(bytes, start, end), this.#from)
  }

  #announcedInBand(source: Source, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#from = source
    const why = this.#read(bytes, start, end, last)
    if (why !== undefined) source.renumber(why)
  }

  /** Why nothing of the source may be kept any more; undefined: it may. */
  #read(bytes: Buffer, start: number, end: number, last: boolean): SourceEnd | undefined {
    if (!last) return 'broken'
    switch (readAnnouncement(bytes, start, end, this)) {
      case 'all':
        return 'flushed'
      case 'broken':
        return 'broken'
      default:
        return undefined
    }
  }

  #open(shard: Shard, connection: ShardConnection, protocol: 2 | 3): Source {
    const feed = protocol === 3 ? undefined : this.#feedOf(shard)
    const slots = this.#options.slots()
    const ownership = slots === undefined ? undefined : new Ownership(slots)
    const source = new Source(connection, feed, shard.name, this, ownership)
    this.#byConnection.set(connection, source)
    if (feed === undefined) {
      connection.watchPushes((bytes, start, end, last) => {
        this.#announcedInBand(source, bytes, start, end, last)
        return true
      })
    }
    return source
  }

  #feedOf(shard: Shard): Feed {
    const known = this.#feeds.get(shard)
    if (known !== undefined) return known
    const feed = new Feed(shard, this)
    this.#feeds.set(shard, feed)
    return feed
  }

  #complain(about: object, shard: string, reason: string): void {
    if (this.#complaints.get(about) === reason) return
    this.#complaints.set(about, reason)
    const facts = { shard, reason }
    this.#options.logger.warn(facts, 'shard cannot be tracked, its keys are not kept in memory')
  }
}
